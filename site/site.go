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
	"sync"
	"time"

	"ccxmld/clock"
	"ccxmld/conf"
	"ccxmld/daemon"
	"ccxmld/esl/switchsim"
	"ccxmld/interpreter"
	"ccxmld/memnet"
	"ccxmld/random"
)

// The seeds of ids and chance.
const (
	switchSeed = 1
	daemonSeed = 2
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
	Daemon  *daemon.Daemon // nil before Start

	stop   context.CancelFunc
	ended  chan error
	closed sync.Once
	err    error
}

// New makes a site without a daemon. The options' clock and network are the site's.
func New(o switchsim.Options) (*Site, error) {
	c := clock.NewVirtual(begin)
	if o.Logger != nil {
		c.OnStall(func(report string) { o.Logger.Error(report) })
	}
	s := &Site{Clock: c, Network: memnet.New(c)}
	o.Clock, o.Random, o.Listen, o.Dial = c, random.Seeded(switchSeed), s.Network.Listen, s.Network.DialContext
	s.Switch = switchsim.New(o)
	if err := s.Switch.Listen("127.0.0.1:8021"); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Start starts the daemon and waits for its links. others takes HTTP requests to
// addresses that are not on the site's network; nil refuses them. observer may be
// nil.
func (s *Site) Start(ctx context.Context, config *conf.Config, log *slog.Logger, observer interpreter.Observer, others http.RoundTripper) (err error) {
	s.Daemon, err = daemon.New(ctx, config, log, observer, daemon.WithClock(s.Clock), daemon.WithRandom(random.Seeded(daemonSeed)), daemon.WithNetwork(s.Network, others))
	if err != nil {
		return err
	}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.stop, s.ended = stop, make(chan error, 1)
	clock.Go(s.Clock, func() { s.ended <- s.Daemon.Run(running) })
	if err = s.Daemon.Controller.WaitNodes(ctx); err != nil {
		return fmt.Errorf("no link to the switch: %w", err)
	}
	return nil
}

// Run calls f in a goroutine at work, and returns when it has ended and all that it
// started by [clock.Go].
func (s *Site) Run(f func()) {
	var running sync.WaitGroup
	clock.GoIn(&running, s.Clock, f)
	clock.Await(s.Clock, running.Wait)
}

// Close ends the daemon, then the switch. The time stands still from now on.
func (s *Site) Close() error {
	s.closed.Do(func() {
		s.Clock.Stop()
		s.Clock.Leave()
		if s.stop != nil {
			s.stop()
			s.err = <-s.ended
		}
		if s.Switch != nil {
			s.Switch.Close()
		}
	})
	return s.err
}
