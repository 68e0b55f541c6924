package callcontrol

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"ccxmld/callcontrol/documents"
	"ccxmld/clock"
	"ccxmld/conference"
	"ccxmld/dialog"
	"ccxmld/esl"
	"ccxmld/fetch"
	"ccxmld/freeswitch"
	"ccxmld/interpreter"
	"ccxmld/logs"
	"ccxmld/metrics"
	"ccxmld/peer"
	"ccxmld/processors"
	"ccxmld/random"
	"ccxmld/records"
	"ccxmld/sessionstore"
)

// Options say how a controller works. All but Limits, Observer and the times
// must be given.
type Options struct {
	ID string // the controller's name in the store

	// Advertise is the address, or A|B list of addresses, at which FreeSWITCH
	// reaches the outbound socket server.
	Advertise string

	// Document chooses the document of an incoming call by its destination
	// number and dialplan context; ok is false where no route matches.
	Document func(destination, context string) (uri string, ok bool)
	// Dial turns a destination of <createcall> into a dial string of FreeSWITCH
	// and the caller id that the route sets, if any.
	Dial func(destination string) (DialString, error)

	Nodes []freeswitch.NodeOptions
	// Intake gets the documents of calls and of token starts, Fetch what documents
	// ask for, and Sends makes the requests of their sends. They are apart, so that
	// no server that is slow to answer documents keeps calls out.
	Intake, Fetch, Sends *fetch.Client

	Dialogs     *dialog.Service
	Store       *sessionstore.Store
	Conferences *conference.Registry
	Profile     string // of mod_conference

	Extensions   []*interpreter.Extension
	IOProcessors map[string]string
	// Secrets adds a secret of its own to what a session is told of where it takes events by
	// HTTP.
	Secrets    bool
	Observer   interpreter.Observer // may be nil
	Recordings string               // the directory that FreeSWITCH records calls to
	VoiceXML   string               // the server that runs VoiceXML, as a SIP URI; "" or internal for ourselves
	Clock      clock.Clock
	Random     *random.Source // of ids and chance; nil is the system's
	// LinkDial opens the links' network connections; nil means TCP.
	LinkDial func(ctx context.Context, network, address string) (net.Conn, error)
	// Processors shares them between sessions and what is compiled; nil does not.
	Processors *processors.Gate
	Logger     *slog.Logger
	Limits     Limits
	// Durability says whether states of sessions are kept; "" is Off.
	Durability Durability
	// Records keeps the records of calls and sessions; nil keeps none.
	Records *records.Journal
	// Metrics count what happens; nil counts nothing.
	Metrics *metrics.Metrics
	// DrainAsked is called when an operator asks for a drain over Redis. It must not
	// wait; nil ignores it.
	DrainAsked func(by string)
	// Operations are what operators ask beside what is asked of calls and sessions, by
	// their names (package operator); nil where there is nothing else.
	Operations map[string]Operation
}

// DialString is how FreeSWITCH reaches a destination.
type DialString struct {
	Text     string
	CallerID string
}

// Limits bound what a controller takes on.
type Limits struct {
	Sessions    int // at a time; more are refused
	ForCalls    int // percent of Sessions that are kept for incoming calls
	Session     interpreter.Limits
	Strain      *Strain       // by which no new session is taken; may be nil
	Lifetime    time.Duration // of a session; 0: unlimited
	RefuseCause string        // hangup cause of calls that are refused
	CallTimeout time.Duration // of createcall without timeout; default 60 s

	OriginatesPerSecond   int // for each node, beyond which calls wait for their turn; 0: unlimited
	Redirects             int // by callees that a call may follow, through Dial; 0: none
	OriginatesWaiting     int // for each node, beyond which calls fail; 0: as many as get their turn in half a minute
	ConferencesPerSession int // attached at a time; 0: unlimited
	MembersPerConference  int // and slots that can be reserved; 0: unlimited

	// Of sessions that sessions create, and addresses over HTTP; 0: unlimited.
	Children          int // of one session, at a time
	TreeSessions      int // descending from one session or address, at a time
	ChildrenPerSecond int // created in such a tree; five seconds' worth at once
}

// Controller runs sessions. Make it with New, give its Handle to an esl.Server,
// call Run, and Close at the end.
type Controller struct {
	options   Options
	bounds    atomic.Pointer[Limits] // see limits
	log       *slog.Logger
	documents *documents.Loader
	nodes     *freeswitch.Nodes
	started   atomic.Int64 // sessions, ever
	instance  string       // tells this process from one of the same ID before it
	operate   map[string]Operation

	work    clock.Group  // goroutines that wait for others
	working atomic.Int64 // how many there are
	context context.Context
	cancel  context.CancelCauseFunc

	gate     *clock.Gate // nil where nobody takes sessions over
	dropping clock.Group // sessions that others have, as long as they are being dropped

	large *clock.Semaphore // of large states that are made into sessions

	unlooked logs.Trouble // sessions without controllers are not looked for

	audiences     audiences
	cascades      cascades
	peers         *peer.Peers
	directory     clock.Group // goroutines that tell the conference registry and other sessions, also of what has ended
	directoryDone context.Context
	giveUp        context.CancelFunc

	mu         sync.Mutex
	sessions   map[string]*control
	takingOver map[string]*clock.Latch // sessions that are being taken over
	legs       map[string]*leg         // by channel uuid, until they are hung up
	couplings  map[string]*coupling    // by channel uuid
	released   map[string]*released    // legs whose session has ended, by channel uuid
	trees      map[string]*tree        // by the session that each began with, or the address
	reserved   int                     // sessions whose document is on its way
	draining   bool                    // no new sessions from calls and requests
	closing    bool                    // nor from sessions
	idle       *clock.Latch            // the last session has ended; nil if nobody waits for that
	noLegs     *clock.Latch            // the last leg is gone; likewise
}

// New makes a controller.
func New(o Options) *Controller {
	c := &Controller{
		options:   o,
		log:       o.Logger,
		sessions:  make(map[string]*control),
		legs:      make(map[string]*leg),
		couplings: make(map[string]*coupling),
		released:  make(map[string]*released),
	}
	c.unlooked.Now = o.Clock.Now
	c.SetLimits(o.Limits)
	c.instance = c.newID()
	c.operate = c.operations()
	c.context, c.cancel = context.WithCancelCause(context.Background())
	c.directoryDone, c.giveUp = context.WithCancel(context.Background())
	c.gate, c.large = c.newGate(), clock.NewSemaphore(o.Clock, largeAtOnce)
	c.peers = c.newPeers()
	c.documents = documents.New(o.Intake, o.Fetch, interpreter.NewCompiler(o.Extensions...), o.Clock, o.Logger)
	c.documents.Processors = o.Processors
	c.nodes = c.newNodes()
	return c
}

// SetLimits replaces the limits while the controller runs. Those of a session hold for
// sessions that begin from now on.
func (c *Controller) SetLimits(l Limits) {
	if l.Sessions <= 0 {
		l.Sessions = 10000
	}
	if l.RefuseCause == "" {
		l.RefuseCause = "SWITCH_CONGESTION"
	}
	if l.CallTimeout <= 0 {
		l.CallTimeout = time.Minute
	}
	c.bounds.Store(&l)
	if c.nodes != nil {
		c.nodes.SetPace(l.OriginatesPerSecond, l.OriginatesWaiting)
	}
}

// limits are those that hold now.
func (c *Controller) limits() *Limits { return c.bounds.Load() }

// Run keeps the links to the nodes and receives mail from other controllers,
// until ctx ends.
func (c *Controller) Run(ctx context.Context) error {
	var running clock.Group
	running.Go(c.options.Clock, func() { c.peers.Receive(ctx) })
	running.Go(c.options.Clock, func() { c.nodes.Run(ctx) })
	running.Go(c.options.Clock, func() { c.takeOverLost(ctx) })
	running.Go(c.options.Clock, func() { c.options.Conferences.Run(ctx, c.gate.Wait, c.conferencesChanged) })
	defer clock.Every(c.options.Clock, c.options.Store.Lease()/3, c.lookForCascades)()
	if c.gate != nil {
		defer c.gate.Watch()()
	}
	_ = running.Wait(context.Background(), c.options.Clock)
	return ctx.Err()
}

// Close ends all sessions, which hang up their legs, and waits until they have,
// or until ctx ends.
func (c *Controller) Close(ctx context.Context) error {
	running := c.takeNoMore()
	var err error
	for _, control := range running {
		control.session.End("the controller is shutting down")
	}
	for _, control := range running {
		err = errors.Join(err, control.session.Wait(ctx))
	}
	c.cancel(ErrClosed)
	err = errors.Join(err, c.await(ctx, "work in the background", &c.work))
	c.peers.Close()
	told := c.await(ctx, "word to other controllers and Redis", &c.directory)
	c.giveUp()
	if told != nil { // it has been told to end, and has a moment for that
		last, cancel := clock.WithTimeout(context.WithoutCancel(ctx), c.options.Clock, endTimeout)
		defer cancel()
		err = errors.Join(err, c.await(last, "word to other controllers and Redis", &c.directory))
	}
	return errors.Join(err, c.waitHangups(ctx))
}

// takeNoMore has the controller take no sessions any more, and gives those that run.
func (c *Controller) takeNoMore() []*control {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closing = true
	return c.running()
}

// running are the sessions that run here. c.mu is held.
func (c *Controller) running() (list []*control) {
	for _, control := range byKey(c.sessions) {
		list = append(list, control)
	}
	return list
}

// await waits for goroutines until ctx ends; its error says which still run then.
func (c *Controller) await(ctx context.Context, what string, running *clock.Group) error {
	if err := running.Wait(ctx, c.options.Clock); err != nil {
		return fmt.Errorf("%s has not ended: %w", what, context.Cause(ctx))
	}
	return nil
}

func (c *Controller) waitHangups(ctx context.Context) error {
	ctx, cancel := clock.WithTimeout(ctx, c.options.Clock, hangupTimeout)
	defer cancel()
	c.mu.Lock()
	if len(c.legs)+len(c.released) == 0 {
		c.mu.Unlock()
		return nil
	}
	gone := latch(&c.noLegs, c.options.Clock)
	c.mu.Unlock()
	if err := gone.Wait(ctx); err != nil {
		return fmt.Errorf("%d calls have not been seen to end: %w", c.Connections(), context.Cause(ctx))
	}
	return nil
}

// conferencesChanged notes what a renewal found out about conferences while
// Redis was away. Moving the members of a conference that had to yield is not
// done yet: the operator is told.
func (c *Controller) conferencesChanged(found conference.Renewal) {
	for _, ended := range found.Ended {
		c.log.Warn("conference has ended with its controllers, or while redis was away", "conference", ended.ID, "room", ended.Room)
		c.clearRoom(ended)
	}
	for _, lost := range found.Lost {
		c.conferenceEnded(lost, "FreeSWITCH "+lost.Node+", which it was on, has ended")
	}
	for _, cascade := range found.Unneeded {
		c.endCascade(cascade)
	}
	for _, yielded := range found.Yielded {
		c.log.Error("conference was created again elsewhere; its members here stay apart from those there",
			"conference", yielded.Old.ID, "room", yielded.Old.Room, "newer", yielded.New.Room, "members", len(yielded.Members))
	}
}

// Sessions is how many sessions run.
func (c *Controller) Sessions() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.sessions)
}

// Connections is how many legs there are, those included that are being hung up.
func (c *Controller) Connections() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.legs) + len(c.released)
}

func (c *Controller) addLeg(l *leg) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.legs[l.id] = l
}

func (c *Controller) findLeg(id string) *leg {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.legs[id]
}

// forgetLeg takes a leg off the list, once FreeSWITCH has told of its end or will
// not.
func (c *Controller) forgetLeg(l *leg) {
	c.mu.Lock()
	if c.legs[l.id] == l {
		delete(c.legs, l.id)
	}
	c.noteNoLegs()
	c.mu.Unlock()
	c.forgetReleased(l.id)
}

// background runs f in a goroutine of the controller's, which ends before Close
// returns. f gives up when its context ends. It reports false when there are too
// many of them already.
func (c *Controller) background(f func(context.Context)) bool {
	if c.working.Add(1) > int64(c.limits().Sessions)+maxBackground {
		c.working.Add(-1)
		return false
	}
	c.work.Go(c.options.Clock, func() {
		defer c.working.Add(-1)
		f(c.context)
	})
	return true
}

// maxBackground bounds the goroutines that wait for others, beside one for each
// session that may be: it waits for the document of a call.
const maxBackground = 10000

// newID gives an id that is unique everywhere, in the form of FreeSWITCH's.
func (c *Controller) newID() string { return c.options.Random.UUID() }

// Handle takes a leg that FreeSWITCH's socket action hands over. It is the
// Handler of an esl.Server.
func (c *Controller) Handle(call *esl.Call) {
	id := call.Channel.Get("Unique-ID")
	turnAway := func(cause string) { c.refuse(call.Conn, id, freeswitch.MachineOf(call.Channel), cause) }
	l, ended := c.findLeg(id), c.findReleased(id)
	switch session := call.Channel.Get("variable_" + freeswitch.SessionVariable); {
	case !isLegID(id):
		c.log.Error("leg refused: no command could name it", "connection", id)
		turnAway("NORMAL_TEMPORARY_FAILURE")
	case l != nil:
		if !l.comesBy(c, call.Conn, freeswitch.MachineOf(call.Channel), freeswitch.IsAnswered(call.Channel), call.Channel.Get("variable_"+freeswitch.HomeVariable)) {
			c.log.Info("leg comes to a session that has ended", "connection", id)
			turnAway("NORMAL_CLEARING")
		}
	case ended != nil:
		c.log.Info("leg comes to a session that has ended", "connection", id)
		c.refuseReleased(ended, call.Conn, freeswitch.MachineOf(call.Channel))
	case call.Channel.Get("variable_"+instanceVariable) == c.instance:
		c.log.Info("leg comes home after its end", "connection", id)
		turnAway("NORMAL_CLEARING")
	case session != "":
		c.comesForSession(call, id, session)
	default:
		c.handleIncoming(newCallOf(call, id))
	}
}

// isLegID tells whether a channel's uuid is one that commands can name.
func isLegID(id string) bool { return id != "" && esl.CheckUUID("leg", id) == nil }
