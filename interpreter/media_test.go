package interpreter_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"ccxmld/interpreter"
)

// TestGraphTellsWhatFell: each change says which edges it took away (CCXML 1.0,
// 10.4).
func TestGraphTellsWhatFell(t *testing.T) {
	a, b, c, room := endpoint("a"), endpoint("b"), endpoint("c"), endpoint("conference:room")
	tests := []struct {
		name   string
		change func(*interpreter.Graph) []interpreter.Edge
		want   string
	}{
		{"first join", func(g *interpreter.Graph) []interpreter.Edge { return g.Join(a, b, interpreter.Full, true) }, "[]"},
		{"the same again", func(g *interpreter.Graph) []interpreter.Edge { return g.Join(a, b, interpreter.Full, true) }, "[]"},
		{"listening", func(g *interpreter.Graph) []interpreter.Edge { return g.Join(c, a, interpreter.Half, true) }, "[]"},
		{"into a conference", func(g *interpreter.Graph) []interpreter.Edge { return g.Join(a, room, interpreter.Full, true) }, "[{b a true} {a b true}]"},
		{"the other too", func(g *interpreter.Graph) []interpreter.Edge { return g.Join(room, b, interpreter.Full, false) }, "[]"},
		{"half of it", func(g *interpreter.Graph) []interpreter.Edge { return g.Join(b, room, interpreter.Half, true) }, "[{b conference:room false}]"},
		{"unjoin", func(g *interpreter.Graph) []interpreter.Edge { return g.Unjoin("c", "a") }, "[{a c true}]"},
		{"unjoin nothing", func(g *interpreter.Graph) []interpreter.Edge { return g.Unjoin("c", "a") }, "[]"},
		{"remove", func(g *interpreter.Graph) []interpreter.Edge { return g.Remove("conference:room") },
			"[{conference:room a true} {a conference:room true} {conference:room b true}]"},
	}
	var g interpreter.Graph
	for _, test := range tests {
		if got := fmt.Sprint(test.change(&g)); got != test.want {
			t.Errorf("%s: %s fell, want %s", test.name, got, test.want)
		}
	}
	if g.Joined("a", "b") || g.Joined("a", "conference:room") {
		t.Error("something is left")
	}
}

// TestGraphRules: after any changes, who is no conference has one input at most,
// edges are unique, and what fell is what is missing (BRG-1).
func TestGraphRules(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	ids := []string{"a", "b", "c", "d", "conference:x", "conference:y"}
	pick := func() interpreter.Endpoint { return endpoint(ids[random.IntN(len(ids))]) }
	for range 200 {
		var g interpreter.Graph
		edges := map[[2]string]bool{}
		for range 50 {
			one, other := pick(), pick()
			if one == other {
				continue
			}
			var fallen []interpreter.Edge
			switch random.IntN(5) {
			case 0:
				fallen = g.Unjoin(one.ID, other.ID)
			case 1:
				fallen = g.Remove(one.ID)
			case 2:
				fallen = g.Join(one, other, interpreter.Half, true)
				edges[[2]string{other.ID, one.ID}] = true
			default:
				fallen = g.Join(one, other, interpreter.Full, true)
				edges[[2]string{one.ID, other.ID}], edges[[2]string{other.ID, one.ID}] = true, true
			}
			for _, edge := range fallen {
				delete(edges, [2]string{edge.From, edge.To})
			}
			checkGraph(t, &g, ids, edges)
		}
	}
}

func checkGraph(t *testing.T, g *interpreter.Graph, ids []string, edges map[[2]string]bool) {
	t.Helper()
	count := 0
	for _, id := range ids {
		inputs := g.Inputs(id)
		count += len(inputs)
		if len(inputs) > 1 && !interpreter.IsConferenceID(id) {
			t.Fatalf("%s hears %q", id, inputs)
		}
		for _, from := range inputs {
			if !edges[[2]string{from, id}] || !slices.Contains(g.Outputs(from), id) || !g.Joined(id, from) {
				t.Fatalf("%s hears %s, which was never so, or has fallen", id, from)
			}
		}
	}
	if count != len(edges) {
		t.Fatalf("there are %d edges, want %v", count, edges)
	}
}
