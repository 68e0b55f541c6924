package script_test

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"ccxmld/script"
)

// hold makes a session take so many times 50 KB.
func (s *session) hold(times int) error {
	for range times {
		if _, err := s.eval("kept.push('x'.repeat(50000) + kept.length)"); err != nil {
			return err
		}
	}
	return nil
}

func sharing(t *testing.T, shared *script.Shared, crowded func()) *session {
	t.Helper()
	s := newSession(t, script.Limits{Shared: shared, Crowded: crowded, Memory: 32 << 20})
	s.runIn("ccxml", "var kept = []")
	return s
}

// TestSharedMemory: what all hold together is bounded. The one that holds most is ended,
// or asked to be if it is idle, and the others go on.
func TestSharedMemory(t *testing.T) {
	const bound = 8 << 20
	shared := script.NewShared(bound)
	asked := 0
	big := sharing(t, shared, func() { asked++ })
	if err := big.hold(40); err != nil {
		t.Fatal(err)
	}
	var small []*session
	var err error
	for range 20 {
		s := sharing(t, shared, nil)
		small = append(small, s)
		if err = s.hold(8); err != nil {
			break
		}
	}
	if !errors.Is(err, script.ErrLimit) || !strings.Contains(err.Error(), "the scripts of all sessions hold more than 8 MiB of memory") {
		t.Errorf("at the end: %v", err)
	}
	if held := shared.Held(); held > bound/4*5+1<<20 {
		t.Errorf("%d bytes are held", held)
	}
	if asked != 1 {
		t.Errorf("the one that holds most was asked %d times", asked)
	}
	failed := big.Crowded()
	if !errors.Is(failed, script.ErrLimit) || !strings.HasPrefix(failed.Error(), "flow.ccxml:7:20: the scripts of all sessions hold more than 8 MiB of memory, and those of this one most of it") {
		t.Errorf("the one that holds most: %v", failed)
	}
	big.runIn("ccxml", "kept = null") // as its end does
	if err := big.Crowded(); err != nil {
		t.Errorf("once it holds nothing: %v", err)
	}
	if err := small[0].hold(1); err != nil {
		t.Errorf("with the room of the one that has ended: %v", err)
	}
	if err := sharing(t, shared, nil).hold(100); err == nil || !strings.Contains(err.Error(), "those of this one most of it") {
		t.Errorf("one that runs and holds most: %v", err)
	}
	runtime.KeepAlive(small) // those that are collected hold nothing
}

// TestGarbageIsNotShared: what was let go counts against nobody.
func TestGarbageIsNotShared(t *testing.T) {
	shared := script.NewShared(16 << 20)
	for n := range 50 {
		s := sharing(t, shared, func() { t.Error("one was asked to end") })
		for range 20 {
			if _, err := s.eval("('x'.repeat(100000) + " + fmt.Sprint(n) + ").length"); err != nil {
				t.Fatalf("session %d: %v", n, err)
			}
		}
	}
}
