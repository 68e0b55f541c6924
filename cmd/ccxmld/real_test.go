package main

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"ccxmld/clock"
	"ccxmld/clock/clocktest"
	"ccxmld/conf"
	"ccxmld/daemon"
	"ccxmld/switchsim"
)

// newReal starts a daemon on the machine's network and time, without a switch: for tests
// with a FreeSWITCH, which the options name.
func newReal(t testing.TB, options ...option) *house {
	t.Helper()
	h := &house{TB: t, dir: t.TempDir(), clock: clock.Real()}
	h.startReal(options, func(*plan) {})
	return h
}

// newHouseOverTCP is a house on real time, with TCP between its daemon and its simulated
// switch: for tests of what goes by neither the house's clock nor its network.
func newHouseOverTCP(t testing.TB, options ...option) *house {
	t.Helper()
	h := &house{TB: t, dir: t.TempDir(), clock: clock.Real()}
	h.startReal(options, func(p *plan) {
		h.sw = switchsim.New(p.sw)
		t.Cleanup(h.sw.Close)
		h.must(h.sw.Listen("127.0.0.1:0"))
		h.sw.AddTTS("flite")
		p.environment["NODES"] = fmt.Sprintf("[{name: sim, address: %q, password: ClueCon}]", h.sw.Addr())
	})
	return h
}

func (h *house) startReal(options []option, withSwitch func(*plan)) {
	h.Helper()
	h.seen, h.log = newRecorder(h.clock), newRecorder(h.clock)
	p := newPlan(h.TB, nil, h.dir)
	p.patience = realPatience
	for _, o := range options {
		o(p)
	}
	var cancel context.CancelFunc
	h.ctx, cancel = context.WithTimeout(context.Background(), p.patience)
	h.Cleanup(cancel)
	withSwitch(p)
	h.environment, h.options = p.environment, p.options
	h.start()
	h.up()
}

// realPatience bounds every wait on real time, as patience does others.
const realPatience = time.Minute

// runReal runs a daemon on the machine's network and time.
func (h *house) runReal(config *conf.Config, log *slog.Logger) (end func() error) {
	h.Helper()
	var err error
	if h.daemon, err = daemon.New(h.ctx, config, log, h.seen, append([]daemon.Option{daemon.WithClock(clocktest.Real())}, h.options...)...); err != nil {
		h.Fatal(err)
	}
	ctx, cancel := context.WithCancel(h.ctx)
	ended := make(chan error, 1)
	go func() { ended <- h.daemon.Run(ctx) }()
	return func() error {
		cancel()
		return <-ended
	}
}
