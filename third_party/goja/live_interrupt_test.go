package goja

import "testing"

// TestMeasuredWhileInterrupted fails under the race detector if measuring looks at what
// an interrupt writes from another goroutine.
func TestMeasuredWhileInterrupted(t *testing.T) {
	r := New()
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 100 {
			r.Interrupt("enough")
		}
	}()
	for range 100 {
		r.heldBytes(1 << 30)
	}
	<-done
}
