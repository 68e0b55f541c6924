package dialog_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"ccxmld/clock/clocktest"
	"ccxmld/dialog"
	"ccxmld/dialog/dialogtest"
)

// Music plays under what is heard until it is terminated, or the leg is gone.
func TestBackground(t *testing.T) {
	for name, c := range map[string]struct {
		source string
		end    func(*dialogtest.Leg, dialog.Dialog)
		want   []string
	}{
		"terminated": {"/music.wav", func(leg *dialogtest.Leg, d dialog.Dialog) { leg.Call(func() { d.Terminate(false) }) },
			[]string{"under /music.wav", "not under /music.wav", "started", "exited"}},
		"hung up": {"/music.wav", func(leg *dialogtest.Leg, d dialog.Dialog) { leg.Call(d.HungUp) },
			[]string{"under /music.wav", "started", "exited"}},
		"missing": {"/none.wav", func(*dialogtest.Leg, dialog.Dialog) {},
			[]string{"not started: /none.wav cannot be played in the background: -ERR Cannot displace session"}},
		"not audio": {"exec:rm", func(*dialogtest.Leg, dialog.Dialog) {},
			[]string{"not started: exec: sources are not played; use a file or an HTTP URI"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				leg := dialogtest.NewLeg()
				leg.Sounds["/music.wav"] = time.Minute
				var events []string
				service := dialog.New(dialog.Options{Clock: clocktest.Real()})
				var d dialog.Dialog
				leg.Call(func() {
					d = service.Start(dialog.Request{ID: "d1", Source: c.source, Type: "audio/wav", Hints: map[string]any{"background": true}},
						leg, leg.Do, dialog.Events{
							Started:    func() { events = append(events, "started") },
							NotStarted: func(reason string) { events = append(events, "not started: "+reason) },
							Exited:     func(dialog.Result) { events = append(events, "exited") },
						})
				})
				leg.Pass(time.Second)
				c.end(leg, d)
				got := append(leg.Heard(), events...)
				if !slices.Equal(got, c.want) {
					t.Errorf("got %q, expected %q", got, c.want)
				}
				leg.Close()
			})
		})
	}
}
