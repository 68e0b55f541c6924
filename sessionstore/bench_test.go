package sessionstore_test

import (
	"strconv"
	"testing"

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
