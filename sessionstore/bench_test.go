package sessionstore_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"ccxmld/sessionstore"
	"ccxmld/sessionstore/redistest"
)

// BenchmarkSaveSession is what a call pays for each change of its state.
func BenchmarkSaveSession(b *testing.B) {
	a, _ := controller(b, redistest.Mini(b).URL, "a")
	record := sampleSession("s")
	states := []string{"one", "two"}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		record.State = states[i%2]
		a.SaveSession(record)
	}
}

// BenchmarkSessionLife saves, writes, ends and removes a hundred sessions.
func BenchmarkSessionLife(b *testing.B) {
	redistest.EachBench(b, func(b *testing.B, server *redistest.Server) {
		a, _ := controller(b, server.URL, "a")
		b.ReportAllocs()
		for b.Loop() {
			for i := range 100 {
				a.SaveSession(sampleSession(strconv.Itoa(i)))
			}
			flush(b, a)
			for i := range 100 {
				a.EndSession(strconv.Itoa(i))
			}
			flush(b, a)
		}
	})
}

// BenchmarkShortSession begins and ends between two writes.
func BenchmarkShortSession(b *testing.B) {
	a, _ := controller(b, redistest.Mini(b).URL, "a")
	record := sampleSession("s")
	b.ReportAllocs()
	for b.Loop() {
		a.SaveSession(record)
		a.EndSession("s")
		flush(b, a)
	}
}

// sampleState is a state as sessions have it, of about 2 KB.
func sampleState(i int) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `{"version":1,"document":{"uri":"http://example.org/ccxml/menu.ccxml","hash":"%x"},"state":"dialing","variables":{`, sha256.Sum256([]byte("menu")))
	for v := range 20 {
		fmt.Fprintf(&b, `"variable%d":{"type":"string","value":"%x"},`, v, sha256.Sum256(fmt.Append(nil, i, v)))
	}
	b.WriteString(`"last":null},"connections":[{"id":"c1","state":"CONNECTED","local":"sip:100@example.org","remote":"sip:+14075550100@example.org"}],"queue":[]}`)
	return b.Bytes()
}

// manySessions notes the records and states of sessions.
func manySessions(s *sessionstore.Store, n, change int) {
	for i := range n {
		id := fmt.Sprint("session-", i)
		record := sampleSession(id)
		record.State = fmt.Sprint("state ", change)
		s.SaveSession(record)
		s.SaveState(id, 1, sampleState(i+change), []string{"h"})
	}
}

// BenchmarkSaveState notes a state of 2 KB.
func BenchmarkSaveState(b *testing.B) {
	a, _ := controller(b, redistest.Mini(b).URL, "a")
	state := sampleState(1)
	b.ReportAllocs()
	for b.Loop() {
		a.SaveState("s", 1, state, nil)
	}
}

// BenchmarkWrite5000 writes the records and states of 5,000 sessions, each changed.
func BenchmarkWrite5000(b *testing.B) {
	redistest.EachBench(b, func(b *testing.B, server *redistest.Server) {
		a, _ := controller(b, server.URL, "a")
		a.PutText("h", []byte("text"))
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			manySessions(a, 5000, i)
			flush(b, a)
		}
		size, err := server.Client().StrLen(b.Context(), "ccxml:session:{session-1}:state").Result()
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(len(sampleState(1))), "bytes/state")
		b.ReportMetric(float64(size), "bytes-packed/state")
	})
}

// BenchmarkSaveStateNow saves one state at once, alone and beside many others.
func BenchmarkSaveStateNow(b *testing.B) {
	for _, at := range []int{1, 50} {
		b.Run(fmt.Sprint(at, " at a time"), func(b *testing.B) {
			a, _ := controller(b, redistest.Real(b).URL, "a")
			state := sampleState(1)
			b.SetParallelism(at)
			var ids atomic.Int64
			b.RunParallel(func(pb *testing.PB) {
				id := fmt.Sprint("s", ids.Add(1))
				for pb.Next() {
					if err := a.SaveStateNow(b.Context(), id, 1, state, nil); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}

// BenchmarkClaim5000 takes 5,000 sessions of a dead controller, sixteen at a time: what a
// take-over asks of Redis.
func BenchmarkClaim5000(b *testing.B) {
	redistest.EachBench(b, func(b *testing.B, server *redistest.Server) {
		from, _ := controller(b, server.URL, "c0")
		manySessions(from, 5000, 0)
		flush(b, from)
		for i := 1; b.Loop(); i++ {
			b.StopTimer()
			name, before := fmt.Sprint("c", i), fmt.Sprint("c", i-1)
			to, _ := controller(b, server.URL, name)
			b.StartTimer()
			ids, err := to.SessionIDs(b.Context(), before)
			if err != nil || len(ids) != 5000 {
				b.Fatal(len(ids), err)
			}
			var all sync.WaitGroup
			for share := range slices.Chunk(ids, (len(ids)+15)/16) {
				all.Go(func() {
					for _, id := range share {
						if _, ok, err := to.Claim(b.Context(), id, before); !ok || err != nil {
							b.Error(ok, err)
						}
					}
				})
			}
			all.Wait()
			flush(b, to)
		}
	})
}

// BenchmarkConfirm5000 renews the leases of 5,000 sessions and their states.
func BenchmarkConfirm5000(b *testing.B) {
	redistest.EachBench(b, func(b *testing.B, server *redistest.Server) {
		a, _ := controller(b, server.URL, "a")
		manySessions(a, 5000, 0)
		flush(b, a)
		for b.Loop() {
			if err := a.Confirm(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	})
}
