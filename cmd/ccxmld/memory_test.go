package main

import (
	"runtime"
	"testing"
	"time"

	"ccxmld/clock"
	"ccxmld/switchsim"
)

// liveHeap is the size of what is reachable now, in bytes.
func liveHeap() int64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}

// ballast is a document whose session holds a text of 256 KiB.
const ballast = `<ccxml version="1.0" xmlns="http://www.w3.org/2002/09/ccxml">
<script>var ballast = 'x'; while (ballast.length &lt; 262144) ballast += ballast;</script><eventprocessor>
<transition event="connection.alerting"><accept/></transition>
<transition event="connection.connected"><exit/></transition></eventprocessor></ccxml>`

// A call that has ended keeps nothing of its session: not where its caller is gone at
// once, and not while FreeSWITCH does not say that it has hung up.
func TestEndedCallsKeepNoSession(t *testing.T) {
	const calls = 60
	for _, c := range []struct {
		name    string
		options []option
	}{
		{"hung up", nil},
		{"not hung up", []option{idle("uuid_kill")}},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHouse(t, c.options...)
			document := h.document("in.ccxml", ballast)
			before := liveHeap()
			callers := make([]*switchsim.Party, calls)
			for i := range callers {
				callers[i] = h.dial(document)
			}
			h.must(h.daemon.Controller.WaitIdle(h.ctx))
			h.until("all sessions have begun and ended", func() bool {
				return h.seen.count("event connection.connected") == calls && h.daemon.Controller.Sessions() == 0
			})
			kept := (liveHeap() - before) / calls
			for range 5 { // while FreeSWITCH is asked again to hang up
				if kept > 64<<10 {
					clock.Sleep(h.ctx, h.clock, time.Second)
					kept = (liveHeap() - before) / calls
				}
			}
			if kept > 64<<10 {
				t.Errorf("%d bytes are kept of an ended call", kept)
			}
			t.Logf("%d bytes are kept of an ended call, those of the simulated switch among them", kept)
			for _, caller := range callers {
				caller.Hangup()
			}
			h.idle()
		})
	}
}

// BenchmarkEndedCalls reports what the process holds for a call that has ended a
// moment ago, the simulated switch included. Run it with -benchtime 12000x.
func BenchmarkEndedCalls(b *testing.B) {
	h := newHouse(b, withPatience(30*patience))
	document := h.transitions("in.ccxml", `
<transition event="connection.alerting"><accept/></transition>
<transition event="connection.connected"><exit/></transition>`)
	h.dial(document)
	h.idle()
	before := liveHeap()
	b.ResetTimer()
	const atOnce = 100
	for i := range b.N {
		h.dial(document)
		if i%atOnce == atOnce-1 || i == b.N-1 {
			h.seen.forget()
			h.idle()
		}
	}
	b.StopTimer()
	b.ReportMetric(float64(liveHeap()-before)/float64(b.N), "B/ended-call")
}
