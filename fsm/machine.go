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
	row, ok := m.table.Next(m.state, input)
	if !ok {
		m.miss(key[S, I]{m.state, input}, log())
		return ""
	}
	if row.To != m.state {
		if l := log(); l.Enabled(context.Background(), slog.LevelDebug) {
			l.Debug(m.table.name, "from", row.From, "to", row.To, "on", row.On)
		}
		m.state = row.To
	}
	return row.Do
}

// NotInTable is what the log says of an input that a table does not have.
const NotInTable = "an input that the table of its state machine does not have"

func (m *Machine[S, I]) miss(k key[S, I], log *slog.Logger) {
	if slices.Contains(m.missed, k) {
		return
	}
	m.missed = append(m.missed, k)
	log.Warn(NotInTable, "machine", m.table.name, "state", k.state, "input", k.input)
}
