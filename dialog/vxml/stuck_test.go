package vxml_test

import (
	"runtime/debug"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ccxmld/clock"
	"ccxmld/clock/clocktest"
	"ccxmld/dialog"
	"ccxmld/dialog/dialogtest"
	"ccxmld/dialog/vxml"
	"ccxmld/script"
)

// hangingClock does not tell scripts what time it is until it is released.
type hangingClock struct {
	clock.Clock
	released chan struct{}
}

func (c hangingClock) Now() time.Time {
	if strings.Contains(string(debug.Stack()), "/goja.(*Runtime)") {
		<-c.released
	}
	return c.Clock.Now()
}

// TestADialogThatIsGivenUp: a dialog whose script does not end when it is told to ends
// without it; when the script comes back, it changes nothing.
func TestADialogThatIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		back, exited := make(chan struct{}), make(chan dialog.Result, 2)
		hanging := hangingClock{clocktest.Real(), make(chan struct{})}
		s := dialog.New(dialog.Options{
			Clock:   hanging,
			Fetcher: &server{pages: map[string]string{"start.vxml": whole(`<form><block><var name="x" expr="new Date()"/><exit expr="x"/></block></form>`)}},
		})
		given := 0
		vxml.Register(s, vxml.Options{
			Limits: func() script.Limits {
				return script.Limits{Time: time.Millisecond, Back: func() { close(back) }}
			},
			Abandoned: func() { given++ },
		})
		leg := dialogtest.NewLeg()
		leg.Call(func() {
			s.Start(dialog.Request{ID: "d1", Source: "start.vxml", Base: "http://host/start.ccxml", Type: "application/voicexml+xml"}, leg, leg.Do,
				dialog.Events{Started: func() {}, Exited: func(r dialog.Result) { exited <- r }})
		})
		if r := <-exited; !strings.Contains(r.Reason, "start.vxml:1") || !strings.Contains(r.Reason, "did not end when it was told to") {
			t.Errorf("ended with %q", r.Reason)
		}
		if given != 1 {
			t.Errorf("%d scripts were given up", given)
		}
		close(hanging.released)
		<-back
		synctest.Wait()
		select {
		case r := <-exited:
			t.Errorf("ended again with %q", r.Reason)
		default:
		}
	})
}
