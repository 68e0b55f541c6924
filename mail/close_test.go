package mail

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	gomail "github.com/wneessen/go-mail"

	"ccxmld/clock"
)

// A worker that does not end, as one whose relay keeps its connection open, does not
// keep Close from its end.
func TestCloseDoesNotWaitForTheWorker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &Sender{options: Options{Clock: clock.Real()}, abandon: func() {}, done: make(chan struct{}), queue: make(chan *gomail.Msg, 1)}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		if err := s.Close(ctx); err == nil {
			t.Error("closed without a word")
		}
		if took := time.Since(began); took > time.Second+endPatience {
			t.Errorf("took %s", took)
		}
	})
}
