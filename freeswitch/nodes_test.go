package freeswitch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ccxmld/clock"
	"ccxmld/esl"
)

// withNodes runs a test in virtual time with nodes a, b, ... of these weights, all of
// whose links are up. A node's machine is called as it, in capitals.
func withNodes(t *testing.T, o NodesOptions, weights []int, test func(t *testing.T, all *Nodes, sockets map[string]*eventSocket)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		sockets := make(map[string]*eventSocket)
		for name := range strings.SplitSeq("a b c d", " ") {
			sockets[name] = &eventSocket{answers: map[string]string{"switchname": strings.ToUpper(name), "global_getvar core_uuid": name}}
		}
		o.ID, o.Owner, o.Clock, o.Logger = "c", new(told), clock.Real(), slog.New(slog.DiscardHandler)
		o.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			return sockets[address].dial(ctx, network, address)
		}
		all := NewNodes(o, options(weights...))
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			all.Run(ctx)
		}()
		if err := all.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		test(t, all, sockets)
		cancel()
		<-ended
	})
}

func options(weights ...int) (list []NodeOptions) {
	for i, weight := range weights {
		name := string(rune('a' + i))
		list = append(list, NodeOptions{Name: name, Address: name, Password: "p", Weight: weight})
	}
	return list
}

// picked are the nodes that so many calls get.
func picked(t *testing.T, all *Nodes, calls int, except ...*Node) string {
	t.Helper()
	var names string
	for range calls {
		node, err := all.Pick(except...)
		if err != nil {
			return names + " " + err.Error()
		}
		names += node.Name()
	}
	return names
}

func TestCallsAreSpreadByWeight(t *testing.T) {
	for _, test := range []struct {
		weights []int
		want    string
	}{
		{[]int{1, 1}, "abababab"},
		{[]int{3, 1}, "aabaaaba"},
		{[]int{0, 2}, "bbbbbbbb"},
		{[]int{1, 2, 1}, "bacbbacb"},
		{[]int{0}, " no FreeSWITCH node takes a call (a: has weight 0)"},
		{nil, " no FreeSWITCH node is configured; add one to nodes"},
	} {
		withNodes(t, NodesOptions{}, test.weights, func(t *testing.T, all *Nodes, _ map[string]*eventSocket) {
			if got := picked(t, all, 8); got != test.want {
				t.Errorf("of weights %v, %q is picked, want %q", test.weights, got, test.want)
			}
		})
	}
}

// A call goes to a node that is up and well, to one whose calls fail where all others
// are down or were tried, and is refused with the reason of each.
func TestNodesThatTakeNoCalls(t *testing.T) {
	withNodes(t, NodesOptions{}, []int{1, 1, 1}, func(t *testing.T, all *Nodes, sockets map[string]*eventSocket) {
		a, b := all.All()[0], all.All()[1]
		if got := picked(t, all, 4, a); got != "bcbc" {
			t.Errorf("without a, %s", got)
		}
		for range failuresInARow {
			b.Failed("CRASH")
		}
		if got := picked(t, all, 4, a); got != "cccc" {
			t.Errorf("while b rests, %s", got)
		}
		sockets["c"].cut()
		if got := picked(t, all, 2, a); got != "bb" {
			t.Errorf("while c is down, %s", got)
		}
		if node, err := all.PickOn("C"); err != nil || node.Name() == "c" {
			t.Errorf("picked %v, %v", node, err)
		}
		if node, err := all.PickOn("B"); err != nil || node != b {
			t.Errorf("picked %v, %v", node, err)
		}
		var status []string
		for _, s := range all.Status() {
			status = append(status, fmt.Sprintf("%s: %v", s.Name, s.Err))
		}
		want := []string{"a: <nil>", "b: passed over for 10s: 3 calls in a row failed by its own fault, the last with CRASH", "c: not connected: " + errRefused.Error()}
		time.Sleep(time.Second) // c was tried again
		synctest.Wait()
		status[2] = fmt.Sprintf("%s: %v", all.Status()[2].Name, all.Status()[2].Err)
		if !slices.Equal(status, want) {
			t.Errorf("status %q, want %q", status, want)
		}
		if got := picked(t, all, 1, a, b); got != " no FreeSWITCH node takes a call (a: was tried; b: was tried; c: connection refused)" {
			t.Error(got)
		}
	})
	withNodes(t, NodesOptions{OriginatesPerSecond: 1, OriginatesWaiting: 1}, []int{1, 1}, func(t *testing.T, all *Nodes, _ map[string]*eventSocket) {
		a := all.All()[0]
		for range 2 {
			if _, _, err := a.TakeTurn(func(f func()) bool { f(); return true }, []string{"s"}, func() bool { return true }); err != nil {
				t.Fatal(err)
			}
		}
		if got := picked(t, all, 3); got != "bbb" {
			t.Errorf("while a has no turn left, %s", got)
		}
	})
}

func TestNodesByMachine(t *testing.T) {
	withNodes(t, NodesOptions{}, []int{1, 1}, func(t *testing.T, all *Nodes, _ map[string]*eventSocket) {
		for machine, want := range map[string]*Node{"A": all.All()[0], "B": all.All()[1], "a": nil, "": nil} {
			if got := all.On(machine); got != want {
				t.Errorf("machine %q is %v", machine, got)
			}
		}
	})
}

// A node that is kept keeps its link and has its new weight; one that is taken out gets
// no calls, and its link ends when it is told to.
func TestNodesComeAndGo(t *testing.T) {
	withNodes(t, NodesOptions{}, []int{1, 1}, func(t *testing.T, all *Nodes, sockets map[string]*eventSocket) {
		a, b := all.All()[0], all.All()[1]
		next := slices.Delete(options(3, 1, 1), 1, 2) // without b
		added, removed := all.Set(next)
		synctest.Wait()
		if len(added) != 1 || added[0].Name() != "c" || len(removed) != 1 || removed[0] != b || all.All()[0] != a {
			t.Fatalf("added %v, removed %v", added, removed)
		}
		if !added[0].Up() || !b.Up() {
			t.Errorf("the new one is up: %t, the old one: %t", added[0].Up(), b.Up())
		}
		if got := picked(t, all, 8); strings.Count(got, "a") != 6 || strings.Count(got, "c") != 2 {
			t.Errorf("picked %s", got)
		}
		all.End(b)
		synctest.Wait()
		if b.Up() || !a.Up() || !added[0].Up() {
			t.Errorf("up are a %t, b %t, c %t", a.Up(), b.Up(), added[0].Up())
		}
		time.Sleep(time.Hour)
		if b.Up() {
			t.Error("the link of a node that was taken out comes again")
		}
		other := options(3)
		other[0].Password = "q" // another link
		if added, removed = all.Set(other); len(added) != 1 || len(removed) != 2 || added[0] == a {
			t.Errorf("added %v, removed %v", added, removed)
		}
	})
}

// Nodes that never ran can be changed and ended; none of their links is there.
func TestNodesThatDoNotRun(t *testing.T) {
	var log bytes.Buffer
	refuses := func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("dialled") }
	all := NewNodes(NodesOptions{Clock: clock.NewManual(time.Time{}), Dial: refuses, Logger: slog.New(slog.NewTextHandler(&log, nil))}, options(1))
	added, removed := all.Set(options(1, 1)[1:])
	all.End(removed[0])
	all.End(added[0])
	if got := picked(t, all, 1); got != " no FreeSWITCH node takes a call (b: "+esl.ErrLinkDown.Error()+")" {
		t.Error(got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := all.Wait(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("waited for links that nobody runs: %v", err)
	}
	if strings.Contains(log.String(), "taken out ends") {
		t.Error("a link ends that never was")
	}
}
