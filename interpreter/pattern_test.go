package interpreter_test

import (
	"strings"
	"testing"
	"time"

	"ccxmld/interpreter"
)

// TestPatternTime: many stars against a long name do not take long.
func TestPatternTime(t *testing.T) {
	pattern, name := strings.Repeat("*a", 2000)+"*b", strings.Repeat("a", 20_000)
	if interpreter.MatchPattern(pattern, name) {
		t.Error("the pattern matches")
	}
	if !interpreter.MatchPattern(pattern, name+"b") {
		t.Error("the pattern does not match")
	}
}

// FuzzPattern compares the matcher with one that tries everything.
func FuzzPattern(f *testing.F) {
	for _, seed := range [][2]string{
		{"", "ccxml.loaded"}, {"*", ""}, {"error.*", "error.semantic"}, {"*.failed", "connection.failed"},
		{"a*b*c", "abbacbc"}, {"**", "x"}, {"a*a", "a"}, {"*a*", "bab"}, {"ab*ba", "aba"}, {" User.* ", "user.x"},
		{"connection", "connection.connected"}, {"*.*.*", "a.b.c"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, pattern, name string) {
		if len(pattern) > 40 || len(name) > 40 || strings.Count(pattern, "*") > 6 {
			return // trying everything takes too long
		}
		name = strings.ToLower(name)
		lower := strings.ToLower(strings.TrimSpace(pattern))
		want := lower == "" || matchesByTrying(lower, name)
		if got := interpreter.MatchPattern(pattern, name); got != want {
			t.Errorf("pattern %q, name %q: %v, want %v", pattern, name, got, want)
		}
	})
}

func matchesByTrying(pattern, name string) bool {
	if pattern == "" {
		return name == ""
	}
	if pattern[0] == '*' {
		for i := range len(name) + 1 {
			if matchesByTrying(pattern[1:], name[i:]) {
				return true
			}
		}
		return false
	}
	return name != "" && name[0] == pattern[0] && matchesByTrying(pattern[1:], name[1:])
}

// TestInterval: times as CCXML 1.0, section 3.4 has them, and bare numbers.
func TestInterval(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"500ms": 500 * time.Millisecond, "2s": 2 * time.Second, ".5s": 500 * time.Millisecond, "+1.5s": 1500 * time.Millisecond,
		"0s": 0, "1.": time.Millisecond, " 3000\t": 3 * time.Second, "0.001s": time.Millisecond,
	} {
		if got, err := interpreter.ParseInterval(text); err != nil || got != want {
			t.Errorf("%q: %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "-1s", "1m", "1 s", ".", "s", "1e3ms", "0x10", "1s2s", "99999999999999999999s", "NaN"} {
		if got, err := interpreter.ParseInterval(text); err == nil {
			t.Errorf("%q is %v; want an error", text, got)
		}
	}
}
