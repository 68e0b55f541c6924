package interpreter

import "slices"

// Duplex says who hears whom in a bridge between two endpoints.
type Duplex int

// Full: both hear each other. Half: only the first hears the second.
const (
	Full Duplex = iota
	Half
)

// Endpoint is the id of a connection, dialog or conference in the media graph.
type Endpoint struct {
	ID         string
	Conference bool // mixes, so it may have any number of inputs
}

// Edge is media that flows from one endpoint to another. Explicit edges were
// made by <join>; the others came with a dialog or a call (CCXML 1.0, 10.4).
type Edge struct {
	From, To string
	Explicit bool
}

// Graph is who hears whom (CCXML 1.0, 10.4, bridging): a connection or dialog
// has at most one input and any number of outputs, a conference any number of
// both. It is changed only through its methods, each of which says which edges
// fell. The zero Graph is empty and ready.
type Graph struct {
	edges []Edge
}

// Join makes the edges between two endpoints. What a or b heard before falls,
// unless it is a conference; for a full-duplex join of a connection, what it
// spoke to by a full-duplex bridge falls with it. A half-duplex join of two that
// heard each other leaves only the first one listening.
func (g *Graph) Join(a, b Endpoint, duplex Duplex, explicit bool) (fallen []Edge) {
	fallen = g.hear(a, b.ID, duplex, explicit)
	if duplex == Full {
		return append(fallen, g.hear(b, a.ID, duplex, explicit)...)
	}
	return append(fallen, g.cut(a.ID, b.ID)...)
}

// hear makes listener's input the speaker.
func (g *Graph) hear(listener Endpoint, speaker string, duplex Duplex, explicit bool) (fallen []Edge) {
	if !listener.Conference {
		for _, edge := range slices.Clone(g.edges) {
			if edge.To != listener.ID || edge.From == speaker {
				continue
			}
			fallen = append(fallen, g.cut(edge.From, edge.To)...)
			if duplex == Full {
				fallen = append(fallen, g.cut(edge.To, edge.From)...)
			}
		}
	}
	g.cut(speaker, listener.ID)
	g.edges = append(g.edges, Edge{From: speaker, To: listener.ID, Explicit: explicit})
	return fallen
}

func (g *Graph) cut(from, to string) (fallen []Edge) {
	g.edges = slices.DeleteFunc(g.edges, func(edge Edge) bool {
		if edge.From != from || edge.To != to {
			return false
		}
		fallen = append(fallen, edge)
		return true
	})
	return fallen
}

// Unjoin removes all media between two endpoints, in either direction.
func (g *Graph) Unjoin(a, b string) (fallen []Edge) {
	return append(g.cut(a, b), g.cut(b, a)...)
}

// Remove takes an endpoint out with all its edges.
func (g *Graph) Remove(id string) (fallen []Edge) {
	g.edges = slices.DeleteFunc(g.edges, func(edge Edge) bool {
		if edge.From != id && edge.To != id {
			return false
		}
		fallen = append(fallen, edge)
		return true
	})
	return fallen
}

// Joined tells whether media flows between two endpoints in any direction.
func (g *Graph) Joined(a, b string) bool {
	return slices.ContainsFunc(g.edges, func(edge Edge) bool {
		return edge.From == a && edge.To == b || edge.From == b && edge.To == a
	})
}

// Inputs gives the endpoints that one hears.
func (g *Graph) Inputs(id string) (ids []string) {
	for _, edge := range g.edges {
		if edge.To == id {
			ids = append(ids, edge.From)
		}
	}
	return ids
}

// Outputs gives the endpoints that hear one.
func (g *Graph) Outputs(id string) (ids []string) {
	for _, edge := range g.edges {
		if edge.From == id {
			ids = append(ids, edge.To)
		}
	}
	return ids
}
