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

// Site is a ccxmld with its switch and the suite's web server. Its methods are
// safe for concurrent use.
type Site struct {
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

// Switch is the FreeSWITCH that a Site works with.
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

// NewSite starts a site for the documents of a suite. It takes the switch over,
// and closes it also on an error.
func NewSite(ctx context.Context, suite fs.FS, sw Switch, log *slog.Logger) (*Site, error) {
	s := &Site{sw: sw, clock: clock.Real(), await: make(map[string]*awaited)}
	if err := s.makeDirectory(); err != nil {
		sw.Close()
		return nil, err
	}
	if simulated, ok := sw.(*simulated); ok {
		return s, s.onSite(ctx, simulated.site, suite, log)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		sw.Close()
		return nil, errors.Join(err, os.RemoveAll(s.dir))
	}
	s.web = newWeb("http://"+listener.Addr().String(), suite, s.clock, s.ask)
	server := &http.Server{Handler: s.web, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(listener) }()
	closeAll := func() error { sw.Close(); return errors.Join(server.Close(), os.RemoveAll(s.dir)) }
	config, err := s.configuration()
	if err == nil {
		s.daemon, err = daemon.New(ctx, config, log, watcher{s})
	}
	if err != nil {
		return nil, errors.Join(err, closeAll())
	}
	s.web.daemon = "http://" + s.daemon.HTTPAddress()
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	go func() { ended <- s.daemon.Run(running) }()
	s.stop = func() error {
		cancel()
		return errors.Join(<-ended, closeAll())
	}
	if err := s.daemon.Controller.WaitNodes(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("no link to FreeSWITCH: %w", err), s.stop())
	}
	return s, nil
}

// webAddress is where the suite's web server is on a site's network.
const webAddress = "127.0.0.1:80"

// onSite starts the site on virtual time.
func (s *Site) onSite(ctx context.Context, on *site.Site, suite fs.FS, log *slog.Logger) error {
	s.site, s.clock = on, on.Clock
	s.web = newWeb("http://"+webAddress, suite, s.clock, s.ask)
	s.web.transport = &memnet.Transport{Network: on.Network}
	on.Network.Handle(webAddress, s.web)
	s.stop = func() error {
		s.sw.Close()
		return errors.Join(on.Close(), os.RemoveAll(s.dir))
	}
	config, err := s.configuration()
	if err == nil {
		err = on.Start(ctx, config, log, watcher{s}, nil)
	}
	if err != nil {
		return errors.Join(err, s.stop())
	}
	s.daemon = on.Daemon
	s.web.daemon = "http://" + s.daemon.HTTPAddress()
	return nil
}

// makeDirectory makes a directory for recordings, which FreeSWITCH may write to
// as whoever it runs.
func (s *Site) makeDirectory() (err error) {
	if s.dir, err = os.MkdirTemp("", "ccxmld-conformance-"); err != nil {
		return err
	}
	return os.Chmod(s.dir, 0o777|os.ModeSticky)
}

// Close ends the site.
func (s *Site) Close() error { return s.stop() }

// configuration is a usual one, but that what documents may reach is the web
// server of the suite.
func (s *Site) configuration() (*conf.Config, error) {
	settings := map[string]string{
		"ESL_LISTEN":         "127.0.0.1:0",
		"HTTP_LISTEN":        "127.0.0.1:0",
		"HTTP_CREATESESSION": "true",
		"DOCUMENTS_ALLOW":    fmt.Sprintf("[%q]", s.web.url+"/"),
		"TOKENS":             fmt.Sprintf("{%s: {uri: %q}}", Token, s.web.url+"/voxeo/parts/token.ccxml"),
		"DIALOG_RECORDINGS":  s.dir,
		// What scripts may take is on the wall, also where the machine is busy.
		"LIMITS_SCRIPT_TIME": "5s",
	}
	maps.Copy(settings, s.sw.Settings())
	var environ []string
	for name, value := range settings {
		environ = append(environ, "CCXMLD_"+name+"="+value)
	}
	return conf.Load(conf.Source{Environ: environ})
}

// awaited is a test that runs.
type awaited struct {
	over   *clock.Waiter
	ending *interpreter.Ending // nil before; the site's mutex guards it
	more   *More
}

// begin gives a document of the suite a URI of its own, and what its session ends in
// and its caller is asked to do meanwhile. A page is started by a document made for
// it.
func (s *Site) begin(t *Test) (uri string, a *awaited) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runs++
	path := "/" + t.Path
	if t.Page {
		path = pagePath + t.Path
	}
	uri = s.web.url + path + "?run=" + strconv.Itoa(s.runs)
	a = &awaited{over: clock.NewWaiter(s.clock), more: &More{come: clock.NewWaiter(s.clock)}}
	s.await[uri] = a
	return uri, a
}

// mostAsked is how often a page may ask its caller for something ahead.
const mostAsked = 20

// ask asks the caller of the document at a URI to do something.
func (s *Site) ask(uri string, steps []Step) (taken bool) {
	s.mu.Lock()
	a := s.await[uri]
	s.mu.Unlock()
	return a != nil && a.more.put(steps)
}

func (s *Site) forget(uri string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.await, uri)
}

// ended gives how a test's session ended, nil if it has not.
func (s *Site) ended(a *awaited) *interpreter.Ending {
	s.mu.Lock()
	defer s.mu.Unlock()
	return a.ending
}

// watcher hears of the ends of sessions.
type watcher struct{ site *Site }

var _ interpreter.Observer = watcher{}

func (watcher) EventHandled(string, *interpreter.Event, *script.Position) {}
func (watcher) Logged(_, _, _ string)                                     {}
func (watcher) StateChanged(_, _ string)                                  {}

// SessionEnded tells whoever waits for the session.
func (w watcher) SessionEnded(_, uri string, e interpreter.Ending) {
	w.site.mu.Lock()
	defer w.site.mu.Unlock()
	if a := w.site.await[uri]; a != nil && a.ending == nil {
		a.ending = &e
		a.over.Wake()
	}
}
