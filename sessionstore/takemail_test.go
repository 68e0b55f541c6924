package sessionstore_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"ccxmld/sessionstore"
	"ccxmld/sessionstore/redistest"
)

// TestMailOfADeadController: what it has not read goes to who has claimed the session,
// in order; what nobody has claimed yet waits; what is for nobody any more is removed.
func TestMailOfADeadController(t *testing.T) {
	redistest.Each(t, func(t *testing.T, server *redistest.Server) {
		dead, b, c := newDurable(t, server.URL, "dead"), newDurable(t, server.URL, "b"), newDurable(t, server.URL, "c")
		for _, id := range []string{"s1", "s2", "s3"} {
			dead.SaveSession(sampleSession(id))
		}
		flush(t, dead.Store)
		post := func(session, body string) error {
			return c.Post(t.Context(), "dead", sessionstore.Mail{ID: "id of " + body, Kind: "send", Session: session, Body: []byte(body)})
		}
		for i := range 100 { // more than are read at once
			for _, session := range []string{"s1", "s2"} {
				if err := post(session, fmt.Sprint(i)); err != nil {
					t.Fatal(err)
				}
			}
		}
		for _, session := range []string{"s3", "", "over", "{}"} {
			if err := post(session, "x"); err != nil {
				t.Fatal(err)
			}
		}
		take := func(s *durable, want int) {
			t.Helper()
			if n, err := s.TakeMail(t.Context(), "dead"); n != want || err != nil {
				t.Errorf("moved %d, %v; want %d", n, err, want)
			}
		}
		take(b, 0) // it may live
		controllers, err := b.Controllers(t.Context())
		if err != nil || controllers[2].ID != "dead" {
			t.Fatalf("controllers: %+v %v", controllers, err)
		}
		wrong := controllers[2]
		wrong.PID++
		for _, end := range []sessionstore.Controller{wrong, controllers[2]} {
			if err := b.EndLease(t.Context(), end); err != nil {
				t.Error(err)
			}
			if err := post("s1", "100"); (end == wrong) != (err == nil) || (end != wrong) != errors.Is(err, sessionstore.ErrNoController) {
				t.Errorf("posted to it: %v", err)
			}
		}
		b.claim(t, "s1", "dead")
		c.claim(t, "s2", "dead")
		take(b, 201)
		take(c, 0)
		if n := server.Client().XLen(t.Context(), "ccxml:controller:{dead}:mail").Val(); n != 1 {
			t.Errorf("%d are left, want that of s3", n)
		}
		for store, want := range map[*durable]int{b: 101, c: 100} {
			name := map[*durable]string{b: "b", c: "c"}[store]
			mail, stop := receive(t, store.Store, name)
			for i := range want {
				if m := <-mail; string(m.Body) != fmt.Sprint(i) || m.From != "c" || m.Kind != "send" || m.ID != "id of "+fmt.Sprint(i) || m.Session == "s3" {
					t.Fatalf("%d is %+v", i, m)
				}
			}
			_ = stop()
		}
		c.claim(t, "s3", "dead")
		server.Client().Set(t.Context(), "ccxml:controller:{dead}:mover", "another", time.Minute)
		take(b, 0) // another one does it
		server.Advance(t, time.Minute)
		take(b, 1)
		keys := keysOf(t, server, "{dead}")
		slices.Sort(keys)
		if slices.Contains(keys, "ccxml:controller:{dead}:mover") || slices.Contains(keys, "ccxml:controller:{dead}:mail") &&
			server.Client().XLen(t.Context(), "ccxml:controller:{dead}:mail").Val() > 0 {
			t.Errorf("left: %q", keys)
		}
	})
}
