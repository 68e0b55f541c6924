package script_test

import (
	"errors"
	"testing"
	"time"

	"ccxmld/script"
)

// TestTogether: evaluations in one call share its limits, and a document's getter
// cannot take the caller down.
func TestTogether(t *testing.T) {
	const limit = 400 * time.Millisecond
	s := newSession(t, script.Limits{Time: limit})
	for begun := time.Now(); time.Since(begun) < 2*limit; {
		if _, err := s.eval("1 + 1"); err != nil {
			t.Fatalf("one after the other: %v", err)
		}
	}
	err := s.Together(func() error {
		for {
			if _, err := s.eval("1 + 1"); err != nil {
				return err
			}
		}
	})
	if !errors.Is(err, script.ErrLimit) {
		t.Errorf("together: %v", err)
	}
	s.is("1 + 1", "2")
	err = s.Together(func() error { panic(errors.New("a getter")) })
	if err == nil || err.Error() != "a getter" {
		t.Errorf("a panic: %v", err)
	}
	s.is("1 + 1", "2")
}

// TestSwitchScope: documents have a scope of their own in turn.
func TestSwitchScope(t *testing.T) {
	l := script.NewLanguage("outer", "inner")
	r := l.NewRuntime(script.Limits{})
	first := r.OpenScope("outer")
	r.Declare("outer", "a", r.VM().ToValue(1))
	r.OpenScope("outer")
	e, err := l.Expression("typeof a + typeof outer.a", script.Position{})
	if err != nil {
		t.Fatal(err)
	}
	if v, err := r.Eval(e); err != nil || v.String() != "undefinedundefined" {
		t.Errorf("in another scope: %v, %v", v, err)
	}
	r.SwitchScope("outer", first)
	if v, err := r.Eval(e); err != nil || v.String() != "numbernumber" {
		t.Errorf("back in the first: %v, %v", v, err)
	}
}
