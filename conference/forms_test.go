package conference_test

import (
	"testing"
	"time"

	"ccxmld/conference"
	"ccxmld/sessionstore"
	"ccxmld/sessionstore/redistest"
)

// TestForms: two controllers share a conference on each form of a deployed Redis, also
// after a failover, which loses no member.
func TestForms(t *testing.T) {
	redistest.EachForm(t, func(t *testing.T, d redistest.Deployment) {
		options := sessionstore.Options{URL: d.URL, CA: d.CA, WriteEvery: 50 * time.Millisecond}
		one, first := registryOn(t, options, "one")
		two, second := registryOn(t, options, "two")
		room, created := create(t, one, "sales", "s1")
		if again, fresh := create(t, two, "sales", "s2"); !created || fresh || again.Room != room.Room {
			t.Errorf("created %v, and again %v: %s and %s", created, fresh, room.Room, again.Room)
		}
		if n := join(t, one, room.ID, "c1") + join(t, two, room.ID, "c2"); n != 1+2 {
			t.Errorf("the sizes are %d together", n)
		}
		members := func(r *conference.Registry) int {
			list, err := r.Members(t.Context(), room.ID)
			if err != nil {
				return -1
			}
			return len(list)
		}
		if n := members(one); n != 2 {
			t.Errorf("%d members", n)
		}
		for c, err := range two.List(t.Context()) {
			if err != nil || c.ID != room.ID {
				t.Errorf("listed: %+v %v", c, err)
			}
		}
		if d.FailOver != nil {
			d.FailOver("ccxml:conference:{" + room.ID + "}")
			redistest.Patiently(t, "both have the new master", func() bool {
				return first.Probe(t.Context()) == nil && second.Probe(t.Context()) == nil && members(one) >= 0 && members(two) >= 0
			})
			for _, r := range []*conference.Registry{one, two} {
				if _, err := r.Renew(t.Context()); err != nil {
					t.Errorf("renew: %v", err)
				}
			}
			if n := members(two); n != 2 {
				t.Errorf("after the failover: %d members", n)
			}
		}
		if n := leave(t, two, room.ID, "c2") + leave(t, one, room.ID, "c1"); n != 1+0 {
			t.Errorf("the sizes are %d together", n)
		}
		if _, destroyed, err := one.Detach(t.Context(), room.ID, "s1"); destroyed || err != nil {
			t.Errorf("detached by one: destroyed %v, %v", destroyed, err)
		}
		if _, destroyed, err := two.Detach(t.Context(), room.ID, "s2"); !destroyed || err != nil {
			t.Errorf("detached by both: destroyed %v, %v", destroyed, err)
		}
	})
}
