// Package daemon connects the parts of ccxmld: the Event Socket server and
// links, call control, dialogs, conferences, the store in Redis and the HTTP
// side, as a configuration says.
package daemon

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	systemd "github.com/coreos/go-systemd/v22/daemon"

	"ccxmld/access"
	"ccxmld/api"
	"ccxmld/callcontrol"
	"ccxmld/clock"
	"ccxmld/conf"
	"ccxmld/conference"
	"ccxmld/dialog"
	"ccxmld/esl"
	"ccxmld/fetch"
	"ccxmld/httpapi"
	"ccxmld/interpreter"
	"ccxmld/mail"
	"ccxmld/memnet"
	"ccxmld/metrics"
	"ccxmld/processors"
	"ccxmld/random"
	"ccxmld/records"
	"ccxmld/script"
	"ccxmld/sessionstore"
)

// CloseTime is how long requests, sessions that are ended, and what is to be told of
// them may take when the daemon ends.
const CloseTime = 30 * time.Second

// Daemon is all the parts of ccxmld, connected.
type Daemon struct {
	Controller  *callcontrol.Controller
	Store       *sessionstore.Store
	Conferences *conference.Registry

	config     *conf.Config                // as it was at the start
	current    atomic.Pointer[conf.Config] // as it was last read
	documents  *fetch.Client               // of calls; those for other documents are taken apart from it
	audio      *fetch.Client
	log        *slog.Logger
	clock      clock.Clock
	random     *random.Source  // nil: the system's
	network    *memnet.Network // nil: that of the machine
	others     http.RoundTripper
	redis      *sessionstore.Embedded   // nil: as the configuration says
	counters   func() []httpapi.Counter // beside the controller's; nil for none
	advertise  string
	eslListen  net.Listener
	httpListen net.Listener
	mail       *mail.Sender
	dialogs    *dialog.Service
	server     *esl.Server
	api        *httpapi.Server
	access     *access.Access
	metrics    *metrics.Metrics
	records    *records.Journal // nil: none are kept
	operators  *api.API
	tls        *tls.Config // nil: HTTP is not secured
	strain     callcontrol.Strain
	processors *processors.Gate // nil on a network in memory, where one thing happens at a time
	scripts    *script.Shared
	drainAsked *clock.Latch
	replaced   *clock.Latch // another process runs as this controller
}

// Option says what is unusual about a daemon.
type Option func(*Daemon)

// WithClock lets dialogs, timers of documents and deadlines go by a clock that is
// not the wall's: that of a simulated switch whose time runs faster.
func WithClock(clock clock.Clock) Option { return func(d *Daemon) { d.clock = clock } }

// WithRandom sets where ids and chance come from, for a course of calls that is the
// same on every run.
func WithRandom(source *random.Source) Option { return func(d *Daemon) { d.random = source } }

// WithNetwork puts the daemon into a network in memory: its listeners, its links, its
// HTTP and its embedded Redis. others takes the HTTP requests to addresses that are
// not on it; nil refuses them.
func WithNetwork(n *memnet.Network, others http.RoundTripper) Option {
	return func(d *Daemon) { d.network, d.others = n, others }
}

// WithRedis has the daemon share a Redis in this process with others, whatever the
// configuration says.
func WithRedis(e *sessionstore.Embedded) Option { return func(d *Daemon) { d.redis = e } }

// WithCounters adds numbers to those that /stats_10 shows.
func WithCounters(more func() []httpapi.Counter) Option {
	return func(d *Daemon) { d.counters = more }
}

// New builds the daemon and opens its listeners. The caller runs it, which also
// closes it. observer may be nil.
func New(ctx context.Context, config *conf.Config, log *slog.Logger, observer interpreter.Observer, options ...Option) (*Daemon, error) {
	d := &Daemon{config: config, log: log, clock: clock.Real()}
	d.current.Store(config)
	for _, option := range options {
		option(d)
	}
	d.metrics = metrics.New(Version(), d.measured)
	d.drainAsked, d.replaced = clock.NewLatch(d.clock), clock.NewLatch(d.clock)
	err := d.open()
	if err == nil {
		err = d.build(ctx, observer)
	}
	if err != nil {
		d.close()
		return nil, err
	}
	return d, nil
}

// open opens the listeners.
func (d *Daemon) open() (err error) {
	if d.eslListen, err = d.listen("esl.listen", d.config.ESL.Listen); err != nil {
		return err
	}
	if d.httpListen, err = d.listen("http.listen", d.config.HTTP.Listen); err != nil {
		return err
	}
	d.advertise = d.config.ESL.Advertise
	if d.advertise == d.config.ESL.Listen { // the port may have been left to the system
		d.advertise = d.ESLAddress()
	}
	return nil
}

// listen opens the address of a setting, or says what to do about it.
func (d *Daemon) listen(setting, address string) (net.Listener, error) {
	if d.network != nil {
		return d.network.Listen(address)
	}
	listener, err := net.Listen("tcp", address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("%s: %w: does another ccxmld run? Else choose another port", setting, err)
	case err != nil:
		return nil, fmt.Errorf("%s: %w: it must be an address of this machine, or 0.0.0.0 for all of them, and a port that may be opened", setting, err)
	}
	return listener, nil
}

// build makes the parts.
func (d *Daemon) build(ctx context.Context, observer interpreter.Observer) (err error) {
	if err = d.openStore(ctx); err != nil {
		return fmt.Errorf("redis.url: %w", err)
	}
	if d.mail, err = mail.New(mail.Options{SMTP: d.config.Mail.SMTP, From: d.config.Mail.From, Logger: d.log,
		Before: func(ctx context.Context) { _ = d.mayAct(ctx) }}); err != nil {
		return fmt.Errorf("mail: %w", err)
	}
	return d.connect(ctx, observer)
}

func (d *Daemon) openStore(ctx context.Context) (err error) {
	url := d.config.Redis.URL
	if d.network != nil && d.redis == nil && url != "" {
		return errors.New("a Redis of its own is not on the network in memory")
	}
	d.Store, err = sessionstore.Open(ctx, sessionstore.Options{
		URL: url, CA: d.config.Redis.CA, Embedded: d.redis, Prefix: d.config.Redis.Prefix, WriteEvery: d.config.Redis.WriteEvery,
		Logger: d.log, InMemory: d.network != nil, Clock: d.storeClock(), Instance: d.random.UUID(), StateVersion: callcontrol.StateVersion,
		Replaced: func(error) { d.replaced.Open() },
		Lost:     d.lost, Answered: d.metrics.RedisAnswered,
	})
	return err
}

// lost takes that another controller has a session.
func (d *Daemon) lost(session string) {
	if c := d.Controller; c != nil { // else a process before this one had it
		c.Lost(session)
	}
}

// durability is how states of sessions are kept: not at all in a Redis that ends with this
// process.
func (d *Daemon) durability() callcontrol.Durability {
	if d.config.Redis.URL == "" && d.redis == nil {
		return callcontrol.Off
	}
	return callcontrol.Durability(d.config.Durability)
}

// connect makes the parts that need others.
func (d *Daemon) connect(ctx context.Context, observer interpreter.Observer) (err error) {
	if d.network == nil {
		d.processors = processors.NewGate()
	}
	d.strain.Memory = uint64(d.config.Limits.ProcessMemory)
	// Until the collector has run, a process takes about twice what it holds.
	d.scripts = script.NewShared(d.config.Limits.ProcessMemory / 2)
	id := d.controllerID()
	if err := d.Store.Register(ctx, sessionstore.Controller{
		ID: id, Host: hostName(), PID: os.Getpid(), Version: Version(), Address: d.advertise, Listen: d.ESLAddress(), Started: d.Store.Now(),
	}); err != nil {
		return fmt.Errorf("%w: end that one first, or give this one a controller.id of its own", err)
	}
	if err = d.openRecords(); err != nil {
		return fmt.Errorf("records: %w", err)
	}
	if d.documents, err = d.client(d.config.Limits.DocumentBytes); err != nil {
		return err
	}
	if d.audio, err = d.client(d.config.Limits.AudioBytes); err != nil {
		return err
	}
	fetches := d.documents.Apart().For("fetch")
	d.dialogs = d.newDialogs(fetches)
	d.Conferences, err = conference.NewRegistry(d.Store, conference.Options{Controller: id, Random: d.random, Logger: d.log})
	if err != nil {
		return err
	}
	d.access = access.New(access.Options{API: d.config.API, Allow: d.config.HTTP.Allow, Logger: d.log, Transport: d.transport()})
	d.Controller = callcontrol.New(callcontrol.Options{
		ID: id, Advertise: d.advertise, Nodes: nodesOf(d.config),
		Document: d.document, Dial: d.dial,
		Intake: d.documents.For("document"), Fetch: fetches, Sends: d.documents.Apart().For("send"), Dialogs: d.dialogs, Store: d.Store,
		Conferences: d.Conferences, Profile: d.config.Conference.Profile, Recordings: d.config.Dialog.Recordings,
		VoiceXML: d.config.Dialog.VoiceXML, Extensions: Extensions(d.mail),
		IOProcessors: map[string]string{"basichttp": d.eventsAt()}, Secrets: d.access.Required(),
		Observer: observer, Clock: d.clock, Random: d.random, LinkDial: d.linkDial(), Processors: d.processors, Logger: d.log,
		Limits: d.limits(), DrainAsked: d.Drain, Metrics: d.metrics, Records: d.records, Operations: d.operations(), Durability: d.durability(),
	})
	if err := d.openToOperators(); err != nil {
		return err
	}
	d.server = &esl.Server{
		Handler: d.Controller.Handle, Logger: d.log, RefuseCause: d.config.Limits.RefuseCause, Allow: d.config.ESL.Allow,
		MaxConnections: d.config.ESL.Connections, PerAddress: d.config.ESL.ConnectionsPerAddress,
		Clock: d.clock, Gate: d.Controller.Gate(),
	}
	d.api = httpapi.New(httpapi.Options{
		Tokens: d.config.Tokens, Starter: starter{d.Controller}, Logger: d.log,
		Sessions: sessions{d.Controller, &d.strain, d.dialogs, d.counters}, Allow: d.config.HTTP.Allow, CreateSession: d.config.HTTP.CreateSession,
		Hosts: append([]string{d.config.HTTP.Listen, d.HTTPAddress()}, d.config.HTTP.Hosts...), URL: d.config.HTTP.URL,
		Connections: d.config.HTTP.Connections, ConnectionsPerAddress: d.config.HTTP.ConnectionsPerAddress,
		Checks: d.checks, Now: d.clock.Now, Access: d.access, Operators: d.operators, TLS: d.tls, Metrics: d.metrics,
	})
	if d.network != nil {
		d.network.Handle(d.HTTPAddress(), d.api.Handler())
	}
	return nil
}

// ESLAddress is where FreeSWITCH's socket action finds the daemon.
func (d *Daemon) ESLAddress() string { return d.eslListen.Addr().String() }

// HTTPAddress is where HTTP clients find the daemon.
func (d *Daemon) HTTPAddress() string { return d.httpListen.Addr().String() }

// Advertise is the address that outbound legs come home to.
func (d *Daemon) Advertise() string { return d.advertise }

// Run serves until ctx ends, when sessions are ended and everything is closed; after
// Drain it does so when the last session has ended, or drain.timeout is over.
func (d *Daemon) Run(ctx context.Context) (err error) {
	serving, stop := clock.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	running, failed := clock.WithCancelCause(ctx)
	var parts clock.Group
	parts.Go(d.clock, func() { failed(d.server.Serve(serving, d.eslListen)) })
	if d.network == nil {
		parts.Go(d.clock, func() { failed(d.api.Serve(d.httpListen)) })
	}
	parts.Go(d.clock, func() { _ = d.Controller.Run(serving) })
	if d.records != nil {
		parts.Go(d.clock, func() { d.records.Run(serving) })
	}
	if d.network == nil { // the files of a simulation end with it
		parts.Go(d.clock, func() { d.sweep(serving) })
	}
	parts.Go(d.clock, func() {
		if d.replaced.Wait(serving) == nil {
			d.Drain("another process of the same controller.id")
		}
	})
	d.tellSystemd(systemd.SdNotifyReady)
	if d.drainAsked.Wait(running) == nil {
		d.drain(running)
	}
	if cause := context.Cause(running); ctx.Err() == nil && cause != nil {
		if !errors.Is(cause, context.Canceled) {
			err = cause
		}
	} else {
		d.log.Info("shutting down", "sessions", d.Controller.Sessions())
	}
	d.tellSystemd(systemd.SdNotifyStopping, "STATUS=shutting down")
	d.processors.Close()
	err = errors.Join(err, closeInTurn(context.WithoutCancel(ctx), d.clock, CloseTime, d.closeAPI, d.Controller.Close, d.dialogs.Close, d.closeMail))
	stop()
	_ = parts.Wait(context.Background(), d.clock)
	return errors.Join(err, d.Store.Close())
}

// closeInTurn closes parts one after the other. Each has its share of the time, and what
// those before it have left of theirs.
func closeInTurn(ctx context.Context, c clock.Clock, all time.Duration, parts ...func(context.Context) error) (err error) {
	begun := c.Now()
	for i, part := range parts {
		until := begun.Add(all * time.Duration(i+1) / time.Duration(len(parts)))
		closing, cancel := clock.WithTimeout(ctx, c, until.Sub(c.Now()))
		err = errors.Join(err, part(closing))
		cancel()
	}
	return err
}

// closeAPI has requests end that take long, well before they would be cut off: a busy
// machine needs a while to answer them.
func (d *Daemon) closeAPI(closing context.Context) error {
	enough, cancel := clock.WithTimeout(closing, d.clock, CloseTime/10)
	defer cancel()
	return d.api.Shutdown(closing, enough)
}

// closeMail closes the mail sender, which goes by real time.
func (d *Daemon) closeMail(closing context.Context) error {
	closing, cancel := context.WithTimeout(closing, CloseTime)
	defer cancel()
	return d.mail.Close(closing)
}

// sweepEvery is how often files are looked for that are older than they may be, or
// too many.
const sweepEvery = 5 * time.Minute

// sweep bounds the directories of fetched audio and recordings until ctx ends.
func (d *Daemon) sweep(ctx context.Context) {
	every := time.NewTicker(sweepEvery)
	defer every.Stop()
	for {
		d.dialogs.Sweep()
		select {
		case <-every.C:
		case <-ctx.Done():
			return
		}
	}
}

// linkDial opens the network connections of links; nil is the machine's way.
func (d *Daemon) linkDial() func(context.Context, string, string) (net.Conn, error) {
	if d.network == nil {
		return nil
	}
	return d.network.DialContext
}

// storeClock is that of the store: a Redis of its own has its own time.
func (d *Daemon) storeClock() clock.Clock {
	if d.config.Redis.URL != "" && d.redis == nil {
		return clock.Real()
	}
	return d.clock
}

// close closes what New had opened before it failed.
func (d *Daemon) close() {
	for _, listener := range []net.Listener{d.eslListen, d.httpListen} {
		if listener != nil {
			_ = listener.Close()
		}
	}
	if d.mail != nil {
		_ = d.mail.Close(context.Background())
	}
	if d.Store != nil {
		_ = d.Store.Close()
	}
}
