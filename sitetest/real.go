package sitetest

import (
	"context"
	"log/slog"
	"testing"

	"ccxmld/clock"
	"ccxmld/clock/clocktest"
	"ccxmld/conf"
	"ccxmld/daemon"
	"ccxmld/switchsim"
)

// NewReal starts a daemon on the machine's network and time, without a switch: for tests
// with a FreeSWITCH, which the options name.
func NewReal(t testing.TB, options ...Option) *Site {
	t.Helper()
	s := &Site{TB: t, Dir: t.TempDir(), Clock: clock.Real()}
	s.startReal(options, func(*Options) {})
	return s
}

// NewOverTCP is a site on real time, with TCP between its daemon and its simulated
// switch: for tests of what goes by neither the site's clock nor its network.
func NewOverTCP(t testing.TB, options ...Option) *Site {
	t.Helper()
	s := &Site{TB: t, Dir: t.TempDir(), Clock: clock.Real()}
	s.startReal(options, func(o *Options) {
		s.Switch = switchsim.New(o.Switch)
		t.Cleanup(s.Switch.Close)
		s.Must(s.Switch.Listen("127.0.0.1:0"))
		s.Switch.AddTTS("flite")
		o.Environment["NODES"] = nodeAt(s.Switch.Addr())
	})
	return s
}

func (s *Site) startReal(options []Option, withSwitch func(*Options)) {
	s.Helper()
	s.Trace, s.DaemonLog = NewRecorder(s.Clock), NewRecorder(s.Clock)
	o := newOptions(s.TB, s.Dir)
	o.Clock, o.Timeout = s.Clock, realTimeout
	for _, option := range options {
		option(o)
	}
	var cancel context.CancelFunc
	s.ctx, cancel = context.WithTimeout(context.Background(), o.Timeout)
	s.Cleanup(cancel)
	withSwitch(o)
	s.Environment, s.options, s.configure = o.Environment, o.Daemon, o.Configure
	s.start()
	s.WaitLinks()
}

// runReal runs a daemon on the machine's network and time.
func (s *Site) runReal(config *conf.Config, log *slog.Logger) (end func() error) {
	s.Helper()
	var err error
	s.Daemon, err = daemon.New(s.ctx, config, log, s.Trace, append([]daemon.Option{daemon.WithClock(clocktest.Real())}, s.options...)...)
	s.Must(err)
	ctx, cancel := context.WithCancel(s.ctx)
	ended := make(chan error, 1)
	go func() { ended <- s.Daemon.Run(ctx) }()
	return func() error {
		cancel()
		return <-ended
	}
}
