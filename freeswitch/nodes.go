package freeswitch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"ccxmld/clock"
	"ccxmld/random"
)

// NodesOptions are what the nodes of a controller have in common. All but Random, Dial
// and the numbers must be given.
type NodesOptions struct {
	// Answered is told how long a node took to reply to a command on its link; nil is not.
	Answered func(node string, took time.Duration)
	ID       string // of the controller, by which its channels are marked
	Owner    Owner
	Clock    clock.Clock
	Random   *random.Source // of ids and chance; nil is the system's
	Logger   *slog.Logger
	// Dial opens the links' network connections; nil means TCP.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	Gate *clock.Gate // of the links; nil is always open

	OriginatesPerSecond int // for each node, beyond which calls wait for their turn; 0: unlimited
	OriginatesWaiting   int // for each node, beyond which calls fail; 0: as many as get their turn in half a minute
}

// Nodes are the FreeSWITCHes of a controller. They may come and go.
type Nodes struct {
	site  NodesOptions
	links clock.Group

	mu      sync.Mutex
	list    []*Node
	running context.Context // of the links; nil before Run
	rooms   map[string]int  // that are observed, and how often that is asked for
}

// NewNodes makes the nodes; their links wait for [Nodes.Run].
func NewNodes(o NodesOptions, nodes []NodeOptions) *Nodes {
	n := &Nodes{site: o, rooms: make(map[string]int)}
	for _, node := range nodes {
		n.list = append(n.list, newNode(n, node))
	}
	return n
}

// after runs f in a goroutine of its own after a while, unless it is stopped.
func (n *Nodes) after(d time.Duration, f func()) *clock.Timer {
	return clock.Start(n.site.Clock, d, nil, f)
}

// All lists the nodes.
func (n *Nodes) All() []*Node {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.list)
}

// Run keeps the links until ctx ends.
func (n *Nodes) Run(ctx context.Context) {
	n.mu.Lock()
	n.running = ctx
	for _, node := range n.list {
		n.start(node)
	}
	n.mu.Unlock()
	_ = clock.NewLatch(n.site.Clock).Wait(ctx)
	n.mu.Lock() // nothing is started from now on
	n.running = nil
	n.mu.Unlock()
	_ = n.links.Wait(context.Background(), n.site.Clock)
}

// start runs a node's link. n.mu is held.
func (n *Nodes) start(node *Node) {
	ctx, stop := context.WithCancel(n.running)
	node.stop = stop
	n.links.Go(n.site.Clock, func() {
		defer stop()
		_ = node.link.Run(ctx)
	})
}

// Wait waits until the link to each node has been up, or until ctx ends.
func (n *Nodes) Wait(ctx context.Context) error {
	for _, node := range n.All() {
		if err := node.beenUp.Wait(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Set replaces the nodes, also while they run. A node that is there already, by name,
// address and password, keeps its link and takes its new weight. One that is not there
// any more gets no calls; its link stays until [Nodes.End].
func (n *Nodes) Set(options []NodeOptions) (added, removed []*Node) {
	var later []func()
	defer func() {
		for _, log := range later {
			log()
		}
	}()
	n.mu.Lock()
	defer n.mu.Unlock()
	var list []*Node
	for _, o := range options {
		i := slices.IndexFunc(n.list, func(node *Node) bool { return node.options.sameLink(o) })
		if i >= 0 {
			n.list[i].options.Weight, n.list[i].options.SIP = o.Weight, o.SIP
			list = append(list, n.list[i])
			continue
		}
		node := newNode(n, o)
		list, added = append(list, node), append(added, node)
		if n.running != nil {
			n.start(node)
		}
	}
	for _, node := range n.list {
		if !slices.Contains(list, node) {
			removed = append(removed, node)
			_, tell := node.service.Step(nodeTakenOut)
			later = append(later, func() { tell(node.log) })
		}
	}
	n.list = list
	return added, removed
}

// SetPace changes how many outbound calls a second each node gets, and how many may wait
// (NodesOptions), also while they run.
func (n *Nodes) SetPace(perSecond, waiting int) {
	n.mu.Lock()
	n.site.OriginatesPerSecond, n.site.OriginatesWaiting = perSecond, waiting
	list := slices.Clone(n.list)
	n.mu.Unlock()
	for _, node := range list {
		node.turns.setPace(perSecond, waiting)
	}
}

// End ends the link of a node that was taken out.
func (n *Nodes) End(node *Node) {
	n.mu.Lock()
	stop := node.stop
	do, later := node.service.Step(nodeUnneeded)
	n.mu.Unlock()
	later(node.log)
	if do == endLink && stop != nil {
		node.log.Info("link of a node that was taken out ends")
		stop()
	}
}

// Pick chooses the node of an outbound call, but none of those given: by weighted
// round robin among those whose link is up and whose calls do not fail; where all
// fail, among all that are up. It spreads the turns of a node, so that one of
// weight 3 beside one of weight 1 is not given three calls in a row each time.
func (n *Nodes) Pick(except ...*Node) (*Node, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.list) == 0 {
		return nil, errors.New("no FreeSWITCH node is configured; add one to nodes")
	}
	var reachable, healthy []*Node
	var reasons []string
	for _, node := range n.list {
		if reason := node.refuses(except); reason != "" {
			reasons = append(reasons, node.options.Name+": "+reason)
			continue
		}
		reachable = append(reachable, node)
		if node.health.problem() == "" {
			healthy = append(healthy, node)
		}
	}
	if len(healthy) > 0 {
		reachable = healthy
	}
	if len(reachable) == 0 {
		return nil, fmt.Errorf("no FreeSWITCH node takes a call (%s)", strings.Join(reasons, "; "))
	}
	total, next := 0, reachable[0]
	for _, node := range reachable {
		total += node.options.Weight
		if node.turn += node.options.Weight; node.turn > next.turn {
			next = node
		}
	}
	next.turn -= total
	return next, nil
}

// refuses tells why the node can take no call, "" if it can.
func (n *Node) refuses(except []*Node) string {
	switch down, full := n.link.Err(), n.turns.Full(); {
	case slices.Contains(except, n):
		return "was tried"
	case n.options.Weight <= 0:
		return "has weight 0"
	case n.drained.Load():
		return "an operator has taken it out of service"
	case down != nil:
		return down.Error()
	case full != nil:
		return full.Error()
	}
	return ""
}

// Named finds a node by its name in the configuration, nil if there is none.
func (n *Nodes) Named(name string) *Node {
	for _, node := range n.All() {
		if node.Name() == name {
			return node
		}
	}
	return nil
}

// On finds the node that is a machine, by FreeSWITCH's own name for it; nil if it
// is none of ours, or not known yet.
func (n *Nodes) On(machine string) *Node {
	for _, node := range n.All() {
		if machine != "" && node.Machine() == machine {
			return node
		}
	}
	return nil
}

// PickOn chooses the node for a call to what is on a machine: that machine's, if it is
// known and its link is up.
func (n *Nodes) PickOn(machine string) (*Node, error) {
	if node := n.On(machine); node != nil && node.Up() {
		return node, nil
	}
	return n.Pick()
}

// NodeStatus tells how a node is.
type NodeStatus struct {
	Name string
	// Err is why it gets no calls now: its link is down, or its calls fail; nil
	// when it is well.
	Err error
	// Address is that of its Event Socket, Weight its share of outbound calls, and Drained
	// tells that it is to get none for now.
	Address string
	Weight  int
	Drained bool
}

// Status tells of each node how it is.
func (n *Nodes) Status() []NodeStatus {
	n.mu.Lock()
	all := slices.Clone(n.list)
	list := make([]NodeStatus, len(all))
	for i, node := range all {
		list[i] = NodeStatus{Name: node.options.Name, Address: node.options.Address, Weight: node.options.Weight, Drained: node.drained.Load()}
	}
	n.mu.Unlock()
	for i, node := range all {
		if down := node.link.Err(); down != nil {
			list[i].Err = fmt.Errorf("not connected: %w", down)
		} else if problem := node.health.problem(); problem != "" {
			list[i].Err = errors.New(problem)
		}
	}
	return list
}
