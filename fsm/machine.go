package fsm

import (
	"context"
	"log/slog"
	"slices"
)

// Machine is a state of a table. Take alone changes it. It is not for concurrent use.
type Machine[S, I ~string] struct {
	table  *Table[S, I]
	state  S
	missed []key[S, I] // what the table does not have, and the log has already
}

// State is the machine's state.
func (m *Machine[S, I]) State() S { return m.state }

// Is tells whether the machine is in one of the states.
func (m *Machine[S, I]) Is(states ...S) bool { return slices.Contains(states, m.state) }

// Take takes an input, and tells what is to be done about it. The state has changed by
// then. An input that the table does not have for the state changes nothing, and is
// logged, once for each pair of the two. log gives the logger when there is something
// to say.
func (m *Machine[S, I]) Take(input I, log func() *slog.Logger) Action {
	row, news := m.step(input)
	if news {
		tell(log(), m.table.name, row)
	}
	return row.Do
}

// Step is Take for who holds a lock, and may not log meanwhile: later does that.
func (m *Machine[S, I]) Step(input I) (do Action, later func(log *slog.Logger)) {
	row, news := m.step(input)
	return row.Do, func(log *slog.Logger) {
		if news {
			tell(log, m.table.name, row)
		}
	}
}

// step takes an input, and tells whether there is something to log.
func (m *Machine[S, I]) step(input I) (row Row[S, I], news bool) {
	row, ok := m.table.Next(m.state, input)
	m.state = row.To
	if ok {
		return row, row.From != row.To
	}
	k := key[S, I]{row.From, row.On}
	if slices.Contains(m.missed, k) {
		return row, false
	}
	m.missed = append(m.missed, k)
	return row, true
}

// NotInTable is what the log says of an input that a table does not have.
const NotInTable = "an input that the table of its state machine does not have"

func tell[S, I ~string](log *slog.Logger, machine string, row Row[S, I]) {
	switch {
	case row.Source == "": // a line of the table has one
		log.Warn(NotInTable, "machine", machine, "state", row.From, "input", row.On)
	case log.Enabled(context.Background(), slog.LevelDebug):
		log.Debug(machine, "from", row.From, "to", row.To, "on", row.On)
	}
}
