package callcontrol

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"ccxmld/clock"
	"ccxmld/esl"
	"ccxmld/freeswitch"
)

// NodeOptions name a FreeSWITCH and how to reach it.
type NodeOptions struct {
	Name     string
	Address  string
	Password string
	// Weight is the node's share of the outbound calls, beside those of the
	// others; with 0 it gets none.
	Weight int
}

// Node is a FreeSWITCH that we have a link to: for originating calls, and for
// legs that have no socket.
type Node struct {
	options    NodeOptions
	controller *Controller
	link       *esl.Link
	beenUp     *clock.Latch      // the link is up for the first time
	turns      *freeswitch.Turns // of outbound calls
	log        *slog.Logger
	health     health
	turn       int                // of the weighted round robin; belongs to nodes
	stop       context.CancelFunc // ends the link; nil if it never ran
	needed     atomic.Bool        // by a call, while the node is being taken out
	// occupancy of the rooms that have an audience; belongs to the link's reader
	// goroutine.
	occupancy freeswitch.Occupancy

	mu      sync.Mutex
	machine string            // the FreeSWITCH's name for itself
	core    string            // its uuid, which is new with each start
	owed    map[string]string // legs to be hung up once the link is up, with the cause
	cut     int               // sockets of legs that have ended, and that the log does not have yet
}

// linkVariable marks the outbound legs of a controller, so that its link hears
// of them and of no others. It is emptied when the leg has its own socket.
const linkVariable = "ccxmld_link"

// sessionVariable names the session of an outbound leg.
const sessionVariable = "ccxml_session"

// linkEvents are what a link subscribes to: the fate of outbound calls before
// they come to our socket, and what happens in rooms that have an audience.
var linkEvents = []string{
	freeswitch.ChannelProgress, freeswitch.ChannelProgressMedia, freeswitch.ChannelHangupComplete, freeswitch.ConferenceMaintenance,
}

func newNode(c *Controller, o NodeOptions) *Node {
	n := &Node{
		options: o, controller: c, log: c.log.With("node", o.Name), beenUp: clock.NewLatch(c.options.Clock),
		turns: freeswitch.NewTurns(c.options.Clock, c.limits.OriginatesPerSecond, c.limits.OriginatesWaiting),
		owed:  make(map[string]string),
	}
	n.health.node = n
	n.link = esl.NewLink(esl.LinkOptions{
		Name: o.Name, Address: o.Address, Password: o.Password, Logger: c.log, Clock: c.options.Clock, Random: c.options.Random, Dial: c.options.LinkDial,
		Events:  linkEvents,
		Filters: [][2]string{{"variable_" + linkVariable, c.options.ID}},
		OnUp:    func() { n.cameUp(); n.lookForModules(); c.audiences.observeAll(n) },
		OnDown:  n.wentDown,
		OnEvent: func(e *esl.Event) { c.handleLink(n, e) },
	})
	return n
}

// nodes are the FreeSWITCHes of a controller. They may come and go.
type nodes struct {
	mu      sync.Mutex
	list    []*Node
	running context.Context // of the links; nil before Run
	links   clock.Group
}

func (n *nodes) all() []*Node {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.list)
}

// run keeps the links until ctx ends.
func (n *nodes) run(ctx context.Context, c clock.Clock) {
	n.mu.Lock()
	n.running = ctx
	for _, node := range n.list {
		n.start(node)
	}
	n.mu.Unlock()
	_ = clock.NewLatch(c).Wait(ctx)
	n.mu.Lock() // nothing is started from now on
	n.running = nil
	n.mu.Unlock()
	_ = n.links.Wait(context.Background(), c)
}

// start runs a node's link. n.mu is held.
func (n *nodes) start(node *Node) {
	ctx, stop := context.WithCancel(n.running)
	node.stop = stop
	n.links.Go(node.controller.options.Clock, func() {
		defer stop()
		_ = node.link.Run(ctx)
	})
}

// pick chooses the node of an outbound call, but none of those given: by weighted
// round robin among those whose link is up and whose calls do not fail; where all
// fail, among all that are up. It spreads the turns of a node, so that one of
// weight 3 beside one of weight 1 is not given three calls in a row each time.
func (n *nodes) pick(except ...*Node) (*Node, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.list) == 0 {
		return nil, errors.New("no FreeSWITCH node is configured; add one to nodes")
	}
	var reachable, healthy []*Node
	var reasons []string
	for _, node := range n.list {
		switch {
		case slices.Contains(except, node):
			reasons = append(reasons, node.options.Name+": was tried")
		case node.options.Weight <= 0:
			reasons = append(reasons, node.options.Name+": has weight 0")
		case !node.link.Up():
			reasons = append(reasons, fmt.Sprintf("%s: %v", node.options.Name, node.link.Err()))
		case node.turns.Full() != nil:
			reasons = append(reasons, fmt.Sprintf("%s: %v", node.options.Name, node.turns.Full()))
		default:
			reachable = append(reachable, node)
			if node.health.problem() == "" {
				healthy = append(healthy, node)
			}
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

// on finds the node that is a machine, by FreeSWITCH's own name for it; nil if it
// is none of ours, or not known yet.
func (n *nodes) on(machine string) *Node {
	for _, node := range n.all() {
		if machine != "" && node.name() == machine {
			return node
		}
	}
	return nil
}

// pickOn chooses the node for a call to a conference on a machine: that machine's,
// if it is known and its link is up.
func (n *nodes) pickOn(machine string) (*Node, error) {
	if node := n.on(machine); node != nil && node.link.Up() {
		return node, nil
	}
	return n.pick()
}

// NodeStatus tells how a node is.
type NodeStatus struct {
	Name string
	// Err is why it gets no calls now: its link is down, or its calls fail; nil
	// when it is well.
	Err error
}

// Nodes tells of each configured node how it is.
func (c *Controller) Nodes() []NodeStatus {
	all := c.nodes.all()
	list := make([]NodeStatus, len(all))
	for i, node := range all {
		list[i].Name = node.options.Name
		if !node.link.Up() {
			list[i].Err = fmt.Errorf("not connected: %w", node.link.Err())
		} else if problem := node.health.problem(); problem != "" {
			list[i].Err = errors.New(problem)
		}
	}
	return list
}

// WaitNodes waits until the link to each node has been up, or until ctx ends.
func (c *Controller) WaitNodes(ctx context.Context) error {
	for _, node := range c.nodes.all() {
		if err := node.beenUp.Wait(ctx); err != nil {
			return err
		}
	}
	return nil
}

// name is the machine's name for itself, "" before the link was up.
func (n *Node) name() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.machine
}

// maxOwed bounds the hangups that a node whose link is down is owed.
const maxOwed = 10_000

// kill hangs up a leg that has no socket; once the link is up again, if it is
// down.
func (n *Node) kill(id, cause string) {
	n.link.Send(freeswitch.Kill(id, cause), func(r *esl.Reply, err error) {
		switch {
		case errors.Is(err, esl.ErrLinkDown):
			n.owe(id, cause)
		case err != nil:
			n.log.Warn("leg not hung up", "connection", id, "error", err)
		case r.Err() != nil: // it may be gone, or not there yet
			n.log.Debug("leg not hung up", "connection", id, "error", r.Err())
		}
	})
}

// errJobLost says that the result of a job does not come.
var errJobLost = fmt.Errorf("FreeSWITCH did not bring the result of a job, which it was given %d times", jobAsked)

// ask runs a job that only asks for something. FreeSWITCH is asked again where it
// does not bring the result. told gets it in the link's reader goroutine, or an error
// in any.
func (n *Node) ask(cmd esl.Command, told func(result string, err error)) { n.askAgain(cmd, 1, told) }

func (n *Node) askAgain(cmd esl.Command, asked int, told func(result string, err error)) {
	id := n.controller.newID()
	late := n.controller.after(jobPatience, func() {
		switch {
		case !n.link.ForgetJob(id):
		case asked < jobAsked:
			n.askAgain(cmd, asked+1, told)
		default:
			told("", errJobLost)
		}
	})
	n.link.Job(esl.WithJobUUID(cmd, id), func(result string, err error) {
		late.Stop()
		told(result, err)
	})
}

// owe notes a leg that is to be hung up once the link is up.
func (n *Node) owe(id, cause string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.owed) < maxOwed {
		n.owed[id] = cause
	}
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return strings.TrimSpace(line)
}

// How the health of a node is judged.
const (
	failuresInARow = 3                // of calls, by the node's own fault, after which it is passed over
	shortestRest   = 10 * time.Second // for which it is, doubled each time that the next call fails too
	longestRest    = 5 * time.Minute
)

// health tells whether a node's calls fail by its own fault. A node whose calls do
// is passed over for a while, and then tried again with one.
type health struct {
	node *Node

	mu       sync.Mutex
	failures int // in a row
	rest     time.Duration
	resting  string       // why it is passed over, "" if it is not
	timer    *clock.Timer // of the rest
}

// problem says why the node is passed over, "" if it is not.
func (h *health) problem() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.resting
}

// failed notes a call that failed by the node's own fault.
func (h *health) failed(cause string) {
	rest, failures := h.passOver(cause)
	if rest == 0 {
		return
	}
	log := h.node.log
	log.Warn("node is passed over", "for", rest, "failures", failures, "cause", cause)
	timer := h.node.controller.after(rest, func() {
		if h.tryAgain() {
			log.Info("node is tried again")
		}
	})
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.resting == "" { // a call has worked meanwhile
		timer.Stop()
		return
	}
	h.timer = timer
}

// passOver counts a failure, and tells for how long the node is passed over from now
// on; 0 if it is not, or is already.
func (h *health) passOver(cause string) (rest time.Duration, failures int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.failures++
	if h.failures < failuresInARow || h.resting != "" {
		return 0, 0
	}
	h.rest = min(max(2*h.rest, shortestRest), longestRest)
	h.resting = fmt.Sprintf("passed over for %s: %d calls in a row failed by its own fault, the last with %s", h.rest, h.failures, cause)
	return h.rest, h.failures
}

// tryAgain ends the rest, and tells whether there was one.
func (h *health) tryAgain() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	was := h.resting != ""
	h.resting = ""
	return was
}

// worked notes a call that the node did its part for.
func (h *health) worked() {
	h.mu.Lock()
	well, timer := h.rest == 0, h.timer
	h.failures, h.rest, h.resting, h.timer = 0, 0, "", nil
	h.mu.Unlock()
	timer.Stop()
	if !well {
		h.node.log.Info("node works again")
	}
}
