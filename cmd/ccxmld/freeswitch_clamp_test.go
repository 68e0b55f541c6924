//go:build freeswitch

package main

import (
	"context"
	"log/slog"
	"os"
	"strings"
	"testing"

	"ccxmld/clock"
	"ccxmld/esl"
)

// digitsOf notes the digits that come to a leg.
func (h *realHouse) digitsOf(leg string) *recorder {
	h.Helper()
	named := os.Getenv("CCXMLD_FREESWITCH")
	at := strings.LastIndex(named, ":")
	digits, up := newRecorder(clock.Real()), make(chan struct{}, 1)
	link := esl.NewLink(esl.LinkOptions{
		Name: "digits", Address: named[:at], Password: named[at+1:], Logger: slog.New(slog.DiscardHandler),
		Events: []string{"DTMF"}, Filters: [][2]string{{"Unique-ID", leg}},
		OnEvent: func(e *esl.Event) { digits.add(e.Get("DTMF-Digit")) },
		OnUp:    func() { up <- struct{}{} },
	})
	ctx, cancel := context.WithCancel(h.ctx)
	ended := make(chan struct{})
	go func() { defer close(ended); _ = link.Run(ctx) }()
	h.Cleanup(func() { cancel(); <-ended })
	select {
	case <-up:
	case <-h.ctx.Done():
		h.Fatal("no link")
	}
	return digits
}

// What the partner of a bridge gets of the digits that a party presses.
func TestFreeSWITCHClampDigits(t *testing.T) {
	h := newRealHouse(t)
	h.document("incoming.ccxml", clamping)
	caller := h.caller()
	h.logged("clamped true ")
	var callee string
	for _, line := range h.seen.all() {
		if rest, ok := strings.CutPrefix(line, "log clamped true "); ok {
			callee = (&realBoard{realHouse: h}).farEnd(rest)
		}
	}
	digits := h.digitsOf(callee)
	h.api("uuid_send_dtmf", caller, "5")
	h.logged("pressed 5")
	h.api("uuid_send_dtmf", caller, "7")
	h.logged("clamped false")
	h.api("uuid_send_dtmf", caller, "8")
	h.must(digits.wait(h.ctx, "8"))
	if digits.has("5") {
		t.Errorf("the callee got %v", digits.all())
	}
	h.api("uuid_kill", caller)
	h.idle()
}
