package dialog

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"ccxmld/clock"
)

// TestLastingTrouble: a speech engine that is away and a spool that is full are one line of
// the log each, however many dialogs find that out, and another when it is over.
func TestLastingTrouble(t *testing.T) {
	var log bytes.Buffer
	c := clock.NewManual(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	s := New(Options{Clock: c, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	for name, trouble := range map[string]struct {
		bad, well func()
		is, over  string
	}{
		"speech": {func() { s.spoken("no engine") }, func() { s.spoken("") }, "texts are not spoken", "texts are spoken again"},
		"spool":  {func() { _ = s.kept("http://h/a.wav", errors.New("no space left on device")) }, func() { _ = s.kept("", nil) }, "fetched audio cannot be kept", "fetched audio can be kept again"},
	} {
		log.Reset()
		for range 3000 { // in five minutes
			trouble.bad()
			c.Advance(100 * time.Millisecond)
		}
		if n := strings.Count(log.String(), trouble.is); n != 3 || strings.Count(log.String(), "times=") != 2 {
			t.Errorf("%s: said %d times: %s", name, n, &log)
		}
		trouble.well()
		trouble.well()
		if n := strings.Count(log.String(), trouble.over); n != 1 {
			t.Errorf("%s: said %d times to be over: %s", name, n, &log)
		}
	}
}
