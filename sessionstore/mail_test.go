package sessionstore_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"ccxmld/sessionstore"
	"ccxmld/sessionstore/redistest"
)

// receive starts a receiver and returns where its mail arrives, and a function
// that ends it and returns the reason.
func receive(t testing.TB, s *sessionstore.Store, id string) (<-chan sessionstore.Mail, func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	mail := make(chan sessionstore.Mail, 1000)
	end := make(chan error, 1)
	go func() { end <- s.Receive(ctx, id, func(m sessionstore.Mail) { mail <- m }) }()
	return mail, func() error {
		cancel()
		return <-end
	}
}

func TestMailInOrder(t *testing.T) {
	redistest.Each(t, func(t *testing.T, server *redistest.Server) {
		a, _ := controller(t, server.URL, "a")
		b, _ := controller(t, server.URL, "b")
		post := func(i int) {
			t.Helper()
			m := sessionstore.Mail{Kind: "event", Body: fmt.Appendf(nil, `{"n":%d}`, i)}
			if i == 0 {
				m.ID = "mine"
			}
			if err := a.Post(t.Context(), "b", m); err != nil {
				t.Fatal(err)
			}
		}
		for i := range 100 { // posted before anybody reads
			post(i)
		}
		mail, stop := receive(t, b, "b")
		for i := 100; i < 200; i++ {
			post(i)
		}
		ids := map[string]bool{}
		for i := range 200 {
			m := <-mail
			if want := fmt.Sprintf(`{"n":%d}`, i); string(m.Body) != want || m.From != "a" || m.Kind != "event" {
				t.Fatalf("mail %d = %+v, want body %s", i, m, want)
			}
			if i == 0 && m.ID != "mine" {
				t.Errorf("the sender's id is lost: %q", m.ID)
			}
			ids[m.ID] = true
		}
		if len(ids) != 200 {
			t.Errorf("%d different ids, want 200", len(ids))
		}
		if err := stop(); !errors.Is(err, context.Canceled) {
			t.Errorf("Receive = %v", err)
		}
		if n := server.Client().XLen(t.Context(), "ccxml:controller:{b}:mail").Val(); n != 0 {
			t.Errorf("%d handled mails are still there", n)
		}
	})
}

func TestMailIsRefused(t *testing.T) {
	redistest.Each(t, func(t *testing.T, server *redistest.Server) {
		a, _ := controller(t, server.URL, "a")
		controller(t, server.URL, "b")
		c := newClock()
		o := options(server.URL, c)
		o.MaxMail = 2
		tight := open(t, o)
		refused := func(s *sessionstore.Store, to string, body []byte, want error) {
			t.Helper()
			if err := s.Post(t.Context(), to, sessionstore.Mail{Body: body}); !errors.Is(err, want) {
				t.Errorf("Post to %.10q = %v, want %v", to, err, want)
			}
		}
		refused(a, "nobody", nil, sessionstore.ErrNoController)
		refused(a, "{}", nil, sessionstore.ErrNoController)
		refused(a, "b", make([]byte, sessionstore.MaxMailBody+1), sessionstore.ErrMailTooLong)
		refused(tight, "b", nil, nil)
		refused(tight, "b", nil, nil)
		refused(tight, "b", nil, sessionstore.ErrMailboxFull)
		server.Advance(t, 16*time.Second) // b's lease ends
		refused(a, "b", nil, sessionstore.ErrNoController)
	})
}

// What was not removed is given again: at least once.
func TestUnhandledMailComesAgain(t *testing.T) {
	redistest.Each(t, func(t *testing.T, server *redistest.Server) {
		b, _ := controller(t, server.URL, "b")
		if err := b.Post(t.Context(), "b", sessionstore.Mail{Kind: "first"}); err != nil {
			t.Fatal(err)
		}
		if err := b.Post(t.Context(), "b", sessionstore.Mail{Kind: "second"}); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var got []string
		_ = b.Receive(ctx, "b", func(m sessionstore.Mail) {
			got = append(got, m.Kind)
			cancel() // the controller stops after the first
		})
		mail, stop := receive(t, b, "b")
		if m := <-mail; len(got) != 1 || got[0] != "first" || m.Kind != "second" {
			t.Errorf("got %v, then %q", got, m.Kind)
		}
		_ = stop()
	})
}

func TestReceiveEndsWithTheStore(t *testing.T) {
	redistest.Each(t, func(t *testing.T, server *redistest.Server) {
		b, _ := controller(t, server.URL, "b")
		end := make(chan error)
		go func() { end <- b.Receive(context.Background(), "b", func(sessionstore.Mail) {}) }()
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
		if err := <-end; !errors.Is(err, sessionstore.ErrClosed) {
			t.Errorf("Receive = %v", err)
		}
	})
}

// Redis disappears under a waiting receiver and comes back.
func TestReceiveOutlivesRedis(t *testing.T) {
	redistest.Each(t, func(t *testing.T, server *redistest.Server) {
		b := open(t, sessionstore.Options{URL: server.URL, WriteEvery: 10 * time.Millisecond})
		if err := b.Register(t.Context(), sessionstore.Controller{ID: "b"}); err != nil {
			t.Fatal(err)
		}
		mail, stop := receive(t, b, "b")
		if err := b.Post(t.Context(), "b", sessionstore.Mail{Kind: "before"}); err != nil {
			t.Fatal(err)
		}
		if m := <-mail; m.Kind != "before" {
			t.Fatalf("got %q", m.Kind)
		}
		server.Stop(t)
		redistest.Eventually(t, "the store notices", func() bool { return !b.Healthy() || b.Post(t.Context(), "b", sessionstore.Mail{}) != nil })
		server.Start(t)
		redistest.Eventually(t, "mail is accepted again", func() bool {
			return b.Post(t.Context(), "b", sessionstore.Mail{Kind: "after"}) == nil
		})
		if m := <-mail; m.Kind != "after" {
			t.Errorf("got %q", m.Kind)
		}
		_ = stop()
	})
}
