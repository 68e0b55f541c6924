package callcontrol_test

import (
	"runtime"
	"testing"
	"time"

	"ccxmld/clock"
	"ccxmld/sitetest"
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
		options []sitetest.Option
	}{
		{"hung up", nil},
		{"not hung up", []sitetest.Option{ignoring("uuid_kill")}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := sitetest.New(t, c.options...)
			document := s.Document("in.ccxml", ballast)
			before := liveHeap()
			callers := make([]*switchsim.Party, calls)
			for i := range callers {
				callers[i] = s.Dial(document)
			}
			s.Must(s.Daemon.Controller.WaitIdle(s.Context()))
			s.WaitUntil("all sessions have begun and ended", func() bool {
				return s.Trace.Count("event connection.connected") == calls && s.Daemon.Controller.Sessions() == 0
			})
			kept := (liveHeap() - before) / calls
			for range 5 { // while FreeSWITCH is asked again to hang up
				if kept > 64<<10 {
					clock.Sleep(s.Context(), s.Clock, time.Second)
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
			s.WaitIdle()
		})
	}
}

// BenchmarkEndedCalls reports what the process holds for a call that has ended a
// moment ago, the simulated switch included. Run it with -benchtime 12000x.
func BenchmarkEndedCalls(b *testing.B) {
	s := sitetest.New(b, sitetest.WithTimeout(30*sitetest.Timeout))
	document := s.Transitions("in.ccxml", `
<transition event="connection.alerting"><accept/></transition>
<transition event="connection.connected"><exit/></transition>`)
	s.Dial(document)
	s.WaitIdle()
	before := liveHeap()
	b.ResetTimer()
	const atOnce = 100
	for i := range b.N {
		s.Dial(document)
		if i%atOnce == atOnce-1 || i == b.N-1 {
			s.Trace.Reset()
			s.WaitIdle()
		}
	}
	b.StopTimer()
	b.ReportMetric(float64(liveHeap()-before)/float64(b.N), "B/ended-call")
}
