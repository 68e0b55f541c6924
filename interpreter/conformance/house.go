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

	"ccxmld/conf"
	"ccxmld/daemon"
	"ccxmld/interpreter"
	"ccxmld/script"
)

// House is a ccxmld with its switch and the suite's web server. Its methods are
// safe for concurrent use.
type House struct {
	sw     Switch
	daemon *daemon.Daemon
	web    *web
	stop   func() error
	dir    string // for recordings

	mu    sync.Mutex
	runs  int
	await map[string]chan<- interpreter.Ending // by the URI of the document
	calls map[string]chan<- []Step             // what a page asks its caller to do, by that URI
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
	h := &House{sw: sw, await: make(map[string]chan<- interpreter.Ending), calls: make(map[string]chan<- []Step)}
	if err := h.makeDirectory(); err != nil {
		sw.Close()
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		sw.Close()
		return nil, errors.Join(err, os.RemoveAll(h.dir))
	}
	h.web = newWeb("http://"+listener.Addr().String(), suite, h.ask)
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
	}
	maps.Copy(settings, h.sw.Settings())
	var environ []string
	for name, value := range settings {
		environ = append(environ, "CCXMLD_"+name+"="+value)
	}
	return conf.Load(conf.Source{Environ: environ})
}

// begin gives a document of the suite a URI of its own, what its session ends in,
// and what its caller is asked to do meanwhile. A page is started by a document
// made for it.
func (h *House) begin(t *Test) (uri string, ended <-chan interpreter.Ending, more <-chan []Step) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.runs++
	path := "/" + t.Path
	if t.Page {
		path = pagePath + t.Path
	}
	uri = h.web.url + path + "?run=" + strconv.Itoa(h.runs)
	end := make(chan interpreter.Ending, 1)
	steps := make(chan []Step, mostAsked)
	h.await[uri], h.calls[uri] = end, steps
	return uri, end, steps
}

// mostAsked is how often a page may ask its caller for something ahead.
const mostAsked = 20

// ask asks the caller of the document at a URI to do something.
func (h *House) ask(uri string, steps []Step) (taken bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	select {
	case h.calls[uri] <- steps:
		return true
	default:
		return false
	}
}

func (h *House) forget(uri string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.await, uri)
	delete(h.calls, uri)
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
	if end := w.house.await[uri]; end != nil {
		end <- e
		delete(w.house.await, uri)
	}
}
