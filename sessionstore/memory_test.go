package sessionstore_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"ccxmld/clock"
	"ccxmld/sessionstore"
)

// TestMailInMemory: controllers that share an embedded Redis get each other's mail
// when it is posted, by a clock that knows of their waiting; a store that closes ends
// its receiver.
func TestMailInMemory(t *testing.T) {
	begin := time.Date(2026, time.January, 1, 12, 0, 0, 0, time.UTC)
	v := clock.NewVirtual(begin)
	defer v.Stop()
	e, err := sessionstore.StartEmbedded("127.0.0.1:0", v)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	store := func(id string) *sessionstore.Store {
		s, err := sessionstore.Open(t.Context(), sessionstore.Options{Embedded: e, Clock: v})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Register(t.Context(), sessionstore.Controller{ID: id}); err != nil {
			t.Fatal(err)
		}
		return s
	}
	one, other := store("one"), store("other")
	var got []string
	end := clock.NewPromise[error](v)
	clock.Go(v, func() {
		end.Keep(other.Receive(context.Background(), "other", func(m sessionstore.Mail) {
			got = append(got, fmt.Sprint(m.From, " ", string(m.Body), " ", v.Now().Sub(begin)))
		}))
	})
	for i := range 3 {
		clock.Sleep(t.Context(), v, time.Minute)
		if err := one.Post(t.Context(), "other", sessionstore.Mail{Kind: "test", Body: fmt.Append(nil, i)}); err != nil {
			t.Fatal(err)
		}
	}
	clock.Sleep(t.Context(), v, time.Minute)
	if want := []string{"one 0 1m0s", "one 1 2m0s", "one 2 3m0s"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if err := other.Close(); err != nil {
		t.Error(err)
	}
	if err := end.Wait(); err != sessionstore.ErrClosed {
		t.Errorf("ended with %v", err)
	}
	if err := one.Close(); err != nil {
		t.Error(err)
	}
}
