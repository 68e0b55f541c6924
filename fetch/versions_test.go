package fetch_test

import (
	"context"
	"errors"
	"testing"

	"ccxmld/fetch"
)

// TestVersions: what was made of another version does not count; a failure is not
// kept; and one who gives up stops nobody else.
func TestVersions(t *testing.T) {
	v := fetch.NewVersions[string](1 << 20)
	giving := func(value string, err error) func() (string, error) {
		return func() (string, error) { return value, err }
	}
	if got, err := v.Make(t.Context(), "u", "1", 10, nil, giving("one", nil)); got != "one" || err != nil {
		t.Fatal(got, err)
	}
	if got, ok := v.Get("u", "1"); got != "one" || !ok {
		t.Error(got, ok)
	}
	if got, ok := v.Get("u", "2"); ok {
		t.Error(got)
	}
	holds := func(string) bool { return true }
	if got, err := v.Make(t.Context(), "u", "1", 10, holds, giving("other", nil)); got != "one" || err != nil {
		t.Errorf("what is kept is made again: %q, %v", got, err)
	}
	if got, err := v.Make(t.Context(), "u", "1", 10, func(string) bool { return false }, giving("anew", nil)); got != "anew" || err != nil {
		t.Errorf("what does not hold is not made again: %q, %v", got, err)
	}
	wrong := errors.New("wrong")
	if _, err := v.Make(t.Context(), "u", "2", 10, nil, giving("", wrong)); err != wrong {
		t.Error(err)
	}
	if _, ok := v.Get("u", "1"); !ok {
		t.Error("a failure drops what was there")
	}

	ctx, cancel := context.WithCancel(t.Context())
	begun, first := make(chan struct{}), make(chan struct{})
	go func() {
		_, err := v.Make(ctx, "x", "1", 10, nil, func() (string, error) {
			close(begun)
			<-ctx.Done()
			return "", ctx.Err()
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("the one that gave up: %v", err)
		}
		close(first)
	}()
	<-begun
	second := make(chan struct{})
	go func() {
		if got, err := v.Make(t.Context(), "x", "1", 10, nil, giving("x", nil)); got != "x" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
		close(second)
	}()
	cancel()
	<-first
	<-second
	if got, ok := v.Get("x", "1"); got != "x" || !ok {
		t.Error(got, ok)
	}
}
