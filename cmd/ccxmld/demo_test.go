package main

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
)

// The demo is what a newcomer sees first: both applications run to their ends.
func TestDemo(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := demo(t.Context(), &out, false, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatalf("%v after:\n%s", err, out.String())
	}
	shown := out.String()
	for _, want := range []string{
		"hears      speech: This is an automated call from the H.A.L. 9000 computer system to commander David Bowman.",
		"event      dialog.exit → outbound-calls-with-tokens.ccxml:51",
		"event      connection.failed (busy) → outbound-calls-with-tokens.ccxml:40",
		"speech: You are the first caller in this conference.",
		"speech: You have joined the conference.",
		"conference:conference_1234567890",
		"conference:conference_9876543210",
		"2 members",
		"ccxmld serve --nodes=",
	} {
		if !strings.Contains(shown, want) {
			t.Errorf("the demo does not show %q", want)
		}
	}
	if rosters := strings.Count(shown, "roster     no conference"); rosters != 2 {
		t.Errorf("conferences ended %d times, want 2; the demo showed:\n%s", rosters, shown)
	}
	if strings.Contains(shown, "error.") {
		t.Errorf("an error in the demo:\n%s", shown)
	}
}
