package conformance

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"ccxmld/clock"
	"ccxmld/site"
	"ccxmld/switchsim"
)

// simulated is the simulated switch with the suite's parties.
type simulated struct {
	site   *site.Site
	sw     *switchsim.Switch
	ctx    context.Context
	cancel context.CancelFunc
	phones sync.WaitGroup // goroutines of parties
}

// NewSimulated makes a simulated switch for a Site.
func NewSimulated(log *slog.Logger) (Switch, error) {
	made, err := site.New(switchsim.Options{Logger: log, WriteRecordings: true, Sounds: spooled})
	if err != nil {
		return nil, err
	}
	s := &simulated{site: made, sw: made.Switch}
	s.sw.AddTTS("flite")
	s.ctx, s.cancel = context.WithCancel(context.Background())
	for _, p := range parties {
		s.sw.Callee(p.name, p.simulated)
		if p.presses != "" {
			clock.GoIn(&s.phones, s.site.Clock, func() { s.press(p) })
		}
	}
	return s, nil
}

// spooled gives the length of audio that the daemon has fetched: 16 bits, 8,000 times
// a second, behind a header.
func spooled(path string) (time.Duration, bool) {
	const header, perSecond = 44, 16000
	info, err := os.Stat(path)
	if err != nil || info.Size() < header {
		return 0, false
	}
	return time.Duration(info.Size()-header) * time.Second / perSecond, true
}

// Settings implements Switch.
func (s *simulated) Settings() map[string]string {
	return map[string]string{
		"NODES":                        fmt.Sprintf("[{name: simulated, address: %q, password: ClueCon}]", s.sw.Addr()),
		"DIAL_ROUTES":                  "[{match: 'sip:(.*)@party', dial: 'sofia/internal/$1@party'}]",
		"LIMITS_ORIGINATES_PER_SECOND": "1000",
	}
}

// press plays the parties that press keys once they are connected.
func (s *simulated) press(p party) {
	for {
		callee, err := s.sw.WaitCallee(s.ctx, p.name)
		if err != nil {
			return
		}
		clock.GoIn(&s.phones, s.site.Clock, func() {
			if callee.WaitAnswered(s.ctx) == nil {
				callee.Press("W" + p.presses)
			}
		})
	}
}

// Call implements Switch.
func (s *simulated) Call(ctx context.Context, address, uri string, caller Caller) error {
	variables := caller.variables()
	variables["ccxml_uri"] = uri
	phone, err := s.sw.Dial(switchsim.Call{
		From: "4075550100", To: "8001", Sockets: []string{address}, Variables: variables,
	})
	if err != nil {
		return err
	}
	clock.GoIn(&s.phones, s.site.Clock, func() { s.play(ctx, phone, caller) })
	return nil
}

func (s *simulated) play(ctx context.Context, phone *switchsim.Party, caller Caller) {
	for steps := caller.Steps; ctx.Err() == nil; steps = caller.next(ctx) {
		if !s.take(ctx, phone, steps) {
			return
		}
	}
}

// take takes steps; not done when the caller has gone or the test is over.
func (s *simulated) take(ctx context.Context, phone *switchsim.Party, steps []Step) (done bool) {
	for _, step := range steps {
		switch step.Do {
		case Answered:
			var ended *switchsim.EndedError
			if err := phone.WaitAnswered(ctx); err != nil || errors.As(err, &ended) {
				return false
			}
		case Wait:
			if !clock.Sleep(ctx, s.site.Clock, step.Wait) {
				return false
			}
		case Press:
			phone.Press(step.Keys)
		case HangUp:
			phone.Hangup()
			return false
		}
	}
	return true
}

// Close implements Switch.
func (s *simulated) Close() {
	s.cancel()
	_ = s.site.Close() // whose error the Site tells
	s.phones.Wait()
}
