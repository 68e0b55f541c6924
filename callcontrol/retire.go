package callcontrol

import (
	"maps"
	"slices"
)

// SetNodes replaces the nodes while the controller runs. A node that is there
// already, by name, address and password, keeps its link and takes its new weight.
// One that is not there any more gets no calls, and its link ends when no call needs
// it.
func (c *Controller) SetNodes(options []NodeOptions) {
	added, removed := c.nodes.replace(options, func(o NodeOptions) *Node { return newNode(c, o) })
	for _, node := range added {
		node.log.Info("node is new", "address", node.options.Address)
	}
	for _, node := range removed {
		node.log.Info("node gets no more calls; its link ends when no call needs it")
		node.retire()
	}
}

// replace puts other nodes in the place of those that there are, and starts those
// that are added.
func (n *nodes) replace(options []NodeOptions, newNode func(NodeOptions) *Node) (added, removed []*Node) {
	n.mu.Lock()
	defer n.mu.Unlock()
	var list []*Node
	for _, o := range options {
		i := slices.IndexFunc(n.list, func(node *Node) bool { return node.options.sameLink(o) })
		if i >= 0 {
			n.list[i].options.Weight = o.Weight
			list = append(list, n.list[i])
			continue
		}
		node := newNode(o)
		list, added = append(list, node), append(added, node)
		if n.running != nil {
			n.start(node)
		}
	}
	for _, node := range n.list {
		if !slices.Contains(list, node) {
			removed = append(removed, node)
		}
	}
	n.list = list
	return added, removed
}

// sameLink tells whether two options are for one link.
func (o NodeOptions) sameLink(other NodeOptions) bool {
	o.Weight = other.Weight
	return o == other
}

// retire ends the link once no leg and no cascade has needed it for a while.
func (n *Node) retire() {
	c := n.controller
	n.needed.Store(false)
	c.legsOn(n, func(l *leg) {
		if l.conn == nil {
			n.needed.Store(true)
		}
	})
	c.mu.Lock()
	running := slices.Collect(maps.Values(c.sessions))
	c.mu.Unlock()
	for _, control := range running {
		control.session.Do(func() {
			if slices.ContainsFunc(control.cascades, func(s *cascade) bool { return s.node == n }) {
				n.needed.Store(true)
			}
		})
	}
	c.after(retireAfter, func() {
		if n.needed.Load() {
			n.retire()
			return
		}
		c.nodes.mu.Lock()
		stop := n.stop
		c.nodes.mu.Unlock()
		if stop != nil {
			n.log.Info("link of a node that was taken out ends")
			stop()
		}
	})
}
