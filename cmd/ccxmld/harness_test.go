package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"ccxmld/clock"
	"ccxmld/clock/clocktest"
	"ccxmld/conf"
	"ccxmld/daemon"
	"ccxmld/memnet"
	"ccxmld/sessionstore"
	"ccxmld/site"
	"ccxmld/switchsim"
)

// patience bounds every wait of these tests, in virtual time; it is no part of what they
// assert.
const patience = 10 * time.Minute

// house is a daemon, the simulated switch that it works with and the network between
// them, on virtual time: nothing in it depends on how fast the machine is. The test's
// goroutine is at work there (see [clock.Virtual]): it waits by the house, or by the
// house's clock.
type house struct {
	testing.TB
	ctx         context.Context
	clock       clock.Clock
	site        *site.Site // nil on real time, as in the tests with a FreeSWITCH
	sw          *switchsim.Switch
	redis       *sessionstore.Embedded // that its daemons share; nil on real time
	daemon      *daemon.Daemon
	seen        *recorder         // what sessions do
	log         *recorder         // what the daemon logs
	dir         string            // of documents, file:
	environment map[string]string // the daemon's configuration
	options     []daemon.Option
	stop        func() // ends the daemon
}

// plan is what a house is built from.
type plan struct {
	testing.TB
	site        *site.Site // empty as yet; nil on real time
	dir         string     // of documents
	environment map[string]string
	sw          switchsim.Options
	patience    time.Duration
	options     []daemon.Option
}

// option changes the plan of a house.
type option func(*plan)

// with sets a setting by its environment name, without the prefix.
func with(name, value string) option {
	return func(p *plan) { p.environment[name] = value }
}

// withPatience is for a test that takes longer than others.
func withPatience(d time.Duration) option { return func(p *plan) { p.patience = d } }

// withToken lets the token "s3cret" start a document of the house's directory.
func withToken(document string) option {
	return func(p *plan) {
		p.environment["TOKENS"] = fmt.Sprintf("{s3cret: {uri: 'file://%s/%s'}}", p.dir, document)
	}
}

// switchAddress is where the links to a house's switch go.
const switchAddress = "127.0.0.1:8021"

func newPlan(t testing.TB, s *site.Site, dir string) *plan {
	return &plan{TB: t, site: s, dir: dir, patience: patience, environment: map[string]string{
		"ESL_LISTEN":      "127.0.0.1:0",
		"HTTP_LISTEN":     "127.0.0.1:0",
		"NODES":           fmt.Sprintf("[{name: sim, address: %q, password: ClueCon}]", switchAddress),
		"DOCUMENTS_ALLOW": fmt.Sprintf("[%q, %q]", "file://"+dir+"/", "file:///sounds/"),
		"DIAL_ROUTES":     "[{match: 'tel:(.*)', dial: 'sofia/gateway/carrier/$1'}, {match: 'sip:(.*)', dial: 'sofia/internal/sip:$1'}]",
		"DIALOG_SPOOL":    t.TempDir(),
		// What scripts may take is on the wall, also where the machine is busy.
		"LIMITS_SCRIPT_TIME": "30s",
	}, sw: switchsim.Options{SpeechRate: 30 * time.Millisecond, LogCommands: true}}
}

// newHouse starts a daemon and a switch, and ends both with the test.
func newHouse(t testing.TB, options ...option) *house {
	t.Helper()
	h := &house{TB: t, site: site.Empty(), dir: t.TempDir()}
	h.clock = h.site.Clock
	h.site.Clock.OnStall(func(report string) { fmt.Fprintf(os.Stderr, "%s: %s\n", t.Name(), report) })
	t.Cleanup(func() { h.must(h.site.Close()) })
	h.seen, h.log = newRecorder(h.clock), newRecorder(h.clock)
	p := newPlan(t, h.site, h.dir)
	nodes := p.environment["NODES"]
	for _, o := range options {
		o(p)
	}
	var cancel context.CancelFunc
	h.ctx, cancel = clock.WithTimeout(context.Background(), h.clock, p.patience)
	t.Cleanup(cancel)
	h.sw = h.site.AddSwitch(p.sw)
	h.must(h.sw.Listen(switchAddress))
	h.sw.AddTTS("flite")
	var err error
	h.redis, err = sessionstore.StartEmbedded("127.0.0.1:0", h.clock)
	h.must(err)
	t.Cleanup(h.redis.Close)
	h.environment, h.options = p.environment, p.options
	h.start()
	if p.environment["NODES"] == nodes && p.sw.Password == "" {
		h.up()
	}
	return h
}

// up waits until the daemon has a link to its node.
func (h *house) up() {
	h.Helper()
	h.must(h.daemon.Controller.WaitNodes(h.ctx))
}

// in gives the house to a subtest.
func (h *house) in(t testing.TB) *house {
	sub := *h
	sub.TB = t
	return &sub
}

// another starts a second daemon that works with the same switch and Redis.
func (h *house) another(options ...option) *house {
	h.Helper()
	p := &plan{TB: h.TB, site: h.site, dir: h.dir, environment: maps.Clone(h.environment)}
	for _, o := range options {
		o(p)
	}
	other := *h
	other.seen, other.log, other.environment = newRecorder(h.clock), newRecorder(h.clock), p.environment
	other.start()
	return &other
}

// start starts the daemon. When the test ends, it hangs up whatever calls there
// are, and nothing of them is left.
func (h *house) start() {
	h.Helper()
	var environ []string
	for name, value := range h.environment {
		environ = append(environ, "CCXMLD_"+name+"="+value)
	}
	config, err := conf.Load(conf.Source{Environ: environ})
	if err != nil {
		h.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(testWriter{h}, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: h.inTime}))
	var end func() error
	if h.site != nil {
		options := append([]daemon.Option{daemon.WithClock(clocktest.Of(h.clock)), daemon.WithRedis(h.redis)}, h.options...)
		running, err := h.site.AddDaemon(h.ctx, config, log, h.seen, nil, options...)
		if err != nil {
			h.Fatal(err)
		}
		h.daemon, end = running.Daemon, running.Stop
	} else {
		end = h.runReal(config, log)
	}
	h.stop = sync.OnceFunc(func() {
		if err := end(); err != nil {
			h.Errorf("daemon: %v", err)
		}
		if sessions, legs := h.daemon.Controller.Sessions(), h.daemon.Controller.Connections(); sessions+legs > 0 {
			h.Errorf("the daemon ended with %d sessions and %d legs", sessions, legs)
		}
	})
	h.Cleanup(h.stop)
}

// inTime gives a line of the log the house's time.
func (h *house) inTime(groups []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey && len(groups) == 0 {
		a.Value = slog.TimeValue(h.clock.Now())
	}
	return a
}

// document writes a document and gives its URI.
func (h *house) document(name, text string) string {
	h.Helper()
	path := filepath.Join(h.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		h.Fatal(err)
	}
	return "file://" + path
}

// transitions makes a document of what stands in its eventprocessor.
func (h *house) transitions(name, text string) string {
	h.Helper()
	return h.document(name, `<ccxml version="1.0" xmlns="http://www.w3.org/2002/09/ccxml"><eventprocessor>`+text+`</eventprocessor></ccxml>`)
}

// dial makes a call come in, for a document.
func (h *house) dial(document string) *switchsim.Party {
	h.Helper()
	caller, err := h.sw.Dial(switchsim.Call{
		Sockets: []string{h.daemon.ESLAddress()}, Variables: map[string]string{"ccxml_uri": document},
	})
	if err != nil {
		h.Fatal(err)
	}
	return caller
}

// get asks the daemon by HTTP.
func (h *house) get(path string) (status int, body string) {
	h.Helper()
	return h.ask(http.MethodGet, path)
}

// ask makes an HTTP request to the daemon.
func (h *house) ask(method, path string) (status int, body string) {
	h.Helper()
	request, err := http.NewRequestWithContext(h.ctx, method, "http://"+h.daemon.HTTPAddress()+path, nil)
	if err != nil {
		h.Fatal(err)
	}
	request.Close = true
	response, err := h.client().Do(request)
	if err != nil {
		h.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		h.Fatal(err)
	}
	return response.StatusCode, string(text)
}

// client makes HTTP requests on the house's network.
func (h *house) client() *http.Client {
	if h.site == nil {
		return http.DefaultClient
	}
	return &http.Client{Transport: &memnet.Transport{Network: h.site.Network}}
}

// serve lets a handler answer at http://NAME on the house's network. It may wait by the
// house's clock.
func (h *house) serve(name string, f http.HandlerFunc) { h.site.Network.Handle(name+":80", f) }

// must ends the test on an error.
func (h *house) must(err error) {
	h.Helper()
	if err != nil {
		h.Fatalf("%v; so far:\n%s", err, strings.Join(h.seen.all(), "\n"))
	}
}

// until waits for what nobody tells of.
func (h *house) until(what string, holds func() bool) {
	h.Helper()
	for !holds() {
		if !clock.Sleep(h.ctx, h.clock, 2*time.Millisecond) {
			h.Fatalf("never true: %s; so far:\n%s", what, strings.Join(h.seen.all(), "\n"))
		}
	}
}

// idle waits until no session runs and all calls have ended.
func (h *house) idle() {
	h.Helper()
	h.must(h.daemon.Controller.WaitIdle(h.ctx))
	h.until("all calls have ended", func() bool { return h.daemon.Controller.Connections() == 0 })
}

// logged waits until a document logs a text.
func (h *house) logged(text string) {
	h.Helper()
	h.must(h.seen.wait(h.ctx, "log "+text))
}

// testWriter writes a log to the test's, and keeps it.
type testWriter struct{ *house }

func (w testWriter) Write(line []byte) (int, error) {
	text := strings.TrimSpace(string(line))
	w.Logf("%s", text)
	w.log.add(text)
	return len(line), nil
}
