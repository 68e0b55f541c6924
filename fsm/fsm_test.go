package fsm_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"ccxmld/fsm"
)

type (
	state string
	input string
)

const (
	closed state = "closed"
	open   state = "wide open"

	opens  input = "opens"
	kicked input = "kicked"
	closes input = "closes"
)

func door() *fsm.Table[state, input] {
	return fsm.NewTable("door", []state{closed}, []fsm.Row[state, input]{
		fsm.Line(closed, opens, open, "light", "house rules, 2"),
		fsm.Line(closed, kicked, open, "light", "house rules, 3"),
		fsm.Line(open, closes, closed, "", "house rules, 4"),
	}, fsm.Stay[state, input]{In: []state{open}, On: []input{opens, kicked}, Source: "house rules, 5"})
}

// A machine goes by its table, and tells what is to be done.
func TestTake(t *testing.T) {
	var log bytes.Buffer
	logger := func() *slog.Logger { return slog.New(slog.NewTextHandler(&log, nil)) }
	m := door().At(closed)
	for _, step := range []struct {
		input input
		do    fsm.Action
		state state
	}{{opens, "light", open}, {kicked, "", open}, {closes, "", closed}, {kicked, "light", open}} {
		if do := m.Take(step.input, logger); do != step.do || !m.Is(step.state) || m.State() != step.state {
			t.Fatalf("%s: %q, now %q; want %q, %q", step.input, do, m.State(), step.do, step.state)
		}
	}
	if log.Len() > 0 {
		t.Errorf("logged: %s", &log)
	}
}

// An input that the table does not have changes nothing, and is logged once with both
// names.
func TestInputThatTheTableDoesNotHave(t *testing.T) {
	var log bytes.Buffer
	logger := func() *slog.Logger { return slog.New(slog.NewTextHandler(&log, nil)) }
	m, other := door().At(closed), door().At(closed)
	for range 3 {
		if do := m.Take(closes, logger); do != "" || m.State() != closed {
			t.Errorf("%q, now %q", do, m.State())
		}
	}
	if text := log.String(); strings.Count(text, fsm.NotInTable) != 1 || !strings.Contains(text, "level=WARN") ||
		!strings.Contains(text, "machine=door state=closed input=closes") {
		t.Errorf("logged: %s", text)
	}
	other.Take(closes, logger)
	if n := strings.Count(log.String(), fsm.NotInTable); n != 2 {
		t.Errorf("logged %d times for two machines", n)
	}
}

// Step logs nothing before it is asked to.
func TestStep(t *testing.T) {
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	m := door().At(closed)
	do, opened := m.Step(opens)
	_, same := m.Step(kicked)
	_, shut := m.Step(closes)
	_, missing := m.Step(closes)
	if log.Len() > 0 || do != "light" || m.State() != closed {
		t.Errorf("%q, now %q, logged: %s", do, m.State(), &log)
	}
	for _, later := range []func(*slog.Logger){opened, same, shut, missing} {
		later(logger)
	}
	if text := log.String(); strings.Count(text, "level=DEBUG msg=door") != 2 || strings.Count(text, fsm.NotInTable) != 1 {
		t.Errorf("logged: %s", text)
	}
}

// A state that was written down is found again, and no other.
func TestRestore(t *testing.T) {
	for _, s := range door().States() {
		if m, err := door().Restore(s); err != nil || m.State() != s {
			t.Errorf("%q: %q, %v", s, m.State(), err)
		}
	}
	if _, err := door().Restore("ajar"); err == nil || err.Error() != `door has no state "ajar"` {
		t.Errorf("ajar: %v", err)
	}
}

// What is wrong with a table is said when it is made.
func TestTablesThatAreWrong(t *testing.T) {
	row := fsm.Row[state, input]{From: closed, On: opens, To: open, Source: "2"}
	for want, make := range map[string]func(){
		`fsm: door has two lines for "opens" in state "closed"`: func() {
			fsm.NewTable("door", []state{closed}, []fsm.Row[state, input]{row, row})
		},
		`fsm: door does not say where "opens" in state "closed" is specified`: func() {
			fsm.NewTable("door", []state{closed}, []fsm.Row[state, input]{{From: closed, On: opens, To: open}})
		},
		`fsm: nothing leads to state "closed" of door`: func() {
			fsm.NewTable("door", []state{open}, []fsm.Row[state, input]{row})
		},
	} {
		func() {
			defer func() {
				if got := recover(); got != want {
					t.Errorf("panic %v, want %v", got, want)
				}
			}()
			make()
		}()
	}
}

// The picture has the changes, those of one action on one arrow.
func TestMermaid(t *testing.T) {
	const want = `stateDiagram-v2
    state "closed" as s0
    state "wide open" as s1
    [*] --> s0
    s0 --> s1: opens, kicked / light
    s1 --> s0: closes
`
	if got := door().Mermaid(); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}
