package metrics_test

import (
	"testing"
	"time"

	"ccxmld/metrics"
)

// BenchmarkEventHandled is what one event costs in metrics.
func BenchmarkEventHandled(b *testing.B) {
	m := metrics.New("test", func() metrics.State { return metrics.State{} })
	for b.Loop() {
		m.EventHandled(time.Millisecond, 2*time.Millisecond, 0, true)
	}
}

// BenchmarkCall is what a call with ten events costs in metrics.
func BenchmarkCall(b *testing.B) {
	m := metrics.New("test", func() metrics.State { return metrics.State{} })
	for b.Loop() {
		m.SessionStarted("newcall")
		m.CallBegan(metrics.In)
		m.CallAnswered(metrics.In, time.Second)
		for range 10 {
			m.EventHandled(time.Millisecond, 2*time.Millisecond, 0, true)
		}
		m.DialogEnded("done")
		m.CallEnded(metrics.In, "answered", time.Minute)
		m.SessionEnded("exit", time.Minute)
	}
}
