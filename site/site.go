// Package site is a whole ccxmld in one process and on virtual time: a simulated
// FreeSWITCH, a daemon, and the network between them in memory. An hour of calls
// takes as long as the work in it, and the same calls have the same course on every
// run. The conformance suites and `ccxmld simulate` run on it.
package site

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"ccxmld/clock"
	"ccxmld/conf"
	"ccxmld/daemon"
	"ccxmld/interpreter"
	"ccxmld/memnet"
	"ccxmld/random"
	"ccxmld/switchsim"
)

// The seeds of ids and chance.
const (
	switchSeed   = 1
	daemonSeed   = 2 // of the first one; the others follow
	moreSwitches = 1000
)

// begin is when the time of a site begins.
var begin = time.Date(2026, time.January, 1, 12, 0, 0, 0, time.UTC)

// Site is a simulated switch and what works with it. The goroutine that made it is
// at work (see [clock.Virtual]): time passes while it waits by the site's clock, in
// [Site.Run] and after [Site.Close].
type Site struct {
	Clock   *clock.Virtual
	Network *memnet.Network
	Switch  *switchsim.Switch
	Daemon  *daemon.Daemon // the first; nil before Start

	// Around gives the clock of a daemon from that of its process; nil is the same.
	Around func(clock.Clock) clock.Clock

	switches []*switchsim.Switch
	daemons  []*Running
	closed   sync.Once
	err      error
}

// Empty makes a site with nothing on it.
func Empty() *Site {
	c := clock.NewVirtual(begin)
	return &Site{Clock: c, Network: memnet.New(c)}
}

// New makes a site with a switch, and without a daemon. The options' clock and network are the site's.
func New(o switchsim.Options) (*Site, error) {
	s := Empty()
	if o.Logger != nil {
		s.Clock.OnStall(func(report string) { o.Logger.Error(report) })
	}
	s.Switch = s.AddSwitch(o)
	if err := s.Switch.Listen("127.0.0.1:8021"); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// AddSwitch makes a further switch, which does not listen yet. The options' clock and
// network are the site's.
func (s *Site) AddSwitch(o switchsim.Options) *switchsim.Switch {
	seed := uint64(switchSeed)
	if n := len(s.switches); n > 0 {
		seed = moreSwitches + uint64(n)
	}
	o.Clock, o.Random, o.Listen, o.Dial = s.Clock, random.Seeded(seed), s.Network.Listen, s.Network.DialContext
	sw := switchsim.New(o)
	s.switches = append(s.switches, sw)
	return sw
}

// Start starts the daemon and waits for its links. others takes HTTP requests to
// addresses that are not on the site's network; nil refuses them. observer may be
// nil.
func (s *Site) Start(ctx context.Context, config *conf.Config, log *slog.Logger, observer interpreter.Observer, others http.RoundTripper) (err error) {
	first, err := s.AddDaemon(ctx, config, log, observer, others)
	if err != nil {
		return err
	}
	s.Daemon = first.Daemon
	if err = s.Daemon.Controller.WaitNodes(ctx); err != nil {
		return fmt.Errorf("no link to the switch: %w", err)
	}
	return nil
}

// AddDaemon starts a daemon, and waits for nothing. The options come after the site's
// own.
func (s *Site) AddDaemon(ctx context.Context, config *conf.Config, log *slog.Logger, observer interpreter.Observer, others http.RoundTripper, options ...daemon.Option) (*Running, error) {
	seed := daemonSeed + uint64(len(s.daemons))
	process := clock.NewProcess(s.Clock)
	own := clock.Clock(process)
	if s.Around != nil {
		own = s.Around(process)
	}
	host := s.Network.HostOf(process)
	d, err := daemon.New(ctx, config, log, observer, append([]daemon.Option{
		daemon.WithClock(own), daemon.WithRandom(random.Seeded(seed)), daemon.WithNetwork(host, others),
	}, options...)...)
	if err != nil {
		return nil, err
	}
	running, stop := clock.WithCancel(context.WithoutCancel(ctx))
	r := &Running{Daemon: d, process: process, host: host, stop: stop, ended: clock.NewPromise[error](s.Clock)}
	s.daemons = append(s.daemons, r)
	clock.Go(s.Clock, func() { r.ended.Keep(d.Run(running)) })
	return r, nil
}

// Running is a daemon that runs on a site.
type Running struct {
	*daemon.Daemon

	process *clock.Process
	host    *memnet.Network
	stop    context.CancelFunc
	ended   *clock.Promise[error]
	closed  sync.Once
	Killed  bool // Kill was called
	err     error
}

// Kill lets the daemon do nothing more to anybody, and be reached by nobody, as if its
// process had been killed: FreeSWITCH sees its sockets end, and its lease in Redis is not
// renewed. It is still to be stopped.
func (r *Running) Kill() {
	r.Killed = true
	r.host.Cut()
	_ = r.Store.Client().Close()
}

// Tap has f see what the daemon writes to FreeSWITCH and others.
func (r *Running) Tap(f func(data []byte)) { r.host.Tap(f) }

// Pause keeps the daemon from doing anything, as SIGSTOP does a process, while the others'
// time passes.
func (r *Running) Pause() { r.process.Pause() }

// Resume lets the daemon go on that was paused.
func (r *Running) Resume() { r.process.Resume() }

// ResumeInReverse is Resume where what was due last happens first.
func (r *Running) ResumeInReverse() { r.process.ResumeInReverse() }

// Stop ends the daemon. It is for a goroutine at work.
func (r *Running) Stop() error {
	r.closed.Do(func() {
		r.Resume()
		r.stop()
		if r.err = r.ended.Wait(); r.Killed {
			r.err = nil
		}
	})
	return r.err
}

// Run calls f in a goroutine at work, and returns when it has ended and all that it
// started by [clock.Go].
func (s *Site) Run(f func()) {
	var running sync.WaitGroup
	clock.GoIn(&running, s.Clock, f)
	clock.Await(s.Clock, running.Wait)
}

// Close ends the daemons, then the switches, the last ones first. The time stands still
// then. It is for the goroutine that made the site.
func (s *Site) Close() error {
	s.closed.Do(func() {
		for _, r := range slices.Backward(s.daemons) {
			s.err = errors.Join(s.err, r.Stop())
		}
		s.Clock.Stop()
		for _, sw := range slices.Backward(s.switches) {
			sw.Close()
		}
		s.Clock.Leave()
	})
	return s.err
}
