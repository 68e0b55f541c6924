package callcontrol_test

import (
	"strings"
	"sync"
	"testing"

	"ccxmld/sitetest"
)

// TestCallsThatDoNotArrive: a call that is moved to a session of another controller does
// not get there, since FreeSWITCH refuses to send it or does not. It stays, or ends with
// its session; and the other session has nothing of it.
func TestCallsThatDoNotArrive(t *testing.T) {
	t.Parallel()
	stays := `<transition event="error.move" cond="true"><log expr="'not moved: ' + event$.reason"/><dialogstart connectionid="c" src="'null:?text=Stay with us.'" type="'audio/wav'"/></transition>`
	leaves := strings.ReplaceAll(ways["connected"], "/></transition>", `/><exit/></transition>`)
	leaves = strings.Replace(leaves, `<accept/><exit/>`, `<accept/>`, 1)
	for _, test := range []struct {
		name, host string
		refuses    bool
		want       string
	}{
		{"refused", ways["connected"] + stays, true, "esl: FreeSWITCH answered -ERR REFUSED"},
		{"lost", ways["connected"] + stays, false, "the leg did not come within"},
		{"refused and left", leaves, true, ""},
		{"lost and left", leaves, false, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			told := &orders{times: 1}
			var once sync.Once
			one := sitetest.New(t, sitetest.WithToken("guest.ccxml"), func(o *sitetest.Options) {
				o.Switch.Refuses = told.refused
				o.Switch.Idle = func(name, _ string) (idle bool) {
					if name == "uuid_transfer" && !test.refuses {
						once.Do(func() { idle = true })
					}
					return idle
				}
			})
			if test.refuses {
				told.refuses = "uuid_transfer"
			}
			one.Document("guest.ccxml", guest)
			other := one.AddDaemon()
			session := other.StartToken("")
			caller := one.Dial(one.Document("host.ccxml", host(session, test.host)))
			if test.want != "" {
				one.Must(one.Trace.WaitText(one.Context(), test.want))
				one.Must(caller.WaitHeard(one.Context(), "Stay with us."))
				caller.Hangup()
			} else if _, err := caller.WaitEnded(one.Context()); err != nil {
				t.Error(err)
			}
			one.WaitIdle()
			other.WaitUntil("the other controller waits for it no more", func() bool { return other.Daemon.Controller.Connections() == 0 })
			if other.Trace.Has("guest connected") || other.Trace.Has("guest lost it") {
				t.Error("the other session has heard of it")
			}
			other.Get("/ccxml/basichttp?sessionid=" + session + "&name=ccxml.kill")
			other.WaitIdle()
		})
	}
}
