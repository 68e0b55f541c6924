package conference_test

import (
	"testing"
	"time"

	"ccxmld/conference"
	"ccxmld/sessionstore/redistest"
)

func TestReconcile(t *testing.T) {
	redistest.Each(t, func(t *testing.T, server *redistest.Server) {
		r, _ := registry(t, server.URL, "a")
		c, _ := create(t, r, "x", "s")
		now := time.Now()
		for connection, joined := range map[string]time.Time{
			"there": now.Add(-time.Minute), "gone": now.Add(-time.Minute), "arriving": now,
		} {
			if _, err := r.Join(t.Context(), c.ID, conference.Member{Connection: connection, Node: "node1", Joined: joined}); err != nil {
				t.Fatal(err)
			}
		}
		if held := r.HeldOn("node1"); len(held) != 1 || held[0].ID != c.ID || len(r.HeldOn("node2")) != 0 {
			t.Errorf("held on node1: %+v", held)
		}
		roster := []string{"there", "there", "stranger"}
		gone, _, err := r.Reconcile(t.Context(), c.ID, "node1", c.Room, roster, now.Add(-5*time.Second))
		if err != nil || len(gone) != 1 || gone[0].Connection != "gone" {
			t.Errorf("gone = %+v, %v", gone, err)
		}
		members, err := r.Members(t.Context(), c.ID)
		if err != nil || len(members) != 2 {
			t.Errorf("members = %+v, %v", members, err)
		}
		if _, _, err := r.Reconcile(t.Context(), c.ID, "node1", "another", roster, now); err == nil {
			t.Error("a roster of another room is accepted")
		}
	})
}
