package interpreter_test

import (
	"strings"
	"testing"

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
