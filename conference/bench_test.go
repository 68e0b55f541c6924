package conference_test

import (
	"strconv"
	"testing"

	"ccxmld/conference"
	"ccxmld/sessionstore/redistest"
)

// BenchmarkCreateOrGet attaches a session to a conference and detaches it: two
// round trips.
func BenchmarkCreateOrGet(b *testing.B) {
	redistest.EachBench(b, func(b *testing.B, server *redistest.Server) {
		r, _ := registry(b, server.URL, "a")
		c, _ := create(b, r, "x", "stays")
		b.ReportAllocs()
		for b.Loop() {
			create(b, r, "x", "s")
			detach(b, r, c.ID, "s")
		}
	})
}

// BenchmarkJoinLeave enters a leg and takes it out: two round trips.
func BenchmarkJoinLeave(b *testing.B) {
	redistest.EachBench(b, func(b *testing.B, server *redistest.Server) {
		r, _ := registry(b, server.URL, "a")
		c, _ := create(b, r, "x", "s")
		b.ReportAllocs()
		for b.Loop() {
			join(b, r, c.ID, "c")
			leave(b, r, c.ID, "c")
		}
	})
}

// BenchmarkRenew renews the leases of a thousand conferences.
func BenchmarkRenew(b *testing.B) {
	redistest.EachBench(b, func(b *testing.B, server *redistest.Server) {
		r, _ := registry(b, server.URL, "a")
		for i := range 1000 {
			if _, _, err := r.CreateOrGet(b.Context(), strconv.Itoa(i), "s", "node1", conference.Limits{}, conference.Settings{}); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportAllocs()
		for b.Loop() {
			renew(b, r)
		}
	})
}
