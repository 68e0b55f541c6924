package switchsim_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"ccxmld/clock"
	"ccxmld/switchsim"
)

const (
	peerSecret = "00112233445566778899aabbccddeeff"
	peerCall   = "{sip_h_X-ccxmld-cascade=" + peerSecret + ",media_timeout=10000}sofia/ccxmld/cascade@10.0.0.1:5090 conference:ccxmld-a-x1@ccxmld+flags{blind|vmute} inline"
)

// peers are two switches on a virtual clock, of which the second reaches the first.
func peers(t *testing.T) (c *clock.Virtual, one, two *switchsim.Switch) {
	t.Helper()
	c = clock.NewVirtual(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	one, two = switchsim.New(switchsim.Options{Clock: c, Name: "one"}), switchsim.New(switchsim.Options{Clock: c, Name: "two"})
	two.Reach("10.0.0.1:5090", one)
	t.Cleanup(func() {
		c.Stop()
		two.Close()
		one.Close()
		c.Leave()
	})
	return c, one, two
}

func member(t *testing.T, sw *switchsim.Switch, number string) *switchsim.Party {
	t.Helper()
	p, err := sw.Dial(switchsim.Call{From: number, Dialplan: []switchsim.Action{{Application: "answer"}, {Application: "conference", Data: "ccxmld-a-x1@ccxmld"}}})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestRoomsOnTwoSwitches: whoever is in a room hears who is in the room on the other
// switch, once a call joins the two, until that call ends on either side.
func TestRoomsOnTwoSwitches(t *testing.T) {
	for _, end := range []string{"one", "two"} {
		c, one, two := peers(t)
		a, b, b2 := member(t, one, "101"), member(t, two, "102"), member(t, two, "103")
		one.API("global_setvar ccxmld_cascade_" + peerSecret + "=ccxmld-a-x1@ccxmld+flags{blind|vmute}")
		two.Originate(peerCall, nil)
		sleep := func() { clock.Sleep(context.Background(), c, time.Second) }
		sleep()
		if got := a.Hears(); !slices.Equal(got, []string{"102", "103"}) {
			t.Errorf("101 hears %v", got)
		}
		if got := b.Hears(); !slices.Equal(got, []string{"101", "103"}) {
			t.Errorf("102 hears %v", got)
		}
		at := map[string]*switchsim.Switch{"one": one, "two": two}[end]
		at.API("conference ccxmld-a-x1 kick all")
		sleep()
		if n := len(one.Conference("ccxmld-a-x1")) + len(two.Conference("ccxmld-a-x1")); n != map[string]int{"one": 2, "two": 1}[end] {
			t.Errorf("after the end of %s, %d members", end, n)
		}
		_ = b2
	}
}

// TestCallsBetweenSwitchesAreRefused: without the secret, with one that was used, and
// where the other switch is not there, the call fails.
func TestCallsBetweenSwitchesAreRefused(t *testing.T) {
	c, one, two := peers(t)
	results := make([]string, 4)
	call := func(i int, command string) {
		two.Originate(command, func(result string) { results[i] = result })
		clock.Sleep(context.Background(), c, time.Second)
	}
	call(0, "sofia/ccxmld/cascade@10.0.0.1:5090 conference:ccxmld-a-x1@ccxmld inline")
	one.API("global_setvar ccxmld_cascade_" + peerSecret + "=ccxmld-a-x1@ccxmld+flags{blind|vmute}")
	call(1, peerCall)
	call(2, peerCall)
	one.Close()
	call(3, peerCall)
	clock.Sleep(context.Background(), c, 11*time.Second)
	if n := two.Channels(); n > 0 {
		t.Errorf("%d calls survive the other switch", n)
	}
	for i, want := range []string{"-ERR CALL_REJECTED\n", "+OK ", "-ERR CALL_REJECTED\n", "-ERR NORMAL_TEMPORARY_FAILURE\n"} {
		if got := results[i]; len(got) < len(want) || got[:len(want)] != want {
			t.Errorf("call %d: %q, want %q", i, got, want)
		}
	}
}
