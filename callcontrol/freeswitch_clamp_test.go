//go:build freeswitch

package callcontrol_test

import (
	"context"
	"log/slog"
	"os"
	"strings"
	"testing"

	"ccxmld/clock"
	"ccxmld/esl"
	"ccxmld/sitetest"
)

// digitsOf notes the digits that come to a leg.
func (s *realSite) digitsOf(leg string) *sitetest.Recorder {
	s.Helper()
	named := os.Getenv("CCXMLD_FREESWITCH")
	at := strings.LastIndex(named, ":")
	digits, up := sitetest.NewRecorder(clock.Real()), make(chan struct{}, 1)
	link := esl.NewLink(esl.LinkOptions{
		Name: "digits", Address: named[:at], Password: named[at+1:], Logger: slog.New(slog.DiscardHandler),
		Events: []string{"DTMF"}, Filters: [][2]string{{"Unique-ID", leg}},
		OnEvent: func(e *esl.Event) { digits.Add(e.Get("DTMF-Digit")) },
		OnUp:    func() { up <- struct{}{} },
	})
	ctx, cancel := context.WithCancel(s.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); _ = link.Run(ctx) }()
	s.Cleanup(func() { cancel(); <-ended })
	select {
	case <-up:
	case <-s.Context().Done():
		s.Fatal("no link")
	}
	return digits
}

// What the partner of a bridge gets of the digits that a party presses.
func TestFreeSWITCHClampDigits(t *testing.T) {
	s := newRealSite(t)
	s.Document("incoming.ccxml", clamping)
	caller := s.caller()
	s.WaitLog("clamped true ")
	var callee string
	for _, line := range s.Trace.Lines() {
		if rest, ok := strings.CutPrefix(line, "log clamped true "); ok {
			callee = (&realBoard{realSite: s}).farEnd(rest)
		}
	}
	digits := s.digitsOf(callee)
	s.api("uuid_send_dtmf", caller, "5")
	s.WaitLog("pressed 5")
	s.api("uuid_send_dtmf", caller, "7")
	s.WaitLog("clamped false")
	s.api("uuid_send_dtmf", caller, "8")
	s.Must(digits.Wait(s.Context(), "8"))
	if digits.Has("5") {
		t.Errorf("the callee got %v", digits.Lines())
	}
	s.api("uuid_kill", caller)
	s.WaitIdle()
}
