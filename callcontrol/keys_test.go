package callcontrol_test

import (
	"os"
	"strconv"
	"testing"
	"time"

	"ccxmld/sitetest"
	"ccxmld/switchsim"
)

const keysPlain = `<transition event="connection.alerting"><accept/></transition>
<transition event="connection.connected"><dialogstart src="'tone_stream://%(100,0,440)'" type="'audio/wav'"/></transition>
<transition event="dialog.exit"><send target="session.id" targettype="'ccxml'" name="'later'" delay="'300ms'"/></transition>
<transition event="later"><disconnect/></transition>
<transition event="connection.disconnected"><exit/></transition>`

// TestCallsLeaveNoKey: after a thousand calls, of which some have met in conferences, Redis
// has only the keys that docs/redis.md says are there without a session. TEST_CALLS is how
// many calls there are instead.
func TestCallsLeaveNoKey(t *testing.T) {
	t.Parallel()
	calls := 300
	if text := os.Getenv("TEST_CALLS"); text != "" {
		var err error
		if calls, err = strconv.Atoi(text); err != nil {
			t.Fatal("TEST_CALLS: expected a number, such as 10000:", err)
		}
	}
	l := &load{Site: sitetest.New(t, sitetest.With("CONTROLLER_ID", "c1"))}
	l.living = []*controller{{Site: l.Site, name: "c1"}}
	plain, room := l.Transitions("plain.ccxml", keysPlain), l.Transitions("room.ccxml", loadRoom, "c d r")
	const together = 50
	written := false
	for done := 0; done < calls; done += together {
		var inRoom []*switchsim.Party
		for i := range together {
			document := plain
			if i%10 == 0 {
				document = room
			}
			caller, err := l.Switch.Dial(switchsim.Call{From: l.number("1"), Sockets: []string{l.Daemon.ESLAddress()},
				Variables: map[string]string{"ccxml_uri": document}})
			l.Must(err)
			if i%10 == 0 {
				inRoom = append(inRoom, caller)
			}
		}
		l.Sleep(400 * time.Millisecond)
		written = written || l.keys() != ""
		for _, caller := range inRoom {
			caller.Hangup()
		}
		l.WaitIdle()
		l.WaitSwitchIdle()
	}
	if !written {
		t.Error("no session was ever written down")
	}
	l.within(30*time.Second, l.keys) // the next renewals take out what has ended
	for session, err := range l.Daemon.Store.Sessions(l.Context()) {
		l.Must(err)
		t.Errorf("session %s is left", session.ID)
	}
	all, err := l.Daemon.Store.Client().Keys(l.Context(), "*").Result()
	l.Must(err)
	if len(all) > 12 {
		t.Errorf("after %d calls there are %d keys: %q", calls, len(all), all)
	}
}
