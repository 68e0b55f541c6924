package sessionstore

import (
	"compress/flate"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"ccxmld/clock"
	"ccxmld/logs"
)

// Options say how to reach Redis and how long things last. The zero value
// starts an embedded Redis on a free port of loopback.
type Options struct {
	// Answered is told how long Redis took for a command or a pipeline, and whether it
	// failed; nil is not.
	Answered func(took time.Duration, failed bool)
	// URL of the Redis; empty starts an embedded one. See docs/redis.md for
	// its forms (single server, Sentinel, Cluster).
	URL string
	// Embedded is a Redis in this process that the store shares with others, in
	// place of one of its own. It is reached without the network, and not closed by
	// the store.
	Embedded *Embedded
	// EmbeddedAddress is where the embedded Redis listens; 127.0.0.1:0 if empty.
	EmbeddedAddress string
	// CA is a file with certificates (PEM) that vouch for Redis where URL asks for TLS;
	// those of the system if empty.
	CA string
	// Prefix of all keys; "ccxml:" if empty.
	Prefix string
	// Logger; nil discards.
	Logger *slog.Logger
	// Lease is how long a controller counts as alive after its last renewal;
	// 15 s if zero. It is renewed every third of it. The records of its
	// sessions live forty times as long, so that a survivor, or the same one started
	// again, can read them.
	Lease time.Duration
	// WriteEvery is how often changed sessions are written; 100 ms if zero.
	WriteEvery time.Duration
	// MaxSessions bounds the sessions the store keeps track of; 200,000 if
	// zero. Beyond it sessions go unrecorded, which is logged once and counted.
	MaxSessions int
	// MaxState bounds the state of a session, in bytes before it is compressed; 4 MiB if
	// zero. A session with a longer one cannot be claimed with its state, which is logged
	// once for each and counted.
	MaxState int
	// StateVersion is that of the states that are saved, and the newest that can be read: a
	// session with a newer one is not claimed.
	StateVersion int
	// MaxMail bounds the mail waiting for one controller; 10,000 if zero.
	MaxMail int

	// Lost is called when another controller turns out to have claimed a session: nothing of
	// it is written any more. It is called once for each, by whatever found out, and must not
	// wait. The store knows of the session until EndSession; nil is not told.
	Lost func(id string)
	// Replaced is called when another process turns out to run as this controller, of which
	// Register has told nothing. It must not wait; nil is not told.
	Replaced func(error)
	// Instance tells this process from others of the same controller id; a random one if
	// empty.
	Instance string

	// InMemory has the store reach the embedded Redis of its own without the network;
	// it can be looked at by the network all the same.
	InMemory bool
	// Clock is where leases have their time from; nil means the one on the wall.
	Clock clock.Clock
}

// sessionLeases is how many leases of a controller its records outlive it.
const sessionLeases = 40

// ErrClosed is returned by what is asked of a closed store.
var ErrClosed = errors.New("session store is closed")

// Store is a connection to Redis and the record of this controller's sessions.
// Its methods may be called from any goroutine.
type Store struct {
	client       redis.UniversalClient
	clientOf     redis.UniversalOptions // for the connections that Receive blocks on
	prefix       string
	log          *slog.Logger
	lease        time.Duration
	every        time.Duration // see Options.WriteEvery
	atOnce       int           // sessions that one script writes
	maxMail      int
	maxState     int
	stateVersion int
	onAnswer     func(took time.Duration, failed bool) // may be nil, as the next two
	onLost       func(id string)
	onReplaced   func(error)
	process      string // see Options.Instance
	clock        clock.Clock
	embedded     *Embedded // nil with a Redis that is not in this process
	own          bool      // the embedded one ends with the store
	inMemory     bool      // it is reached without the network

	health        health
	away          logs.Trouble // Redis is
	newer         logs.Trouble // states are, than this process reads
	greeted       atomic.Bool  // Redis has answered
	opened        atomic.Bool
	writing       chan struct{}   // holds one token: who has it writes
	closing       context.Context // ends when Close begins
	beginClosing  context.CancelFunc
	replaced      context.Context // ends when another process is the controller
	beginReplaced context.CancelFunc
	close         sync.Once
	closeErr      error
	stopWriting   func()

	sessions sessionTable
	states   packers
	texts    packers

	mu          sync.Mutex
	controller  *Controller // as registered, nil before
	registering bool        // Register is under way
	admission   admission
}

// Open connects to Redis, or starts an embedded one, and begins to
// write, until [Store.Close]. It fails on options that can never work. A
// Redis that cannot be reached is no failure: calls must go on without it, so
// the store says so in the log, keeps trying, and [Store.Healthy] is false
// until it answers.
func Open(ctx context.Context, o Options) (*Store, error) {
	setDefaults(&o)
	if !validPrefix(o.Prefix) {
		return nil, fmt.Errorf("redis prefix %q: want at most %d bytes without spaces, braces, brackets, * and ?", o.Prefix, maxID)
	}
	s := &Store{
		prefix: o.Prefix, log: o.Logger, lease: o.Lease, every: o.WriteEvery, maxMail: o.MaxMail, maxState: o.MaxState, stateVersion: o.StateVersion,
		onAnswer: o.Answered, onLost: o.Lost, onReplaced: o.Replaced, process: o.Instance, states: packers{level: flate.BestSpeed}, texts: packers{level: flate.DefaultCompression},
		clock: o.Clock, away: logs.Trouble{Now: o.Clock.Now}, newer: logs.Trouble{Now: o.Clock.Now},
		writing: make(chan struct{}, 1),
	}
	s.closing, s.beginClosing = context.WithCancel(context.Background())
	s.replaced, s.beginReplaced = context.WithCancel(context.Background())
	s.sessions.init(o.MaxSessions)
	if err := s.connect(o); err != nil {
		return nil, err
	}
	s.client.AddHook(watcher{s})
	s.greet(ctx)
	s.opened.Store(true)
	s.start(o.WriteEvery)
	return s, nil
}

func setDefaults(o *Options) {
	if o.EmbeddedAddress == "" {
		o.EmbeddedAddress = "127.0.0.1:0"
	}
	if o.Prefix == "" {
		o.Prefix = "ccxml:"
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Lease <= 0 {
		o.Lease = 15 * time.Second
	}
	if o.WriteEvery <= 0 {
		o.WriteEvery = 100 * time.Millisecond
	}
	if o.MaxSessions <= 0 {
		o.MaxSessions = 200_000
	}
	if o.MaxState <= 0 {
		o.MaxState = 4 << 20
	}
	if o.Instance == "" {
		o.Instance = newInstance()
	}
	if o.MaxMail <= 0 {
		o.MaxMail = 10_000
	}
	o.Clock = clock.Or(o.Clock)
}

func (s *Store) connect(o Options) error {
	address := o.URL
	if s.embedded = o.Embedded; s.embedded == nil && address == "" {
		e, err := StartEmbedded(o.EmbeddedAddress, s.clock)
		if err != nil {
			return err
		}
		s.embedded, s.own = e, true
	}
	if s.embedded != nil {
		address = s.embedded.URL()
		s.inMemory = !s.own || o.InMemory
	}
	options, err := clientOptions(address, o.CA)
	if err != nil {
		return err
	}
	if s.embedded != nil {
		// It is away only together with this process: slow is all that it can be.
		options.ReadTimeout, options.WriteTimeout, options.PoolTimeout = embeddedTimeout, embeddedTimeout, embeddedTimeout
	}
	if s.inMemory {
		options.Dialer = s.embedded.dial
	}
	s.clientOf = *options
	s.client, s.atOnce = newClient(options), togetherAtOnce
	if _, slots := s.client.(*redis.ClusterClient); slots {
		s.atOnce = 1 // what a script touches is in one of them
	}
	if s.own {
		s.log.Warn("no redis configured: an embedded one keeps the state, which lasts no longer than this process",
			"address", s.embedded.server.Addr(), "look", "REDISCLI_AUTH="+s.embedded.password+" redis-cli -p "+s.embedded.server.Port())
	}
	return nil
}

// greet probes Redis once, so that Healthy tells the truth from the start.
func (s *Store) greet(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	if err := s.Probe(ctx); err != nil {
		s.log.Error("redis cannot be written to: running calls are not affected, new shared conferences are refused; still trying", "error", err,
			"do", "is redis-server running, and does redis.url lead there? ccxmld doctor says more")
	}
}

func (s *Store) start(writeEvery time.Duration) {
	ctx, cancel := context.WithCancel(context.Background())
	r := renewals{unwritten: logs.Trouble{Now: s.clock.Now}}
	stop := clock.Every(s.clock, writeEvery, func() { s.tick(ctx, &r) })
	s.stopWriting = func() {
		cancel() // what is under way
		stop()
	}
}

// Close writes what is not yet written, gives up the controller's lease so that
// others see at once that it is gone, and ends the store's goroutines. Records
// of sessions that still live stay for a survivor until their lease ends. Close
// takes at most a few seconds when Redis is away. Further calls do nothing.
func (s *Store) Close() error {
	s.close.Do(func() {
		s.beginClosing()
		s.stopWriting()
		ctx, cancel := context.WithTimeout(context.Background(), ioTimeout)
		defer cancel()
		if s.Healthy() {
			s.closeErr = errors.Join(s.flush(ctx), s.resign(ctx))
		}
		s.closeErr = errors.Join(s.closeErr, s.client.Close())
		if s.own {
			s.embedded.Close()
		}
	})
	return s.closeErr
}

// Client returns the connection to Redis, for packages that keep their own keys
// there. It stays the store's: do not close it.
func (s *Store) Client() redis.UniversalClient { return s.client }

// Prefix returns what every key begins with.
func (s *Store) Prefix() string { return s.prefix }

// Lease returns how long a controller counts as alive after a renewal.
func (s *Store) Lease() time.Duration { return s.lease }

// WriteEvery returns how often changed sessions are written.
func (s *Store) WriteEvery() time.Duration { return s.every }

// Now returns the time of the store's clock.
func (s *Store) Now() time.Time { return s.clock.Now() }

// Clock returns the store's clock.
func (s *Store) Clock() clock.Clock { return s.clock }

// EmbeddedURL returns the URL of the embedded Redis with its password, "" if there is
// none.
func (s *Store) EmbeddedURL() string {
	if s.embedded == nil {
		return ""
	}
	return s.embedded.URL()
}

// Healthy reports whether Redis took what was written the last time it was asked,
// at most a second ago. It costs nothing: use it to refuse at once what would only run into a timeout.
func (s *Store) Healthy() bool { return s.health.ok.Load() }
