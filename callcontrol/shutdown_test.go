package callcontrol

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ccxmld/clock"
)

// What does not end is not waited for longer than the context lasts, and is named.
func TestAwaitKeepsToItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		c := &Controller{options: Options{Clock: clock.Real()}}
		c.bounds.Store(new(Limits))
		var running clock.Group
		end := make(chan struct{})
		running.Go(c.options.Clock, func() { <-end })
		if err := c.await(ctx, "the work", &running); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "the work") {
			t.Errorf("ended with %v", err)
		}
		close(end)
		if err := c.await(t.Context(), "the work", &running); err != nil {
			t.Error(err)
		}
	})
}
