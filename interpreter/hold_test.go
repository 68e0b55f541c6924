package interpreter_test

import (
	"testing"
	"testing/synctest"

	"ccxmld/interpreter"
)

// A session that is held does nothing but what is urgent, and goes on where it was.
func TestHold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var goOn func()
		closed := false
		s, platform := newSession(t, `<transition event="user.a"><log expr="'a'"/></transition>`, func(o *interpreter.Options) {
			o.Hold = func(f func()) bool {
				if closed {
					goOn = f
				}
				return closed
			}
		})
		s.Start()
		synctest.Wait()
		closed = true
		done := false
		s.Post(&interpreter.Event{Name: "user.a"})
		s.Do(func() { done = true })
		synctest.Wait()
		if done {
			t.Error("it does something while it is held")
		}
		var urgent bool
		s.Urgent(func() { urgent = !done })
		synctest.Wait()
		if !urgent || done {
			t.Errorf("urgent: %t, other: %t", urgent, done)
		}
		closed = false
		goOn()
		synctest.Wait()
		if !done {
			t.Error("it does not go on")
		}
		closed = true
		s.Post(&interpreter.Event{Name: "user.a"})
		s.Urgent(func() { s.Drop("it is another's") })
		<-s.Done()
		wantTrace(t, platform, "log a", "ended: it is another's")
	})
}
