package sessionstore_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"ccxmld/sessionstore"
	"ccxmld/sessionstore/redistest"
)

// deployed is the store of a controller on a deployment.
type deployed struct {
	*sessionstore.Store
	id string
}

// formed opens the store of a controller on a deployment, on the time of the wall: other
// processes take part.
func formed(t *testing.T, d redistest.Deployment, id string) deployed {
	t.Helper()
	s := open(t, sessionstore.Options{URL: d.URL, CA: d.CA, WriteEvery: 50 * time.Millisecond, Lease: 6 * time.Second})
	if !s.Healthy() {
		t.Fatal("redis cannot be written to")
	}
	if err := s.Register(t.Context(), sessionstore.Controller{ID: id, Host: "host", PID: 1, Version: "1", Address: "127.0.0.1:8084", Started: time.Now()}); err != nil {
		t.Fatal(err)
	}
	return deployed{s, id}
}

// TestForms: what the store does on one Redis it does on each form of several: records,
// who owns what, mail, and the list of controllers.
func TestForms(t *testing.T) {
	redistest.EachForm(t, func(t *testing.T, d redistest.Deployment) {
		if _, err := sessionstore.Try(t.Context(), sessionstore.Options{URL: d.URL, CA: d.CA}); err != nil {
			t.Errorf("try: %v", err)
		}
		one, two := formed(t, d, "one"), formed(t, d, "two")
		one.SaveSession(sessionstore.Session{ID: "s1", Document: "file:///a.ccxml"})
		flush(t, one.Store)
		if owner, ok, err := two.Owner(t.Context(), "s1"); owner != "one" || !ok || err != nil {
			t.Errorf("the owner: %s %v %v", owner, ok, err)
		}
		seen := 0
		for session, err := range two.Sessions(t.Context()) {
			if seen++; err != nil || session.ID != "s1" {
				t.Errorf("listed: %+v %v", session, err)
			}
		}
		if seen != 1 {
			t.Errorf("%d sessions are listed", seen)
		}
		if controllers, err := two.Controllers(t.Context()); err != nil || len(controllers) != 2 {
			t.Errorf("controllers: %+v %v", controllers, err)
		}
		mailed(t, two, one, "hello")
		one.PutText("h", []byte("text"))
		for i := range 20 { // on each server of a Cluster
			id := fmt.Sprint("d", i)
			if err := one.SaveStateNow(t.Context(), id, 1, []byte("state of "+id), []string{"h"}); err != nil {
				t.Error(err)
			}
			claimed, ok, err := two.Claim(t.Context(), id, "one")
			if text, _, err := two.Text(t.Context(), "h"); string(text) != "text" || err != nil {
				t.Errorf("text: %q %v", text, err)
			}
			if string(claimed.State) != "state of "+id || !ok || err != nil {
				t.Errorf("claim: %+v %v %v", claimed, ok, err)
			}
			if err := one.SaveStateNow(t.Context(), id, 1, []byte("late"), nil); !errors.Is(err, sessionstore.ErrLost) {
				t.Errorf("saved by the one before: %v", err)
			}
			one.EndSession(id)
			two.EndSession(id)
		}
		flush(t, one.Store)
		flush(t, two.Store)
		for store, want := range map[deployed][]string{one: {"s1"}, two: nil} {
			if ids, err := store.SessionIDs(t.Context(), store.id); !slices.Equal(ids, want) || err != nil {
				t.Errorf("sessions of %s: %q %v", store.id, ids, err)
			}
		}
		if d.FailOver == nil {
			return
		}
		d.FailOver("ccxml:session:{s1}")
		one.SaveSession(sessionstore.Session{ID: "s2", Document: "file:///a.ccxml"})
		for _, id := range []string{"s2", "s1"} { // the new one, and the one that was written before
			redistest.Patiently(t, id+" is read from the new master", func() bool {
				_, ok, err := two.Owner(t.Context(), id)
				return ok && err == nil && one.Healthy() && two.Healthy()
			})
		}
		redistest.Patiently(t, "a lease that the master did not pass on is taken anew", func() bool {
			controllers, err := two.Controllers(t.Context())
			return err == nil && len(controllers) == 2 && controllers[0].Alive && controllers[1].Alive
		})
		mailed(t, one, two, "after the failover")
	})
}

// mailed sends mail from one controller to another, which receives it.
func mailed(t *testing.T, from, to deployed, text string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	got := make(chan string, 1)
	received := make(chan error, 1)
	go func() {
		received <- to.Receive(ctx, to.id, func(m sessionstore.Mail) {
			select {
			case got <- string(m.Body):
			default:
			}
		})
	}()
	if err := from.Post(ctx, to.id, sessionstore.Mail{ID: text, From: from.id, Kind: "send", Body: []byte(text)}); err != nil {
		t.Errorf("post: %v", err)
	} else {
		select {
		case body := <-got:
			if body != text {
				t.Errorf("received %q, want %q", body, text)
			}
		case <-ctx.Done():
			t.Error("the mail does not come")
		}
	}
	cancel()
	<-received
}
