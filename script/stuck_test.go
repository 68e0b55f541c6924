package script_test

import (
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dop251/goja"

	"ccxmld/script"
)

// TestAnEvaluationThatDoesNotEnd: what does not end when it is told to is told of
// with its place, and its goroutine ends without coming back to its caller.
func TestAnEvaluationThatDoesNotEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stuck, back := make(chan script.Position, 1), make(chan struct{})
		s := newSession(t, script.Limits{
			Time:  time.Millisecond,
			Stuck: func(at script.Position) { stuck <- at },
			Back:  func() { close(back) },
		})
		goOn := make(chan struct{})
		s.declare("ccxml", "hang", func(goja.FunctionCall) goja.Value { <-goOn; return goja.Undefined() })
		ended, returned := make(chan struct{}), false
		go func() {
			defer close(ended)
			_, _ = s.eval("hang()")
			returned = true
		}()
		if got := <-stuck; got != at {
			t.Errorf("stuck at %v, want %v", got, at)
		}
		close(goOn)
		<-back
		<-ended
		if returned {
			t.Error("the evaluation came back to its caller")
		}
		runtime.KeepAlive(s)
	})
}
