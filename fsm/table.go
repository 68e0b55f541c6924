package fsm

import (
	"fmt"
	"slices"
)

// Action names what is to be done when a machine has taken an input. The empty one is
// nothing.
type Action string

// Row is a line of a table.
type Row[S, I ~string] struct {
	From   S
	On     I
	To     S
	Do     Action // "" for nothing
	Source string // the section of the specification, or FreeSWITCH's module and event
}

// Line makes a row: in the state from, the input on leads to the state to.
func Line[S, I ~string](from S, on I, to S, do Action, source string) Row[S, I] {
	return Row[S, I]{from, on, to, do, source}
}

// Stay is a line for inputs that come in a state, and change nothing there.
type Stay[S, I ~string] struct {
	In     []S
	On     []I
	Source string // why they come, as that of Row
}

// Table is a state machine. It is not changed once it is made, and may be used in any
// goroutine.
type Table[S, I ~string] struct {
	name   string
	begins []S
	states []S
	inputs []I
	rows   []Row[S, I]
	next   map[key[S, I]]int // in rows
}

type key[S, I ~string] struct {
	state S
	input I
}

// NewTable makes a table, for machines that begin in one of the states. It panics if a
// state has two lines for one input, or a line does not say where it is specified, or
// no line leads to a state: tables are made when the program starts.
func NewTable[S, I ~string](name string, begins []S, rows []Row[S, I], stays ...Stay[S, I]) *Table[S, I] {
	t := &Table[S, I]{name: name, begins: begins, next: make(map[key[S, I]]int)}
	for _, s := range begins {
		t.addState(s)
	}
	reached := slices.Clone(begins)
	for _, r := range rows {
		t.add(r)
		reached = append(reached, r.To)
	}
	for _, s := range stays {
		for _, in := range s.In {
			for _, on := range s.On {
				t.add(Row[S, I]{From: in, On: on, To: in, Source: s.Source})
			}
		}
	}
	for _, s := range t.states {
		if !slices.Contains(reached, s) {
			panic(fmt.Sprintf("fsm: nothing leads to state %q of %s", s, name))
		}
	}
	return t
}

func (t *Table[S, I]) add(r Row[S, I]) {
	k := key[S, I]{r.From, r.On}
	if _, twice := t.next[k]; twice {
		panic(fmt.Sprintf("fsm: %s has two lines for %q in state %q", t.name, r.On, r.From))
	}
	if r.Source == "" {
		panic(fmt.Sprintf("fsm: %s does not say where %q in state %q is specified", t.name, r.On, r.From))
	}
	t.next[k] = len(t.rows)
	t.rows = append(t.rows, r)
	t.addState(r.From)
	t.addState(r.To)
	if !slices.Contains(t.inputs, r.On) {
		t.inputs = append(t.inputs, r.On)
	}
}

func (t *Table[S, I]) addState(s S) {
	if !slices.Contains(t.states, s) {
		t.states = append(t.states, s)
	}
}

// Name is what the machine is the state of.
func (t *Table[S, I]) Name() string { return t.name }

// States lists the states in the order of the table.
func (t *Table[S, I]) States() []S { return slices.Clone(t.states) }

// Inputs lists the inputs in the order of the table.
func (t *Table[S, I]) Inputs() []I { return slices.Clone(t.inputs) }

// Next gives the line for an input in a state; ok is false where there is none.
func (t *Table[S, I]) Next(state S, input I) (row Row[S, I], ok bool) {
	i, ok := t.next[key[S, I]{state, input}]
	if !ok {
		return Row[S, I]{From: state, On: input, To: state}, false
	}
	return t.rows[i], true
}

// At makes a machine in a state. It panics if the table does not have that.
func (t *Table[S, I]) At(state S) Machine[S, I] {
	m, err := t.Restore(state)
	if err != nil {
		panic(err)
	}
	return m
}

// Restore makes a machine in a state that was written down; it is an error if the table
// does not have that.
func (t *Table[S, I]) Restore(state S) (Machine[S, I], error) {
	if !slices.Contains(t.states, state) {
		return Machine[S, I]{}, fmt.Errorf("%s has no state %q", t.name, state)
	}
	return Machine[S, I]{table: t, state: state}, nil
}
