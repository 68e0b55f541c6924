package daemon

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"ccxmld/clock"
)

// TestEachPartHasItsShare of the time in which a daemon closes, whatever those before it
// take: what does not end takes none from others.
func TestEachPartHasItsShare(t *testing.T) {
	begun := time.Unix(0, 0)
	c := clock.NewManual(begun)
	var ended []time.Duration
	stubborn := func(ctx context.Context) error {
		if ctx.Err() != nil {
			t.Error("a part has no time")
		}
		for ctx.Err() == nil {
			c.Advance(time.Second)
		}
		ended = append(ended, c.Now().Sub(begun))
		return context.Cause(ctx)
	}
	quick := func(context.Context) error {
		ended = append(ended, c.Now().Sub(begun))
		return nil
	}
	err := closeInTurn(t.Context(), c, 20*time.Second, stubborn, quick, stubborn, stubborn)
	if want := []time.Duration{5 * time.Second, 5 * time.Second, 15 * time.Second, 20 * time.Second}; !slices.Equal(ended, want) {
		t.Errorf("the parts ended after %v, want %v", ended, want)
	}
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the error is %v", err)
	}
}
