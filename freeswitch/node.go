package freeswitch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"

	"ccxmld/clock"
	"ccxmld/esl"
	"ccxmld/fsm"
)

// NodeOptions name a FreeSWITCH and how to reach it.
type NodeOptions struct {
	Name     string
	Address  string
	Password string
	// Weight is the node's share of the outbound calls, beside those of the
	// others; with 0 it gets none.
	Weight int
	// SIP is HOST:PORT, and parameters of a SIP URI behind it, at which other nodes reach
	// its profile for cascades; "" where they do not.
	SIP string
}

// sameLink tells whether two options are for one link.
func (o NodeOptions) sameLink(other NodeOptions) bool {
	o.Weight, o.SIP = other.Weight, other.SIP
	return o == other
}

// Owner is told what nodes tell, in the reader goroutine of the node's link, which it
// must not hold up.
type Owner interface {
	// NodeUp tells that the link is up, for the first time or again, and the node has
	// said who it is. restarted tells that FreeSWITCH has been started anew since it was
	// up before: its calls are gone.
	NodeUp(n *Node, restarted bool)
	// NodeDown tells that the link has ended; [esl.ErrClosed] is that we ended it.
	NodeDown(n *Node, reason error)
	// Progressing tells that the far end of an outbound call rings, or sends media.
	Progressing(n *Node, channel string, media bool)
	// HungUp tells of the end of an outbound call that has no socket.
	HungUp(n *Node, channel string, h Hangup)
	// ChannelTold tells of what happens to a channel that is followed, as [Tell] takes it.
	ChannelTold(n *Node, channel string, e *esl.Event)
	// Claimed tells that another controller has a session, by its epoch.
	Claimed(session string, epoch int64)
	// RoomEvent tells what happens in an observed room; change is what it means for the
	// membership of its channel, and there whether that is in the room.
	RoomEvent(n *Node, e RoomEvent, change Change, there bool)
	// RoomListed tells who is in a room that is observed from now on, or again, and what
	// has changed there since its events were last heard.
	RoomListed(n *Node, now Roster, entered []RosterMember, left []string)
}

// LinkVariable marks the outbound channels of a controller, so that its links hear of
// them and of no others. It is emptied when the channel has its own socket.
const LinkVariable = "ccxmld_link"

// linkEvents are what a link subscribes to: the fate of outbound calls before they come
// to our socket, and what happens in rooms that are observed.
var linkEvents = []string{ChannelProgress, ChannelProgressMedia, ChannelHangupComplete, ConferenceMaintenance + " " + claimedEvents}

// Node is a FreeSWITCH that we have a link to: for originating calls, and for channels
// that have no socket. It may be used in any goroutine.
type Node struct {
	options NodeOptions
	all     *Nodes
	link    *esl.Link
	beenUp  *clock.Latch // the link is up for the first time
	turns   *Turns       // of outbound calls
	log     *slog.Logger
	health  health
	service fsm.Machine[serviceState, serviceInput] // belongs to Nodes
	drained atomic.Bool                             // an operator has taken it out of service for outbound calls
	turn    int                                     // of the weighted round robin; belongs to Nodes
	stop    context.CancelFunc                      // ends the link; nil if it never ran; belongs to Nodes
	// occupancy of observed rooms; belongs to the link's reader goroutine.
	occupancy Occupancy
	observing observing

	mu       sync.Mutex
	machine  string            // the FreeSWITCH's name for itself
	core     string            // its uuid, which is new with each start
	owed     map[string]string // channels to be hung up once the link is up, with the cause
	followed map[string]bool   // channels of which the link tells, as they have no socket
	cut      int               // sockets of channels that have ended, and that the log does not have yet
}

func newNode(all *Nodes, o NodeOptions) *Node {
	s := &all.site
	n := &Node{
		options: o, all: all, log: s.Logger.With("node", o.Name), beenUp: clock.NewLatch(s.Clock),
		turns: NewTurns(s.Clock, s.OriginatesPerSecond, s.OriginatesWaiting),
		owed:  make(map[string]string), followed: make(map[string]bool),
	}
	n.health.node, n.observing.node = n, n
	n.health.state, n.service = healthStates.At(nodeWell), serviceStates.At(nodeServes)
	n.link = esl.NewLink(esl.LinkOptions{
		Name: o.Name, Address: o.Address, Password: o.Password, Logger: s.Logger, Clock: s.Clock, Random: s.Random, Dial: s.Dial, Gate: s.Gate,
		Events:  linkEvents,
		Filters: [][2]string{{"variable_" + LinkVariable, s.ID}, {claimedFrom, s.ID}},
		OnUp:    n.cameUp,
		OnDown:  func(reason error) { s.Owner.NodeDown(n, reason) },
		OnEvent: n.handle,
	})
	return n
}

// Name is what the configuration calls the node.
func (n *Node) Name() string { return n.options.Name }

// Address is where the link goes.
func (n *Node) Address() string { return n.options.Address }

// Machine is FreeSWITCH's own name for itself (switchname), "" before the link was up.
func (n *Node) Machine() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.machine
}

// Up tells whether the link is up.
func (n *Node) Up() bool { return n.link.Up() }

// Log gives the log with the node's name.
func (n *Node) Log() *slog.Logger { return n.log }

// cameUp takes a link that is up, for the first time or again: the node says who it is,
// and is told to hang up what it is owed. It runs in the link's reader goroutine.
func (n *Node) cameUp() {
	n.killOwed()
	var machine string
	n.Send(esl.API("switchname"), func(r *esl.Reply, err error) {
		if err == nil && r.Err() == nil {
			machine = r.Text
		}
	})
	n.Send(esl.API("global_getvar", "core_uuid"), func(r *esl.Reply, err error) {
		if err != nil { // it is down again
			return
		}
		n.mu.Lock()
		restarted := n.core != "" && n.core != r.Text
		n.machine, n.core = machine, r.Text
		n.mu.Unlock()
		n.beenUp.Open()
		if restarted {
			n.log.Warn("FreeSWITCH has been started anew; its calls are gone")
		}
		n.all.site.Owner.NodeUp(n, restarted)
	})
	n.lookForModules()
	n.followAgain()
	n.observing.begin()
}

// GoOn makes up for what was refused while the gate was closed: hangups, and channels that
// are to be followed.
func (n *Node) GoOn() {
	n.killOwed()
	n.followAgain()
}

func (n *Node) killOwed() {
	n.mu.Lock()
	owed := n.owed
	n.owed = make(map[string]string)
	n.mu.Unlock()
	for id, cause := range owed {
		n.Kill(id, cause)
	}
}

// Disown leaves a channel to another controller: it is not followed any more, nor hung up if
// it was to be.
func (n *Node) Disown(channel string) {
	n.mu.Lock()
	delete(n.owed, channel)
	n.mu.Unlock()
	n.Unfollow(channel)
}

// lookForModules tells the operator of modules that are missing: FreeSWITCH itself says
// so only when a call needs one, to nobody.
func (n *Node) lookForModules() {
	for _, module := range Modules() {
		if !module.Needed {
			continue
		}
		n.Send(esl.API("module_exists", module.Name), func(r *esl.Reply, err error) {
			if err == nil && r.Text != "true" {
				n.log.Error("FreeSWITCH lacks a module; ccxmld doctor says what else", "module", module.Name, "needed for", module.For,
					"do", `add <load module="`+module.Name+`"/> to modules.conf.xml, and fs_cli -x 'load `+module.Name+`'`)
			}
		})
	}
}

// handle takes an event of the link, in its reader goroutine.
func (n *Node) handle(e *esl.Event) {
	id := e.Get("Unique-ID")
	owner := n.all.site.Owner
	if n.follows(id) {
		if e.Name() == ChannelHangupComplete {
			n.Unfollow(id)
		}
		owner.ChannelTold(n, id, e)
	}
	switch e.Name() {
	case ChannelProgress, ChannelProgressMedia:
		owner.Progressing(n, id, e.Name() == ChannelProgressMedia)
	case ChannelHangupComplete:
		owner.HungUp(n, id, HangupOf(e))
	case "CUSTOM":
		n.roomEvent(e)
		n.claimed(e)
	}
}

// Send gives a command to the link. done, which may be nil, gets the reply in the
// link's reader goroutine, or an error in any; [esl.ErrLinkDown] is that the link is
// down, or went down before the reply.
func (n *Node) Send(cmd esl.Command, done func(*esl.Reply, error)) {
	answered := n.all.site.Answered
	if answered == nil {
		n.link.Send(cmd, done)
		return
	}
	begun := n.all.site.Clock.Now()
	n.link.Send(cmd, func(r *esl.Reply, err error) {
		if err == nil {
			answered(n.options.Name, n.all.site.Clock.Now().Sub(begun))
		}
		if done != nil {
			done(r, err)
		}
	})
}

// Originate places a call. told gets what the job tells, as Send's done.
func (n *Node) Originate(call esl.Originate, told func(result string, err error)) {
	n.link.Job(call.Command(), told)
}

// TakeTurn takes a turn among the outbound calls of the node, as [Turns.TakeIn].
func (n *Node) TakeTurn(do func(func()) bool, by []string, place func() (wanted bool)) (one *Turn, now bool, err error) {
	return n.turns.TakeIn(do, by, place)
}

// SetDrained takes the node out of service for outbound calls, or puts it back, until the
// process ends. It reports whether that changes anything.
func (n *Node) SetDrained(drained bool) bool { return n.drained.Swap(drained) != drained }

// Worked notes a call that the node did its part for.
func (n *Node) Worked() { n.health.worked() }

// Failed notes a call that failed by the node's own fault ([Hangup.FaultOfNode]).
func (n *Node) Failed(cause string) { n.health.failed(cause) }

// maxOwed bounds the hangups that a node whose link is down is owed.
const maxOwed = 10_000

// Kill hangs up a channel over the link; once that is up again, if it is down.
func (n *Node) Kill(id, cause string) {
	n.Send(Kill(id, cause), func(r *esl.Reply, err error) {
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

// owe notes a channel that is to be hung up once the link is up.
func (n *Node) owe(id, cause string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.owed) < maxOwed {
		n.owed[id] = cause
	}
}

// Exists asks whether FreeSWITCH has a channel that is not hung up. told is not called
// if the link does not bring an answer.
func (n *Node) Exists(id string, told func(there bool)) {
	n.Send(Exists(id), func(r *esl.Reply, err error) {
		if err == nil && r.Err() == nil {
			told(r.Text == "true")
		}
	})
}

// Look asks how a channel is; there is false if FreeSWITCH does not have it. told is not
// called if the link does not bring an answer.
func (n *Node) Look(id string, told func(state ChannelState, there bool)) {
	n.Send(Dump(id), func(r *esl.Reply, err error) {
		if err == nil {
			told(StateOf(r.Text), r.Err() == nil)
		}
	})
}

// ErrJobLost says that the result of a job does not come.
var ErrJobLost = fmt.Errorf("FreeSWITCH did not bring the result of a job, which it was given %d times", jobAsked)

// Ask runs a job that only asks for something. FreeSWITCH is asked again where it
// does not bring the result. told gets it in the link's reader goroutine, or an error
// in any.
func (n *Node) Ask(cmd esl.Command, told func(result string, err error)) { n.askAgain(cmd, 1, told) }

func (n *Node) askAgain(cmd esl.Command, asked int, told func(result string, err error)) {
	id := n.all.site.Random.UUID()
	late := n.all.after(jobTimeout, func() {
		switch {
		case !n.link.ForgetJob(id):
		case asked < jobAsked:
			n.askAgain(cmd, asked+1, told)
		default:
			told("", ErrJobLost)
		}
	})
	n.link.Job(esl.WithJobUUID(cmd, id), func(result string, err error) {
		late.Stop()
		told(result, err)
	})
}

// SocketEnded notes that a channel's socket has ended before its hangup. The operator
// is told once of all that end together, and not where the link has ended too, of which
// he was told.
func (n *Node) SocketEnded(reason error) {
	n.mu.Lock()
	n.cut++
	first := n.cut == 1
	n.mu.Unlock()
	if !first {
		return
	}
	n.all.after(cutsToldAfter, func() {
		n.mu.Lock()
		legs := n.cut
		n.cut = 0
		n.mu.Unlock()
		if n.link.Up() {
			n.log.Warn("sockets of legs ended before their hangup, and FreeSWITCH is there; is something on the way that ends connections?", "legs", legs, "error", reason)
		}
	})
}
