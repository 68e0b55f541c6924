package sitetest

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"ccxmld/clock"
	"ccxmld/clock/clocktest"
	"ccxmld/conf"
	"ccxmld/daemon"
	"ccxmld/fsm"
	"ccxmld/memnet"
	"ccxmld/sessionstore"
	"ccxmld/site"
	"ccxmld/switchsim"
)

// Site is a daemon and the simulated switch that it works with. It is a testing.TB
// whose context ends with the site's timeout. A Site is for the goroutine of the test.
type Site struct {
	testing.TB
	Clock       clock.Clock
	Network     *memnet.Network // nil on real time
	Switch      *switchsim.Switch
	Redis       *sessionstore.Embedded // that all daemons of the site share; nil on real time
	Daemon      *daemon.Daemon
	Trace       *Recorder         // what sessions do: "event NAME (REASON)", "log TEXT", "state NAME"
	DaemonLog   *Recorder         // the lines of the daemon's log
	Dir         string            // of documents, for file: URIs
	Environment map[string]string // the daemon's settings, by environment names without their prefix

	site      *site.Site // nil on real time
	ctx       context.Context
	options   []daemon.Option
	configure func(*conf.Config)
	stop      func()
	running   *site.Running // nil on real time
	panics    *Recorder     // lines of the daemon's log that say that something has panicked
}

// New starts a daemon and a switch, and ends both with the test. It waits for the
// daemon's link, unless an option changed the nodes or the switch's password.
func New(t testing.TB, options ...Option) *Site {
	t.Helper()
	s := &Site{TB: t, site: site.Empty(), Dir: t.TempDir()}
	s.site.Around = clocktest.Of
	s.Clock, s.Network = s.site.Clock, s.site.Network
	s.site.Clock.OnStall(func(report string) { fmt.Fprintf(os.Stderr, "%s: %s\n", t.Name(), report) })
	t.Cleanup(func() { s.Must(s.site.Close()) })
	s.Trace, s.DaemonLog = NewRecorder(s.Clock), NewRecorder(s.Clock)
	o := newOptions(t, s.Dir)
	o.site, o.Clock, o.Network = s.site, s.Clock, s.Network
	nodes := o.Environment["NODES"]
	for _, option := range options {
		option(o)
	}
	var cancel context.CancelFunc
	s.ctx, cancel = clock.WithTimeout(context.Background(), s.Clock, o.Timeout)
	t.Cleanup(cancel)
	s.Switch = s.AddSwitch(o.Switch)
	s.Must(s.Switch.Listen(SwitchAddress))
	s.Switch.AddTTS("flite")
	var err error
	s.Redis, err = sessionstore.StartEmbedded("127.0.0.1:0", s.Clock)
	s.Must(err)
	t.Cleanup(s.Redis.Close)
	s.Environment, s.options, s.configure = o.Environment, o.Daemon, o.Configure
	s.start()
	if o.Environment["NODES"] == nodes && o.Switch.Password == "" {
		s.WaitLinks()
	}
	return s
}

// Context ends with the site's timeout, by its clock.
func (s *Site) Context() context.Context { return s.ctx }

// In is the site for a subtest.
func (s *Site) In(t testing.TB) *Site {
	sub := *s
	sub.TB = t
	return &sub
}

// AddDaemon starts a further daemon, which works with the same switch and Redis and has
// the settings of the first, but for the options.
func (s *Site) AddDaemon(options ...Option) *Site {
	s.Helper()
	o := &Options{TB: s.TB, site: s.site, Clock: s.Clock, Network: s.Network, Dir: s.Dir, Environment: maps.Clone(s.Environment)}
	for _, option := range options {
		option(o)
	}
	other := *s
	other.Trace, other.DaemonLog, other.Environment = NewRecorder(s.Clock), NewRecorder(s.Clock), o.Environment
	other.start()
	return &other
}

// AddSwitch makes a further switch, which does not listen yet.
func (s *Site) AddSwitch(options switchsim.Options) *switchsim.Switch {
	return s.site.AddSwitch(options)
}

// Config reads the daemon's settings, and those that are given beside them.
func (s *Site) Config(more ...string) *conf.Config {
	s.Helper()
	var environ []string
	for name, value := range s.Environment {
		environ = append(environ, "CCXMLD_"+name+"="+value)
	}
	config, err := conf.Load(conf.Source{Environ: append(environ, more...)})
	s.Must(err)
	return config
}

// start starts the daemon, which ends with the test.
func (s *Site) start() {
	s.Helper()
	s.panics = NewRecorder(s.Clock)
	config := s.Config()
	if s.configure != nil {
		s.configure(config)
	}
	log := slog.New(slog.NewTextHandler(logWriter{s}, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: s.inTime}))
	var end func() error
	if s.site != nil {
		options := append([]daemon.Option{daemon.WithRedis(s.Redis)}, s.options...)
		running, err := s.site.AddDaemon(s.ctx, config, log, s.Trace, nil, options...)
		s.Must(err)
		s.running, s.Daemon, end = running, running.Daemon, running.Stop
	} else {
		end = s.runReal(config, log)
	}
	s.stop = sync.OnceFunc(func() {
		if err := end(); err != nil {
			s.Errorf("daemon: %v", err)
		}
		if sessions, legs := s.Daemon.Controller.Sessions(), s.Daemon.Controller.Connections(); sessions+legs > 0 && !(s.running != nil && s.running.Killed) {
			s.Errorf("the daemon ended with %d sessions and %d legs", sessions, legs)
		}
		if i := slices.IndexFunc(s.DaemonLog.Lines(), func(line string) bool { return strings.Contains(line, fsm.NotInTable) }); i >= 0 {
			s.Errorf("a state machine is not complete: %s", s.DaemonLog.Lines()[i])
		}
		for _, line := range s.panics.Lines() {
			s.Errorf("something has panicked, which the daemon survives and no test passes by: %s", line)
		}
	})
	s.Cleanup(s.stop)
}

// Stop ends the daemon, which hangs up its calls, and fails the test if something of
// them is left. It is done at the end of the test otherwise.
func (s *Site) Stop() { s.stop() }

// Kill lets the daemon do nothing more to anybody, as if its process had been killed.
func (s *Site) Kill() { s.running.Kill() }

// Tap has f see what the daemon writes to FreeSWITCH and others, from now on.
func (s *Site) Tap(f func(data []byte)) { s.running.Tap(f) }

// Pause keeps the daemon from doing anything, as SIGSTOP does a process, until Resume.
func (s *Site) Pause() { s.running.Pause() }

// Resume lets a paused daemon go on.
func (s *Site) Resume() { s.running.Resume() }

// ResumeInReverse is Resume where what was due last happens first.
func (s *Site) ResumeInReverse() { s.running.ResumeInReverse() }

// inTime gives a line of the log the site's time.
func (s *Site) inTime(groups []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey && len(groups) == 0 {
		a.Value = slog.TimeValue(s.Clock.Now())
	}
	return a
}

// Must ends the test on an error.
func (s *Site) Must(err error) {
	s.Helper()
	if err != nil {
		s.Fatalf("%v; so far:\n%s", err, strings.Join(s.Trace.Lines(), "\n"))
	}
}

// logWriter writes a daemon's log to the test's, and records it.
type logWriter struct{ *Site }

func (w logWriter) Write(line []byte) (int, error) {
	text := strings.TrimSpace(string(line))
	w.Logf("%s", text)
	w.DaemonLog.Add(text)
	if strings.Contains(text, "panic=") {
		w.panics.Add(text)
	}
	return len(line), nil
}
