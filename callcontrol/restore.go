package callcontrol

import (
	"errors"
	"fmt"
	"sync"

	"ccxmld/dialog"
	"ccxmld/fsm"
	"ccxmld/peer"
)

// restorer makes sessions' legs again from what was written down. All sessions whose legs
// have to do with each other are given to legs first, then to link,
// then to orderAgain; each in the session's goroutine.
type restorer struct {
	controller *Controller

	mu       sync.Mutex           // of what follows: each session works in its own goroutine
	controls map[string]*control  // by session
	orders   map[string]*order    // that are made again, by id
	written  map[string]orderData // by id
	pairs    map[string]*pairRoom // by room
}

func (c *Controller) newRestorer() *restorer {
	return &restorer{
		controller: c, controls: make(map[string]*control), orders: make(map[string]*order), written: make(map[string]orderData),
		pairs: make(map[string]*pairRoom),
	}
}

// legs makes the legs of a session. They have no sockets.
func (r *restorer) legs(c *control, d sessionData) error {
	if err := d.check(); err != nil {
		return err
	}
	c.orders = max(c.orders, d.Ordered)
	r.mu.Lock()
	r.controls[d.Session] = c
	for _, o := range d.Orders {
		r.written[o.ID] = o
	}
	r.mu.Unlock()
	var made []*leg
	for _, written := range d.Legs {
		l, err := r.leg(c, written)
		if err != nil {
			return fmt.Errorf("session %s, connection %s: %w", d.Session, written.ID, err)
		}
		made = append(made, l)
	}
	if c.legs == nil {
		c.legs = make(map[string]*leg, len(made))
	}
	for _, l := range made {
		c.legs[l.id] = l
		l.bind(c)
		c.controller.addLeg(l)
	}
	return nil
}

// leg makes a leg that has nothing to do with others yet.
func (r *restorer) leg(c *control, d legData) (*leg, error) {
	l := &leg{
		id: d.ID, control: c, controller: c.controller, logger: c.controller.log, notes: d.Notes,
		incoming: d.Incoming, answered: d.Answered, takesEarly: d.TakesEarly, machine: d.Machine, call: d.Call,
		cause: d.Cause, failure: d.Failure, detail: d.Detail, recording: d.Recording, tones: d.Tones, clamps: d.Clamps,
		digitsBound: d.Digits, termDigit: d.TermDigit, forwards: d.Forwards, join: d.JoinCall,
		home: d.Home.Mark, parks: d.Home.Parks, closing: d.Home.Closing,
		notEntered: d.Join.NotEntered, notBridged: d.Join.NotBridged,
	}
	if err := errors.Join(
		restore(legStates, d.State, &l.state), restore(clearings, d.Clearing, &l.clearing), restore(socketStates, d.Socket, &l.socket),
		restore(homeStates, d.Home.State, &l.homing), restore(ownerStates, d.Owner, &l.owner), restore(joinStates, d.Join.State, &l.joinState),
	); err != nil {
		return nil, err
	}
	if d.Connection != "" {
		if err := restore(connectionStates, d.Connection, &l.connection); err != nil {
			return nil, err
		}
	}
	if d.AnswerBy != nil {
		l.answerBy = *d.AnswerBy
	}
	if d.Analysis != nil {
		l.analysis = &analysis{request: *d.Analysis, beeps: d.Beeps}
		if d.Analysing {
			l.analysis.leg = l
		}
	}
	l.node = r.controller.nodes.Named(d.Node)
	if d.Node != "" && l.node == nil {
		return nil, fmt.Errorf("its FreeSWITCH node %s is not in nodes", d.Node)
	}
	r.attempt(l, d.Attempt)
	if m := d.Move; m != nil {
		l.handover = &handover{request: m.Request, mark: m.Mark, ended: m.Ended, done: func(error) {}}
	}
	if a := d.Arrival; a != nil { // the one that sends it asks for nothing any more
		l.arriving = &arrival{move: a.Move, answered: a.Answered, reply: func(peer.Answer) {}}
	}
	return l, nil
}

func restore[S, I ~string](t *fsm.Table[S, I], state S, m *fsm.Machine[S, I]) (err error) {
	*m, err = t.Restore(state)
	return err
}

func (r *restorer) attempt(l *leg, d *attemptData) {
	if d == nil {
		return
	}
	if d.Job.Extension, d.Job.Dialplan = "", ""; len(d.Job.Apps) > 0 { // Redis may be written by others
		d.Job.Apps = r.controller.home().Begin()
	}
	l.attempt = &calling{job: d.Job, failed: d.Failed, linkLost: d.LinkLost, placed: d.Placed}
	for _, name := range d.Tried {
		if node := r.controller.nodes.Named(name); node != nil {
			l.attempt.tried = append(l.attempt.tried, node)
		}
	}
	if !d.Over {
		l.calling = l.attempt
	}
}

// link connects the legs of a session with each other, and with those of other sessions.
func (r *restorer) link(c *control, d sessionData) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, written := range d.Legs {
		l := c.legs[written.ID]
		if l == nil || c.resumption != nil && !l.unseen { // it has ended, or come by itself
			continue
		}
		l.joinPending, l.goesOn = r.order(c, written.Join.Pending), r.order(c, written.Join.GoesOn)
		l.present = r.presence(c, written.Join.Present)
		if p := written.Join.Place; p != nil {
			l.place = place{
				kind: p.Kind, partner: p.Partner, order: r.order(c, p.Order), room: p.Room, home: p.Home, settings: p.Settings, headcount: p.Headcount,
				member: p.Member, muted: p.Muted, deaf: p.Deaf, running: p.Running, heardOn: p.HeardOn, silent: p.Silent,
			}
			if other := c.connection(p.Partner); p.Pair != nil && other != nil {
				l.place.pairRoom, l.place.pair = r.pair(p.Pair, l.place.order), other
			}
			l.unpaired = p.Pair != nil && l.place.pair == nil
		}
		if s := written.StandIn; s != nil {
			l.standIn = r.standIn(c, s)
		}
		if s := written.Server; s != nil {
			l.browser = &browser{control: c, events: unheard(), caller: c.legs[s.Caller], leg: l, server: s.URI, state: s.State, reason: s.Reason}
		}
	}
}

// orderAgain asks again for the joins that had not had their turn.
func (r *restorer) orderAgain(c *control, d sessionData) {
	for _, id := range d.Waiting {
		r.mu.Lock()
		o := r.order(c, id)
		r.mu.Unlock()
		if o.merge {
			c.merge(o)
		} else {
			c.perform(o)
		}
	}
}

// order makes an order again, once, for all the sessions that have a part in it. The
// session that asked for it may be no more: c, whose leg names it, hears of it then.
func (r *restorer) order(c *control, id string) *order {
	d, known := r.written[id]
	switch {
	case !known:
		return nil
	case r.orders[id] != nil:
		return r.orders[id]
	}
	o := &order{id: id, JoinRequest: d.Request, entry: d.Entry, merge: d.Merge, implicit: d.Implicit, unjoins: d.Unjoins, issuer: r.control(d.Issuer)}
	if o.issuer == nil {
		o.issuer = c
	}
	for _, session := range d.Asked {
		if asked := r.control(session); asked != nil {
			o.asked = append(o.asked, asked)
		}
	}
	for _, leg := range d.Legs {
		if l := r.controller.findLeg(leg); l != nil {
			o.legs = append(o.legs, l)
		}
	}
	r.orders[id] = o
	return o
}

func (r *restorer) control(session string) *control {
	if c := r.controls[session]; c != nil {
		return c
	}
	return r.controller.control(session)
}

// pair makes the room of two legs, once for both.
func (r *restorer) pair(d *pairData, o *order) *pairRoom {
	m := r.pairs[d.Room]
	if m == nil {
		m = &pairRoom{room: d.Room, order: o, machine: d.Machine, came: d.Came, over: d.Over}
		r.pairs[d.Room] = m
	}
	return m
}

func (r *restorer) presence(c *control, d *presenceData) *presence {
	if d == nil {
		return nil
	}
	return &presence{room: d.Room, machine: d.Machine, order: r.order(c, d.Order), settings: d.Settings}
}

func (r *restorer) standIn(c *control, d *standInData) *standIn {
	s := &standIn{conference: d.Conference, room: d.Room, node: d.Machine, muted: d.Muted, settings: d.Settings}
	if d.Dialog != nil {
		s.dialog = *d.Dialog
	}
	if v := d.Voice; v != nil {
		s.voice = &voice{
			of: c.legs[v.Of], order: r.order(c, v.Order), quiet: v.Quiet, begun: v.Begun, over: v.Over, left: v.Left,
			presence: r.presence(c, v.Present), headcount: v.Headcount,
		}
	}
	return s
}

// unheard are the events of a dialog of which nobody is told.
func unheard() dialog.Events {
	return dialog.Events{
		Started: func() {}, NotStarted: func(string) {}, Exited: func(dialog.Result) {}, Disconnect: func(dialog.Values) {},
		Transfer: func(dialog.Transfer) {}, TerminateTransfer: func(string) {}, User: func(string, dialog.Values) {},
	}
}
