package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"ccxmld/clock"
	"ccxmld/clock/clocktest"
	"ccxmld/conf"
	"ccxmld/daemon"
	"ccxmld/esl/switchsim"
	"ccxmld/interpreter"
	"ccxmld/script"
	"ccxmld/sessionstore/redistest"
)

// patience bounds every wait of these tests; it is no part of what they assert.
const patience = 20 * time.Second

// TestMain checks that no goroutine is left. Benchmarks are let off: the eslgo
// that they measure beside ours leaves some.
func TestMain(m *testing.M) {
	if os.Getenv(asProcess) != "" { // this is the daemon of a test
		main()
	}
	code := m.Run()
	if code == 0 && flag.Lookup("test.bench").Value.String() == "" {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// house is a daemon and the simulated switch that it works with.
type house struct {
	testing.TB
	ctx         context.Context
	sw          *switchsim.Switch
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
	dir         string // of documents
	environment map[string]string
	sw          switchsim.Options
	address     string // of the switch's links; "" for any
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

// pace is how many times as fast as ours the switch's time runs. FreeSWITCH
// gives a controller 25 s for its first word; that must not be too short on a
// busy machine.
const pace = 20

// withTime makes the switch's time run at another pace.
func withTime(factor float64) option {
	return func(p *plan) { p.sw.Clock = clock.Scaled(factor) }
}

// withDaemonTime makes the daemon's time run at another pace, too.
func withDaemonTime(factor float64) option {
	return func(p *plan) { p.options = append(p.options, daemon.WithClock(clocktest.Of(clock.Scaled(factor)))) }
}

// newHouse starts a daemon and a switch, and ends both with the test.
func newHouse(t testing.TB, options ...option) *house {
	t.Helper()
	h := &house{TB: t, seen: &recorder{}, log: &recorder{}, dir: t.TempDir()}
	p := &plan{dir: h.dir, patience: patience, environment: make(map[string]string), sw: switchsim.Options{
		Clock: clock.Scaled(pace), SpeechRate: 30 * time.Millisecond, LogCommands: true,
	}}
	for _, o := range options {
		o(p)
	}
	var cancel context.CancelFunc
	h.ctx, cancel = context.WithTimeout(context.Background(), p.patience)
	t.Cleanup(cancel)
	h.sw = switchsim.New(p.sw)
	if err := h.sw.Listen(cmp.Or(p.address, "127.0.0.1:0")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.sw.Close)
	h.sw.AddTTS("flite")
	h.environment = map[string]string{
		"ESL_LISTEN":      "127.0.0.1:0",
		"HTTP_LISTEN":     "127.0.0.1:0",
		"NODES":           fmt.Sprintf("[{name: sim, address: %q, password: ClueCon}]", h.sw.Addr()),
		"DOCUMENTS_ALLOW": fmt.Sprintf("[%q, %q]", "file://"+h.dir+"/", "file:///sounds/"),
		"DIAL_ROUTES":     "[{match: 'tel:(.*)', dial: 'sofia/gateway/carrier/$1'}, {match: 'sip:(.*)', dial: 'sofia/internal/sip:$1'}]",
		"DIALOG_SPOOL":    t.TempDir(),
	}
	maps.Copy(h.environment, p.environment)
	h.options = p.options
	h.start(h.environment)
	if p.environment["NODES"] == "" && p.sw.Password == "" {
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

// another starts a second daemon that works with the same switch.
func (h *house) another(options ...option) *house {
	h.Helper()
	p := &plan{dir: h.dir, environment: maps.Clone(h.environment)}
	for _, o := range options {
		o(p)
	}
	other := &house{TB: h.TB, ctx: h.ctx, sw: h.sw, seen: &recorder{}, log: &recorder{}, dir: h.dir, environment: p.environment}
	other.start(p.environment)
	return other
}

// start starts the daemon. When the test ends, it hangs up whatever calls there
// are, and nothing of them is left.
func (h *house) start(environment map[string]string) {
	h.Helper()
	if h.log == nil {
		h.log = &recorder{}
	}
	var environ []string
	for name, value := range environment {
		environ = append(environ, "CCXMLD_"+name+"="+value)
	}
	config, err := conf.Load(conf.Source{Environ: environ})
	if err != nil {
		h.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(testWriter{h}, &slog.HandlerOptions{Level: slog.LevelDebug}))
	if h.daemon, err = daemon.New(h.ctx, config, log, h.seen, append([]daemon.Option{daemon.WithClock(clocktest.Real())}, h.options...)...); err != nil {
		h.Fatal(err)
	}
	ctx, cancel := context.WithCancel(h.ctx)
	ended := make(chan error, 1)
	go func() { ended <- h.daemon.Run(ctx) }()
	h.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			h.Errorf("daemon: %v", err)
		}
		if sessions, legs := h.daemon.Controller.Sessions(), h.daemon.Controller.Connections(); sessions+legs > 0 {
			h.Errorf("the daemon ended with %d sessions and %d legs", sessions, legs)
		}
	})
	h.Cleanup(h.stop)
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
	response, err := http.DefaultClient.Do(request)
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
	redistest.Eventually(h, what, holds)
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

// recorder keeps what an observer is told, a line each.
type recorder struct {
	mu    sync.Mutex
	lines []string
	news  chan struct{}
	stops map[string]<-chan struct{} // for what sessions wait where they log it
}

var _ interpreter.Observer = (*recorder)(nil)

func (r *recorder) add(line string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines = append(r.lines, line)
	if r.news != nil {
		close(r.news)
		r.news = nil
	}
}

func (r *recorder) EventHandled(_ string, e *interpreter.Event, _ *script.Position) {
	line := "event " + e.Name
	if reason := e.String("reason"); reason != "" {
		line += " (" + reason + ")"
	}
	r.add(line)
}

func (r *recorder) Logged(_, label, text string) {
	line := strings.TrimSpace("log " + label + text)
	r.mu.Lock()
	stop := r.stops[line]
	r.mu.Unlock()
	r.add(line)
	if stop != nil {
		<-stop
	}
}

// stop lets the session that logs a text wait there until it is told to go on.
func (r *recorder) stop(text string) (goOn func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stops == nil {
		r.stops = make(map[string]<-chan struct{})
	}
	stop := make(chan struct{})
	r.stops["log "+text] = stop
	return sync.OnceFunc(func() { close(stop) })
}

func (r *recorder) StateChanged(_, state string) { r.add("state " + state) }

func (r *recorder) SessionEnded(string, string, interpreter.Ending) {}

// forget begins a new record.
func (r *recorder) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines = nil
}

func (r *recorder) all() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.lines...)
}

// wait waits for a line that begins like this.
func (r *recorder) wait(ctx context.Context, line string) error {
	return r.await(ctx, line, strings.HasPrefix)
}

// waitFor waits for a line that contains a text.
func (r *recorder) waitFor(ctx context.Context, text string) error {
	return r.await(ctx, text, strings.Contains)
}

func (r *recorder) await(ctx context.Context, text string, matches func(line, text string) bool) error {
	for {
		r.mu.Lock()
		if slices.ContainsFunc(r.lines, func(line string) bool { return matches(line, text) }) {
			r.mu.Unlock()
			return nil
		}
		if r.news == nil {
			r.news = make(chan struct{})
		}
		news := r.news
		r.mu.Unlock()
		select {
		case <-news:
		case <-ctx.Done():
			return fmt.Errorf("never seen: %s", text)
		}
	}
}

// has tells whether there was a line that contains a text.
func (r *recorder) has(text string) bool {
	return slices.ContainsFunc(r.all(), func(line string) bool { return strings.Contains(line, text) })
}

// testWriter writes a log to the test's, and keeps it.
type testWriter struct{ *house }

func (w testWriter) Write(line []byte) (int, error) {
	text := strings.TrimSpace(string(line))
	w.Logf("%s", text)
	w.log.add(text)
	return len(line), nil
}
