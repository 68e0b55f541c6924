package callcontrol

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// What does not end is not waited for longer than the context lasts, and is named.
func TestAwaitKeepsToItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var running sync.WaitGroup
		end := make(chan struct{})
		running.Go(func() { <-end })
		if err := await(ctx, "the work", &running); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "the work") {
			t.Errorf("ended with %v", err)
		}
		close(end)
		if err := await(t.Context(), "the work", &running); err != nil {
			t.Error(err)
		}
	})
}
