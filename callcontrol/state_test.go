package callcontrol

import (
	"testing"

	"ccxmld/interpreter"
)

// TestStatesOfOthersAreRefused: what is found under a session's name in Redis is not taken if
// it is another one's, or names legs that cannot be its own.
func TestStatesOfOthersAreRefused(t *testing.T) {
	c := newSession(t).controller
	c.addLeg(c.newLeg("0b0e3a5e-0000-4000-8000-000000000001", legConnected))
	state := func(session, calls string, legs ...string) sessionState {
		s := sessionState{Session: interpreter.Snapshot{ID: session}, Calls: sessionData{Session: calls}}
		for _, id := range legs {
			s.Calls.Legs = append(s.Calls.Legs, legData{ID: id})
		}
		return s
	}
	const other = "0b0e3a5e-0000-4000-8000-000000000002"
	if err := c.isOwn("s", state("s", "s", other)); err != nil {
		t.Errorf("its own state: %v", err)
	}
	for name, s := range map[string]sessionState{
		"another session's":       state("x", "s"),
		"another session's legs":  state("s", "x"),
		"a leg that is here":      state("s", "s", "0b0e3a5e-0000-4000-8000-000000000001"),
		"a leg that is a command": state("s", "s", other+" kick"),
	} {
		if err := c.isOwn("s", s); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}
