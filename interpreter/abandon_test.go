package interpreter_test

import (
	"testing"
	"testing/synctest"

	"github.com/dop251/goja"

	"ccxmld/interpreter"
)

// TestASessionThatIsGivenUp: a session whose script does not end when it is told to
// ends without it and releases what it holds; when the script comes back it changes
// nothing.
func TestASessionThatIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		abandoned, back := make(chan struct{}), make(chan struct{})
		s, platform := newSession(t, `<transition event="hang"><log expr="'before'"/><log expr="hang()"/><log expr="'after'"/></transition>`,
			func(o *interpreter.Options) {
				o.Limits.Script.Time = 1_000_000 // a millisecond
				o.Limits.Script.Back = func() { close(back) }
				o.Abandoned = func() { close(abandoned) }
			})
		goOn := make(chan struct{})
		s.DeclareFunction("hang", func(goja.FunctionCall) goja.Value { <-goOn; return goja.Undefined() })
		s.Start()
		s.Post(&interpreter.Event{Name: "hang"})
		<-abandoned
		<-s.Done()
		if s.Post(&interpreter.Event{Name: "more"}) {
			t.Error("the session takes events")
		}
		close(goOn)
		<-back
		wantTrace(t, platform, "log before", "ended: doc.ccxml:1: a script did not end when it was told to")
	})
}
