package callcontrol

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"ccxmld/interpreter"
	"ccxmld/peer"
)

// A session that sends to any number of sessions that are not at hand has so many
// messages on their way and no more; those that arrive make room.
func TestMessagesOnTheirWay(t *testing.T) {
	c := newSession(t)
	var queues []func(context.Context) // one for each session, none of which is at work yet
	c.controller.peers = peer.New(peer.Options{Start: func(f func(context.Context)) { queues = append(queues, f) }})
	failed := make(chan string, 2*maxAway)
	send := func(i int) {
		c.Send(interpreter.SendRequest{Target: fmt.Sprint("session ", i), Event: "x"}, func(r interpreter.SendResult) { failed <- r.Reason })
	}
	do := func(f func()) {
		ran := make(chan struct{})
		c.session.Do(func() { f(); close(ran) })
		<-ran
	}
	do(func() {
		for i := range maxAway + 1 {
			send(i)
		}
	})
	if reason := <-failed; !strings.Contains(reason, "1000 messages of this session are on their way to other sessions already") {
		t.Errorf("one too many: %s", reason)
	}
	c.controller.sessions = map[string]*control{"session 0": newSession(t)} // it has come to be
	queues[0](t.Context())
	<-failed
	do(func() { send(maxAway + 1) })
	do(func() {})
	select {
	case reason := <-failed:
		t.Errorf("after one has arrived: %s", reason)
	default:
	}
}
