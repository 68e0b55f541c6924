package esl_test

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"ccxmld/clock"
	"ccxmld/esl"
)

// Commands wait while the gate is closed, and go out in their order, before those that come
// later; what only asks does not wait. What is muted never goes out, and is answered for.
func TestCommandsWaitForTheGate(t *testing.T) {
	for _, mute := range []bool{false, true} {
		now := clock.NewManual(time.Now())
		gate := clock.NewGate(now, time.Second, func() {})
		c, p := connect(t, esl.Options{Gate: gate})
		ran := make(chan error, 1)
		go func() { ran <- c.Run(nil) }()
		refused := new(atomic.Int32)
		count := func(_ *esl.Reply, err error) {
			if errors.Is(err, esl.ErrMuted) {
				refused.Add(1)
			}
		}
		now.Advance(time.Minute)
		c.Send(esl.API("first"), count)
		c.Send(esl.API("second"), count)
		c.Ask(esl.API("question"), nil)
		want := []string{"api question", "api first", "api second", "api third"}
		if mute {
			c.Mute()
			want = want[:1]
		}
		gate.Open()
		c.Send(esl.API("third"), count)
		for _, command := range want {
			if got, err := p.read(); err != nil || got != command {
				t.Errorf("%q, want %q; %v", got, command, err)
			}
		}
		if n := refused.Load(); mute && n != 3 || !mute && n != 0 {
			t.Errorf("muted: %t; %d are refused", mute, n)
		}
		_ = c.Close()
		<-ran
	}
}

// What waits for the gate when the connection ends is answered for.
func TestWhatWaitsEndsWithTheConnection(t *testing.T) {
	now := clock.NewManual(time.Now())
	c, _ := connect(t, esl.Options{Gate: clock.NewGate(now, time.Second, func() {})})
	now.Advance(time.Minute)
	var ended error
	c.Send(esl.API("first"), func(_ *esl.Reply, err error) { ended = err })
	_ = c.Close()
	if !errors.Is(ended, esl.ErrClosed) {
		t.Error(ended)
	}
}
