package callcontrol_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"ccxmld/clock"
	"ccxmld/switchsim"
)

// failing is a line to Redis on which so many of the commands on some keys fail.
type failing struct {
	of string

	mu   sync.Mutex
	left int
}

func (f *failing) DialHook(next redis.DialHook) redis.DialHook { return next }

func (f *failing) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if strings.Contains(cmd.String(), f.of) {
			f.mu.Lock()
			defer f.mu.Unlock()
			if f.left > 0 {
				f.left--
				err := errors.New("READONLY it fails over")
				cmd.SetErr(err)
				return err
			}
		}
		return next(ctx, cmd)
	}
}

func (f *failing) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// TestTextsAreReadAgain: Redis that fails for a moment, right after a session was claimed,
// costs no call.
func TestTextsAreReadAgain(t *testing.T) {
	t.Parallel()
	one, other := pairOfDaemons(t)
	party := one.Dial(one.Transitions("prompt", `
		<transition event="connection.alerting"><accept/></transition>
		<transition event="connection.connected"><dialogstart src="'tone_stream://%(60000,0,440)'" type="'audio/wav'"/></transition>
		<transition event="dialog.started"><log expr="'up'"/></transition>
		<transition event="ccxml.resumed"><log expr="'resumed'"/></transition>
		<transition event="connection.disconnected"><exit/></transition>`))
	one.WaitLog("up")
	line := &failing{of: "ccxml:text:", left: 4}
	other.Daemon.Store.Client().AddHook(line)
	untilWritten(one)
	other.WaitLog("resumed")
	if line.left > 0 {
		t.Error("no text was read")
	}
	party.Hangup()
	other.WaitSwitchIdle()
}

// TestMembersOfASessionThatCannotBeTakenOver leave their conference at once.
func TestMembersOfASessionThatCannotBeTakenOver(t *testing.T) {
	t.Parallel()
	one, other := pairOfDaemons(t)
	party := one.DialFrom("101", one.Document("meeting.ccxml", meeting))
	one.WaitLog("101 in 1")
	written(one)
	client := other.Daemon.Store.Client()
	keys, err := client.Keys(other.Context(), "ccxml:session:*:state").Result()
	other.Must(err)
	if len(keys) != 1 {
		t.Fatal(keys)
	}
	other.Must(client.Set(other.Context(), keys[0], "pno state at all", 0).Err())
	one.Kill()
	other.Must(other.DaemonLog.WaitText(other.Context(), "session cannot be taken over"))
	other.Sleep(time.Second)
	lines, err := other.Daemon.Roster(other.Context())
	other.Must(err)
	if len(lines) > 0 {
		t.Errorf("in the registry there are still %q", lines)
	}
	other.WaitSwitchIdle()
	if len(party.Hears()) > 0 {
		t.Error("the call goes on")
	}
}

// TestBridgeEndsWhileItIsTakenOver: what happens to a leg right after FreeSWITCH has said how
// it is is told.
func TestBridgeEndsWhileItIsTakenOver(t *testing.T) {
	t.Parallel()
	one, other := pairOfDaemons(t)
	one.Switch.Callee("200", switchsim.Answers{})
	caller := one.Dial(one.Document("bridge.ccxml", strings.ReplaceAll(bridgeDocument(callAndJoin+`
<transition event="conference.joined"><log expr="'joined'"/></transition>
<transition event="conference.unjoined"><log expr="'unjoined'"/></transition>
<transition event="connection.disconnected"><exit/></transition>`), "DEST", "tel:200")))
	one.WaitLog("joined")
	var once sync.Once
	other.Tap(func(data []byte) {
		if strings.Contains(string(data), "uuid_dump "+caller.UUID()) {
			once.Do(func() {
				end := func() { one.Switch.API("uuid_transfer " + caller.UUID() + " -both park inline") }
				clock.Go(one.Clock, func() { clock.Go(one.Clock, end) }) // after the answer to this
			})
		}
	})
	untilWritten(one)
	other.WaitLog("unjoined")
	caller.Hangup()
	other.WaitSwitchIdle()
}
