package conformance

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"

	"ccxmld/clock"
	"ccxmld/conf"
	"ccxmld/daemon"
	"ccxmld/interpreter"
	"ccxmld/memnet"
	"ccxmld/script"
	"ccxmld/site"
)

// House is a ccxmld with its switch and the suite's web server. Its methods are
// safe for concurrent use.
type House struct {
	sw     Switch
	site   *site.Site // on virtual time; nil with a FreeSWITCH
	clock  clock.Clock
	daemon *daemon.Daemon
	web    *web
	stop   func() error
	dir    string // for recordings

	mu    sync.Mutex
	runs  int
	await map[string]*awaited // by the URI of the document
}

// Switch is the FreeSWITCH that a House works with.
type Switch interface {
	// Settings are the daemon's settings for the switch: the node, and the
	// routes to the parties that the suite's documents call.
	Settings() map[string]string
	// Call makes a call come in to the daemon at address, for the document at
	// uri. The caller takes its steps, then stays on the phone until it is hung
	// up or ctx ends.
	Call(ctx context.Context, address, uri string, caller Caller) error
	// Close ends the switch, or the connection to it, when the daemon has ended.
	Close()
}

// Token is the token that starts the suite's parts/token.ccxml of section
// voxeo.
const Token = "conformance"

// NewHouse builds a house for the documents of a suite. It takes the switch over,
// and closes it also on an error.
func NewHouse(ctx context.Context, suite fs.FS, sw Switch, log *slog.Logger) (*House, error) {
	h := &House{sw: sw, clock: clock.Real(), await: make(map[string]*awaited)}
	if err := h.makeDirectory(); err != nil {
		sw.Close()
		return nil, err
	}
	if s, ok := sw.(*simulated); ok {
		return h, h.onSite(ctx, s.site, suite, log)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		sw.Close()
		return nil, errors.Join(err, os.RemoveAll(h.dir))
	}
	h.web = newWeb("http://"+listener.Addr().String(), suite, h.clock, h.ask)
	server := &http.Server{Handler: h.web, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(listener) }()
	closeAll := func() error { sw.Close(); return errors.Join(server.Close(), os.RemoveAll(h.dir)) }
	config, err := h.configuration()
	if err == nil {
		h.daemon, err = daemon.New(ctx, config, log, watcher{h})
	}
	if err != nil {
		return nil, errors.Join(err, closeAll())
	}
	h.web.daemon = "http://" + h.daemon.HTTPAddress()
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	go func() { ended <- h.daemon.Run(running) }()
	h.stop = func() error {
		cancel()
		return errors.Join(<-ended, closeAll())
	}
	if err := h.daemon.Controller.WaitNodes(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("no link to FreeSWITCH: %w", err), h.stop())
	}
	return h, nil
}

// webAddress is where the suite's web server is on a site's network.
const webAddress = "127.0.0.1:80"

// onSite builds the house on virtual time.
func (h *House) onSite(ctx context.Context, s *site.Site, suite fs.FS, log *slog.Logger) error {
	h.site, h.clock = s, s.Clock
	h.web = newWeb("http://"+webAddress, suite, h.clock, h.ask)
	h.web.transport = &memnet.Transport{Network: s.Network}
	s.Network.Handle(webAddress, h.web)
	h.stop = func() error {
		h.sw.Close()
		return errors.Join(s.Close(), os.RemoveAll(h.dir))
	}
	config, err := h.configuration()
	if err == nil {
		err = s.Start(ctx, config, log, watcher{h}, nil)
	}
	if err != nil {
		return errors.Join(err, h.stop())
	}
	h.daemon = s.Daemon
	h.web.daemon = "http://" + h.daemon.HTTPAddress()
	return nil
}

// makeDirectory makes a directory for recordings, which FreeSWITCH may write to
// as whoever it runs.
func (h *House) makeDirectory() (err error) {
	if h.dir, err = os.MkdirTemp("", "ccxmld-conformance-"); err != nil {
		return err
	}
	return os.Chmod(h.dir, 0o777|os.ModeSticky)
}

// Close ends the house.
func (h *House) Close() error { return h.stop() }

// configuration is a usual one, but that what documents may reach is the web
// server of the suite.
func (h *House) configuration() (*conf.Config, error) {
	settings := map[string]string{
		"ESL_LISTEN":         "127.0.0.1:0",
		"HTTP_LISTEN":        "127.0.0.1:0",
		"HTTP_CREATESESSION": "true",
		"DOCUMENTS_ALLOW":    fmt.Sprintf("[%q]", h.web.url+"/"),
		"TOKENS":             fmt.Sprintf("{%s: {uri: %q}}", Token, h.web.url+"/voxeo/parts/token.ccxml"),
		"DIALOG_RECORDINGS":  h.dir,
		// What scripts may take is on the wall, also where the machine is busy.
		"LIMITS_SCRIPT_TIME": "5s",
	}
	maps.Copy(settings, h.sw.Settings())
	var environ []string
	for name, value := range settings {
		environ = append(environ, "CCXMLD_"+name+"="+value)
	}
	return conf.Load(conf.Source{Environ: environ})
}

// awaited is a test that runs.
type awaited struct {
	over   *clock.Waiter
	ending *interpreter.Ending // nil before; the house's mutex guards it
	more   *More
}

// begin gives a document of the suite a URI of its own, and what its session ends in
// and its caller is asked to do meanwhile. A page is started by a document made for
// it.
func (h *House) begin(t *Test) (uri string, a *awaited) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.runs++
	path := "/" + t.Path
	if t.Page {
		path = pagePath + t.Path
	}
	uri = h.web.url + path + "?run=" + strconv.Itoa(h.runs)
	a = &awaited{over: clock.NewWaiter(h.clock), more: &More{come: clock.NewWaiter(h.clock)}}
	h.await[uri] = a
	return uri, a
}

// mostAsked is how often a page may ask its caller for something ahead.
const mostAsked = 20

// ask asks the caller of the document at a URI to do something.
func (h *House) ask(uri string, steps []Step) (taken bool) {
	h.mu.Lock()
	a := h.await[uri]
	h.mu.Unlock()
	return a != nil && a.more.put(steps)
}

func (h *House) forget(uri string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.await, uri)
}

// ended gives how a test's session ended, nil if it has not.
func (h *House) ended(a *awaited) *interpreter.Ending {
	h.mu.Lock()
	defer h.mu.Unlock()
	return a.ending
}

// watcher hears of the ends of sessions.
type watcher struct{ house *House }

var _ interpreter.Observer = watcher{}

func (watcher) EventHandled(string, *interpreter.Event, *script.Position) {}
func (watcher) Logged(_, _, _ string)                                     {}
func (watcher) StateChanged(_, _ string)                                  {}

// SessionEnded tells whoever waits for the session.
func (w watcher) SessionEnded(_, uri string, e interpreter.Ending) {
	w.house.mu.Lock()
	defer w.house.mu.Unlock()
	if a := w.house.await[uri]; a != nil && a.ending == nil {
		a.ending = &e
		a.over.Wake()
	}
}
