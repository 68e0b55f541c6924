package fsm

import (
	"fmt"
	"slices"
	"strings"
)

// Mermaid draws the table as a state diagram. What changes nothing is left out; the
// inputs that lead from one state to another with the same action stand on one arrow.
func (t *Table[S, I]) Mermaid() string {
	var b strings.Builder
	b.WriteString("stateDiagram-v2\n")
	for i, s := range t.states {
		fmt.Fprintf(&b, "    state %q as %s\n", s, node(i))
	}
	for _, s := range t.begins {
		fmt.Fprintf(&b, "    [*] --> %s\n", t.node(s))
	}
	drawn := make(map[string]bool)
	for _, r := range t.rows {
		if r.From == r.To && r.Do == "" {
			continue
		}
		arrow := fmt.Sprintf("    %s --> %s", t.node(r.From), t.node(r.To))
		if drawn[arrow] {
			continue
		}
		drawn[arrow] = true
		fmt.Fprintf(&b, "%s: %s\n", arrow, strings.Join(t.labels(r.From, r.To), "<br>"))
	}
	return b.String()
}

// labels are what stands on the arrow between two states.
func (t *Table[S, I]) labels(from, to S) (labels []string) {
	var actions []Action
	inputs := make(map[Action][]string)
	for _, r := range t.rows {
		if r.From != from || r.To != to || from == to && r.Do == "" {
			continue
		}
		if !slices.Contains(actions, r.Do) {
			actions = append(actions, r.Do)
		}
		inputs[r.Do] = append(inputs[r.Do], string(r.On))
	}
	for _, action := range actions {
		label := strings.Join(inputs[action], ", ")
		if action != "" {
			label += " / " + string(action)
		}
		labels = append(labels, label)
	}
	return labels
}

func (t *Table[S, I]) node(s S) string { return node(slices.Index(t.states, s)) }

func node(i int) string { return fmt.Sprintf("s%d", i) }
