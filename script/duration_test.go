package script_test

import (
	"testing"
	"time"

	"ccxmld/script"
)

// TestParseTime: times as CCXML 1.0, section 3.4 has them, and bare numbers.
func TestParseTime(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"500ms": 500 * time.Millisecond, "2s": 2 * time.Second, ".5s": 500 * time.Millisecond, "+1.5s": 1500 * time.Millisecond,
		"0s": 0, "1.": time.Millisecond, " 3000\t": 3 * time.Second, "0.001s": time.Millisecond,
	} {
		if got, err := script.ParseTime(text); err != nil || got != want {
			t.Errorf("%q: %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "-1s", "1m", "1 s", ".", "s", "1e3ms", "0x10", "1s2s", "99999999999999999999s", "NaN"} {
		if got, err := script.ParseTime(text); err == nil {
			t.Errorf("%q is %v; want an error", text, got)
		}
	}
}
