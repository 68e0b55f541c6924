package interpreter_test

import (
	"runtime"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/dop251/goja"

	"ccxmld/interpreter"
	"ccxmld/script"
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

// TestTheSessionThatHoldsMost is ended, though it does nothing, where another one asks for
// memory that there is not for both; that one goes on.
func TestTheSessionThatHoldsMost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := script.NewShared(8 << 20)
		start := func() (*interpreter.Session, *fakePlatform) {
			s, platform := newSession(t, `<transition event="ccxml.loaded"><assign name="application.kept" expr="[]"/></transition>
				<transition event="hold"><script>for (var i = 0; i != 10; i++) application.kept.push('x'.repeat(50000) + i);</script></transition>
				<transition event="holds"><log expr="application.kept.length"/></transition>`,
				func(o *interpreter.Options) { o.Limits.Script.Shared = shared })
			s.Start()
			return s, platform
		}
		hold := func(s *interpreter.Session, times int) {
			for range times {
				post(s, "hold")
			}
			post(s, "holds")
			synctest.Wait()
		}
		big, ofBig := start()
		hold(big, 10)
		wantTrace(t, ofBig, "log 100")
		small, ofSmall := start()
		hold(small, 8)
		<-big.Done()
		ended := strings.Join(ofBig.trace.take(), "\n")
		if !strings.HasPrefix(ended, "ended: doc.ccxml:") || !strings.Contains(ended, "the scripts of all sessions hold more than 8 MiB of memory, and those of this one most of it") {
			t.Errorf("the one that holds most: %q", ended)
		}
		wantTrace(t, ofSmall, "log 80")
		runtime.GC() // which takes back what the one that ended held
		hold(small, 1)
		wantTrace(t, ofSmall, "log 90")
		small.End("")
		<-small.Done()
	})
}
