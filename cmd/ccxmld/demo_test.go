package main

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"unicode/utf8"
)

// The demo is what a newcomer sees first: both applications run to their ends.
func TestDemo(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := demo(t.Context(), &out, false, false, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatalf("%v after:\n%s", err, out.String())
	}
	for line := range strings.Lines(out.String()) {
		if width := utf8.RuneCountInString(strings.TrimRight(line, "\n")); width > 80 {
			t.Errorf("a line of %d characters, which 80 columns do not hold: %s", width, line)
		}
	}
	shown := strings.Join(strings.Fields(out.String()), " ") // lines are broken between words
	for _, want := range []string{
		"hears speech: This is an automated call from the H.A.L. 9000 computer system to commander David Bowman.",
		"event dialog.exit → outbound-calls-with-tokens.ccxml:51",
		"event connection.failed (busy) → outbound-calls-with-tokens.ccxml:40",
		"speech: You are the first caller in this conference.",
		"speech: You have joined the conference.",
		"2 members in conference:conference_1234567890",
		"conference:conference_9876543210",
		"2 members",
		"ccxmld serve --nodes=",
	} {
		if !strings.Contains(shown, want) {
			t.Errorf("the demo does not show %q", want)
		}
	}
	if rosters := strings.Count(shown, "roster no conference"); rosters != 2 {
		t.Errorf("conferences ended %d times, want 2; the demo showed:\n%s", rosters, shown)
	}
	if strings.Contains(shown, "EVENTSOURCETYPE") {
		t.Errorf("the demo shows what the documents log:\n%s", shown)
	}
	if strings.Index(shown, "You are the first caller") > strings.Index(shown, "outbound-calls-with-tokens.ccxml") {
		t.Error("the conference is not the first part of the demo")
	}
	if strings.Contains(shown, "event error.") {
		t.Errorf("an error in the demo:\n%s", shown)
	}
}
