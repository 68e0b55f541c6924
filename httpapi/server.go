package httpapi

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync/atomic"
	"time"

	"ccxmld/access"
	"ccxmld/conf"
	"ccxmld/metrics"
)

// Bounds of one request. The longest answer is a token start that fetches its
// document: writeTimeout has to be longer than any StartTimeout.
const (
	maxHeaderBytes = 16 << 10
	maxBodyBytes   = 64 << 10
	headerTimeout  = 5 * time.Second
	readTimeout    = 10 * time.Second
	idleTimeout    = 60 * time.Second
)

// Options say what a Server serves.
type Options struct {
	// Tokens are the tokens that start sessions.
	Tokens map[string]conf.Token
	// Starter starts the sessions.
	Starter Starter
	// Sessions are those that run; nil where there are none to be reached.
	Sessions Sessions
	// Allow lists the networks, beside this machine, that may reach Sessions and
	// create sessions.
	Allow []netip.Prefix
	// Hosts are the names and addresses, with a port where only that one counts, by
	// which clients ask for the Server, beside this machine's loopback, the address
	// that a connection came in at, and the host of URL.
	Hosts []string
	// URL is http.url: its pages may send events. It may be empty.
	URL string
	// CreateSession says whether they may create sessions.
	CreateSession bool
	// Access tells who asks, where that is asked for; nil asks nobody.
	Access *access.Access
	// Operators serves /v1; nil serves nothing there.
	Operators http.Handler
	// Metrics count token starts, and are served at /metrics; nil serves none.
	Metrics *metrics.Metrics
	// TLS is how connections are secured; nil leaves them open.
	TLS *tls.Config
	// Checks gives what /readyz asks now; nil is nothing.
	Checks func() []Check
	// Logger is told of starts and refusals; nil means nobody. Tokens appear in
	// it as short hashes.
	Logger *slog.Logger
	// Connections bounds those at a time, but for a few that are kept for health checks
	// and token starts, and ConnectionsPerAddress those of one address; 0 means 1024
	// and 256.
	Connections, ConnectionsPerAddress int
	// StartTimeout bounds one token start, the fetching of its document
	// included; 0 means 20 seconds.
	StartTimeout time.Duration
	// Now is the clock of the tokens' rates; nil means time.Now.
	Now func() time.Time
}

// Server answers HTTP requests. It is safe for concurrent use.
type Server struct {
	options     Options
	tokens      *tokens
	hosts       []host
	http        *http.Server
	connections atomic.Pointer[connections] // nil before Serve
	draining    atomic.Bool                 // no new sessions
	stopping    atomic.Bool
	end         context.CancelFunc // of the requests under way
}

// New makes a Server. It does not listen: Serve does.
func New(o Options) *Server {
	o.StartTimeout = cmp.Or(o.StartTimeout, 20*time.Second)
	o.Connections = cmp.Or(o.Connections, 1024)
	o.ConnectionsPerAddress = cmp.Or(o.ConnectionsPerAddress, 256)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Server{options: o, tokens: newTokens(o.Tokens, o.Now), hosts: ownHosts(o)}
	requests, end := context.WithCancel(context.Background())
	s.end = end
	s.http = &http.Server{
		BaseContext:       func(net.Listener) context.Context { return requests },
		Handler:           s.Handler(),
		ErrorLog:          slog.NewLogLogger(o.Logger.Handler(), slog.LevelWarn),
		MaxHeaderBytes:    maxHeaderBytes,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      readTimeout + o.StartTimeout + 5*time.Second,
		IdleTimeout:       idleTimeout,
		ConnContext:       withConnection,
		TLSConfig:         o.TLS,
		// Whose the host is that is asked for counts for OPTIONS * too.
		DisableGeneralOptionsHandler: true,
	}
	return s
}

// Handler is the Server without its listener and timeouts, for tests and for
// serving it elsewhere. A page of another site may start a session by token, which
// it then knows; what asks for no secret is not for it.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/CCXML10.start", urgent(s.unlessDraining(s.start)))
	mux.HandleFunc("/SessionControl/CCXML10.start", urgent(s.unlessDraining(s.start)))
	if s.options.Operators != nil {
		mux.HandleFunc("/v1/", patient(s.unlessForeign(s.options.Operators.ServeHTTP)))
	}
	mux.HandleFunc("/ccxml/basichttp", patient(s.admitted(access.Operate, s.event(http.StatusNoContent))))
	mux.HandleFunc("/ccxml/basichttp/{secret}", patient(s.unlessForeign(s.event(http.StatusNoContent))))
	mux.HandleFunc("/CCXML.send", patient(s.admitted(access.Operate, s.event(http.StatusOK, textSuccess))))
	mux.HandleFunc("/CCXML10.send", patient(s.admitted(access.Operate, s.event(http.StatusOK, textSuccess))))
	mux.HandleFunc("/ccxml/createsession", patient(s.admitted(access.Operate, s.unlessDraining(s.create))))
	mux.HandleFunc("GET /sessions_10", patient(s.admitted(access.Read, s.list)))
	mux.HandleFunc("GET /stats_10", patient(s.admitted(access.Read, s.statistics)))
	if m := s.options.Metrics; m != nil {
		mux.HandleFunc("GET /metrics", patient(s.admitted(access.Read, m.Handler().ServeHTTP)))
	}
	mux.HandleFunc("GET /healthz", urgent(s.unlessForeign(s.health)))
	mux.HandleFunc("GET /readyz", urgent(s.unlessForeign(s.ready)))
	return s.addressed(mux)
}

// Serve accepts connections, as many as Options say, until Shutdown; then it returns
// nil. It closes the listener, and may be called once.
func (s *Server) Serve(l net.Listener) error {
	connections := newConnections(l, s.options)
	s.connections.Store(connections)
	s.http.ConnState = connections.changed
	err := s.serve(connections)
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("http: %w", err)
}

func (s *Server) serve(connections net.Listener) error {
	if s.options.TLS == nil {
		return s.http.Serve(connections)
	}
	return s.http.ServeTLS(connections, "", "")
}

// SetTokens replaces the tokens (Options). Sessions that a token has started go on to
// count for it.
func (s *Server) SetTokens(configured map[string]conf.Token) { s.tokens.set(configured) }

// Drain refuses to start sessions from now on, and says to /readyz that calls are not
// to be sent here. All else goes on.
func (s *Server) Drain() { s.draining.Store(true) }

// Shutdown accepts no more connections and waits for the requests under way. When enough
// ends, those that are still there are told to end, by their contexts; when ctx does, they
// are cut off, which is an error.
func (s *Server) Shutdown(ctx, enough context.Context) error {
	defer s.end()
	s.stopping.Store(true)
	if connections := s.connections.Load(); connections != nil {
		connections.endSilent()
	}
	if s.http.Shutdown(enough) == nil {
		return nil
	}
	s.options.Logger.Warn("requests under way are told to end, since ccxmld does")
	s.end()
	if err := s.http.Shutdown(ctx); err != nil {
		return fmt.Errorf("http: requests cut off at the end: %w", errors.Join(err, s.http.Close()))
	}
	return nil
}

// answer writes a short plain text, its lines ended as Voxeo's router did.
func answer(w http.ResponseWriter, status int, lines ...string) {
	plain(w, status)
	if status == http.StatusNoContent {
		return
	}
	for _, line := range lines {
		// What cannot be written goes to a client that is gone.
		_, _ = w.Write([]byte(line + "\r\n"))
	}
}

// plain begins an answer of plain text.
func plain(w http.ResponseWriter, status int) {
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
}
