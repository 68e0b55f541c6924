package sitetest

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"ccxmld/clock"
	"ccxmld/conf"
	"ccxmld/daemon"
	"ccxmld/memnet"
	"ccxmld/site"
	"ccxmld/switchsim"
)

// Timeout bounds every wait of a test on virtual time; it is no part of what a test
// asserts.
const Timeout = 10 * time.Minute

// realTimeout bounds every wait on real time.
const realTimeout = time.Minute

// SwitchAddress is where the daemon's link to the switch goes.
const SwitchAddress = "127.0.0.1:8021"

// Options are what a site is made from. An [Option] changes them before the switch and
// the daemon start.
type Options struct {
	testing.TB
	Clock       clock.Clock
	Network     *memnet.Network   // nil on real time
	Dir         string            // of documents
	Environment map[string]string // the daemon's settings, by environment names without their prefix
	Switch      switchsim.Options
	Timeout     time.Duration      // of every wait
	Daemon      []daemon.Option    // of the first daemon
	Configure   func(*conf.Config) // what settings may not say; nil for nothing

	site *site.Site // nil on real time
}

// Option changes the options of a site.
type Option func(*Options)

// With gives the daemon a setting by its environment name, without the prefix.
func With(name, value string) Option {
	return func(o *Options) { o.Environment[name] = value }
}

// WithSettings gives the daemon settings by their environment names, without the prefix.
func WithSettings(settings map[string]string) Option {
	return func(o *Options) { maps.Copy(o.Environment, settings) }
}

// WithSwitch makes the switch from these options, beside its clock and network. It logs
// its commands.
func WithSwitch(options switchsim.Options) Option {
	return func(o *Options) {
		options.LogCommands = true
		o.Switch = options
	}
}

// WithTimeout is for a test that takes longer than others.
func WithTimeout(d time.Duration) Option { return func(o *Options) { o.Timeout = d } }

// WithToken lets the token "s3cret" start a document of the site's directory.
func WithToken(document string) Option {
	return func(o *Options) {
		o.Environment["TOKENS"] = fmt.Sprintf("{s3cret: {uri: 'file://%s/%s'}}", o.Dir, document)
	}
}

// AllowDocuments lets the daemon read the site's directory and what begins with the
// URIs, and nothing else.
func AllowDocuments(uris ...string) Option {
	return func(o *Options) {
		allow := fmt.Sprintf("'file://%s/'", o.Dir)
		for _, uri := range uris {
			allow += fmt.Sprintf(", '%s/'", uri)
		}
		o.Environment["DOCUMENTS_ALLOW"] = "[" + allow + "]"
	}
}

// AddSwitch makes a further switch on the site, which does not listen yet.
func (o *Options) AddSwitch(options switchsim.Options) *switchsim.Switch {
	return o.site.AddSwitch(options)
}

// newOptions are the options before a test changes them.
func newOptions(t testing.TB, dir string) *Options {
	return &Options{TB: t, Dir: dir, Timeout: Timeout, Environment: map[string]string{
		"ESL_LISTEN":      "127.0.0.1:0",
		"HTTP_LISTEN":     "127.0.0.1:0",
		"NODES":           nodeAt(SwitchAddress),
		"DOCUMENTS_ALLOW": fmt.Sprintf("[%q, %q]", "file://"+dir+"/", "file:///sounds/"),
		"DIAL_ROUTES":     "[{match: 'tel:(.*)', dial: 'sofia/gateway/carrier/$1'}, {match: 'sip:(.*)', dial: 'sofia/internal/sip:$1'}]",
		"DIALOG_SPOOL":    t.TempDir(),
		// What scripts may take is on the wall, also where the machine is busy.
		"LIMITS_SCRIPT_TIME": "30s",
	}, Switch: switchsim.Options{SpeechRate: 30 * time.Millisecond, LogCommands: true}}
}

// nodeAt is the setting that names the switch at an address as the only node.
func nodeAt(address string) string {
	return fmt.Sprintf("[{name: sim, address: %q, password: ClueCon}]", address)
}
