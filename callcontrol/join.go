package callcontrol

import (
	"slices"
	"strconv"
	"strings"

	"ccxmld/conference"
	"ccxmld/interpreter"
)

// order is a join that a document asked for. It is shared by the sessions that
// have a part in it, and not changed once it is on its way.
type order struct {
	id string // unique everywhere
	interpreter.JoinRequest
	entry    conference.Entry
	merge    bool       // <merge> asks for it: what is bridged leaves us
	implicit bool       // createcall's joinid asks for it: no join event of its own (CAL-5)
	browser  *browser   // of the bridge with a VoiceXML server, of which the document knows its dialog only
	issuer   *control   // whose document asks; it alone is told of a failure (JOIN-8)
	asked    []*control // who asked for the join that this one ends
	legs     []*leg     // of the connections, whoever has them
	unjoins  bool       // it is <unjoin> that asks, for the end of a join
}

// Join bridges two endpoints (interpreter.Telephony).
func (c *control) Join(r interpreter.JoinRequest) { c.join(r, false) }

// join gives a join to the session that owns the leg which has to move: both of a
// full bridge, the first of a half one, the one that is not a conference.
func (c *control) join(r interpreter.JoinRequest, implicit bool) {
	if d := c.dialogOf(r.ID1, r.ID2); d != nil {
		c.joinDialog(d, r)
		return
	}
	o := &order{id: c.orderID(), JoinRequest: r, implicit: implicit, issuer: c}
	for _, id := range []string{r.ID1, r.ID2} {
		if l := c.connection(id); l != nil {
			o.legs = append(o.legs, l)
		}
	}
	c.perform(o)
}

// orderID gives the id of a new order.
func (c *control) orderID() string {
	c.orders++
	return c.record.ID + "." + strconv.Itoa(c.orders)
}

// perform has an order done by the session that owns the leg which has to move.
func (c *control) perform(o *order) {
	r := o.JoinRequest
	a, b := c.connection(r.ID1), c.connection(r.ID2)
	switch {
	case a != nil && interpreter.IsConferenceID(r.ID2):
		o.give(c, a, func() { a.control.joinConference(a, r.ID2, o) })
	case b != nil && interpreter.IsConferenceID(r.ID1):
		o.give(c, b, func() { b.control.joinConference(b, r.ID1, o) })
	case interpreter.IsConferenceID(r.ID1) && interpreter.IsConferenceID(r.ID2):
		c.joinConferences(o)
	case a == nil && b == nil && interpreter.IsConferenceID(r.ID2):
		c.changeFar(r.ID1, r.ID2, o)
	case a == nil && b == nil && interpreter.IsConferenceID(r.ID1):
		c.changeFar(r.ID2, r.ID1, o)
	case a == nil || b == nil:
		o.fail(c, "a call or dialog that it names has ended, or is a dialog that was not started yet")
	case r.Half:
		o.give(c, a, func() { a.control.listen(a, b, o) })
	case a.route.owner() == b.route.owner():
		o.give(c, a, func() { a.control.bridge(a, b, o) })
	default:
		c.joinPair(a, b, o)
	}
}

// HasConnection tells whether a connection of another session can be joined
// (interpreter.Telephony); one of another controller, with the conference that it
// is in.
func (c *control) HasConnection(id string) bool { return c.connection(id) != nil || c.hearsOf(id) }

// connection finds a leg of this session, or of another one on this controller;
// nil for none.
func (c *control) connection(id string) *leg {
	if l := c.legs[id]; l != nil && !l.isHidden() {
		return l
	}
	if l := c.controller.findLeg(id); l != nil && !l.isHidden() && l.route.owner() != nil {
		return l
	}
	return nil
}

// give lets the session that has a leg do what the order asks of it: at once if
// that is c, which calls it. Who has the leg by then looks at what it is, and at who
// has the others: they may have been moved meanwhile.
func (o *order) give(c *control, l *leg, do func()) {
	if c.legs[l.id] == l {
		do()
		return
	}
	l.route.ask(do, func() { o.failedElsewhere("the session of connection " + l.id + " has ended") })
}

// sessions are those that have a part in the order: whose document asks for it, and
// that have its connections now. A connection that is joined is not moved.
func (o *order) sessions() []*control {
	list := append([]*control{o.issuer}, o.asked...)
	for _, l := range o.legs {
		if owner := l.route.owner(); owner != nil {
			list = append(list, owner)
		}
	}
	return list
}

// in runs f in the goroutine of each session that has a part in the order, at
// once in that of c, which calls it.
func (o *order) in(c *control, f func(*control)) {
	f(c)
	told := []*control{c}
	for _, other := range o.sessions() {
		if !slices.Contains(told, other) {
			told = append(told, other)
			other.session.Do(func() { f(other) })
		}
	}
}

// made tells the sessions that the two endpoints are bridged, with what is to be
// said about it. The issuer is told
// even if neither is its own.
func (o *order) made(c *control, about ...interpreter.Field) {
	if o.browser != nil {
		o.browser.joined()
		return
	}
	duplex := interpreter.Full
	if o.Half {
		duplex = interpreter.Half
	}
	effect := interpreter.JoinEffect{A: endpoint(o.ID1), B: endpoint(o.ID2), Duplex: duplex, Implicit: o.implicit}
	o.in(c, func(c *control) {
		if o.implicit {
			c.session.Apply(effect)
			return
		}
		c.session.Queue(&interpreter.Event{
			Name: "conference.joined", Source: c.session.ID(), SourceType: "ccxml",
			Fields: append([]interpreter.Field{{Name: "id1", Value: o.ID1}, {Name: "id2", Value: o.ID2}}, about...),
			Effect: effect,
		})
	})
}

// fell tells the sessions that the bridge is gone; termDigit is the digit that
// ended it, if any.
func (o *order) fell(c *control, termDigit string) {
	o.in(c, func(c *control) { c.queueUnjoined(o.ID1, o.ID2, termDigit) })
}

// fellSilently lets the other sessions know what is not reported (BRG-7). The
// session of the leg, c, learns it with the event that was the cause.
func (o *order) fellSilently(c *control) {
	o.in(c, func(other *control) {
		if other != c {
			other.session.Apply(interpreter.UnjoinEffect{A: o.ID1, B: o.ID2})
		}
	})
}

// fail tells the issuer that the join could not be made. c is the control in whose
// session that was found out.
func (o *order) fail(c *control, reason string) {
	if o.browser != nil {
		o.browser.giveUp(reason)
		return
	}
	if c == o.issuer {
		o.tellFailed(reason)
		return
	}
	o.failedElsewhere(reason)
}

// failedElsewhere is fail for any goroutine.
func (o *order) failedElsewhere(reason string) {
	o.issuer.session.Do(func() { o.tellFailed(reason) })
}

func (o *order) tellFailed(reason string) {
	if o.merge {
		o.issuer.mergeFailed(o.ID1, o.ID2, reason)
		return
	}
	o.issuer.queueJoinError("error.conference.join", o.ID1, o.ID2, reason)
}

// endpoint is an id in the media graph.
func endpoint(id string) interpreter.Endpoint {
	return interpreter.Endpoint{ID: id, Conference: interpreter.IsConferenceID(id)}
}

// Unjoin takes the bridge between two endpoints away (interpreter.Telephony).
func (c *control) Unjoin(r interpreter.UnjoinRequest) {
	if d := c.dialogOf(r.ID1, r.ID2); d != nil {
		c.unjoinDialog(d, r)
		return
	}
	if s := c.couplingBetween(r.ID1, r.ID2); s != nil {
		made := s.pending == nil
		c.endCoupling(s)
		if made {
			c.queueUnjoined(r.ID1, r.ID2, "")
		} else {
			c.queueJoinError("error.conference.unjoin", r.ID1, r.ID2, "the two are not joined yet")
		}
		return
	}
	a, b := c.connection(r.ID1), c.connection(r.ID2)
	if a == nil && b == nil {
		for _, ids := range [][2]string{{r.ID1, r.ID2}, {r.ID2, r.ID1}} {
			if m, ok := c.far(ids[0], ids[1]); ok {
				c.kickFar(m, c.rosters[ids[1]].room, r)
				return
			}
		}
	}
	c.unjoin(r, a, b)
}

// unjoin asks the first of the legs, in its own session, to leave the bridge; if
// it is in none with the other, the next one is asked.
func (c *control) unjoin(r interpreter.UnjoinRequest, legs ...*leg) {
	if len(legs) == 0 {
		c.queueJoinError("error.conference.unjoin", r.ID1, r.ID2, "the two are not joined")
		return
	}
	l, rest := legs[0], legs[1:]
	if l == nil {
		c.unjoin(r, rest...)
		return
	}
	partner := r.ID2
	if l.id == r.ID2 {
		partner = r.ID1
	}
	next := func() { c.unjoin(r, rest...) }
	if c.legs[l.id] == l {
		if !l.part(partner, c, r) {
			next()
		}
		return
	}
	l.route.ask(func() {
		if !l.part(partner, c, r) {
			c.session.Do(next)
		}
	}, func() { c.session.Do(next) })
}

// part takes the leg out of its bridge with a partner, for a document that asks
// for that; it reports false if there is none, or it is on its way out already.
func (l *leg) part(partner string, issuer *control, r interpreter.UnjoinRequest) bool {
	if speaker := l.voiceIn(partner); speaker != nil {
		v := speaker.voice()
		o := v.order.parting(l.control.orderID(), issuer, r)
		v.giveUp(l.control, speaker)
		v.order, speaker.place.order, speaker.place.silent = o, o, false
		l.control.endVoice(speaker, true)
		return true
	}
	if l.place.kind == alone || l.place.partner != partner || l.moving() {
		return false
	}
	l.place.order, l.place.silent = l.place.order.parting(l.control.orderID(), issuer, r), false
	l.leave()
	return true
}

// parting is an <unjoin> of what the order has joined.
func (o *order) parting(id string, issuer *control, r interpreter.UnjoinRequest) *order {
	p := &order{id: id, issuer: issuer, asked: append([]*control{o.issuer}, o.asked...), legs: o.legs, unjoins: true}
	p.ID1, p.ID2 = r.ID1, r.ID2
	p.ExitTone, p.Base, p.entry = o.ExitTone, o.Base, o.entry // which the join has asked for (JOIN-3)
	return p
}

func (c *control) queueUnjoined(id1, id2, termDigit string) {
	fields := []interpreter.Field{{Name: "id1", Value: id1}, {Name: "id2", Value: id2}}
	if termDigit != "" {
		fields = append(fields, interpreter.Field{Name: "termdigit", Value: termDigit})
	}
	for _, id := range []string{id1, id2} {
		if interpreter.IsConferenceID(id) {
			fields = append(fields, interpreter.Field{Name: "conferenceid", Value: id})
		} else if strings.TrimSpace(id) != "" && c.legs[id] != nil {
			fields = append(fields, interpreter.Field{Name: "connectionid", Value: id})
		}
	}
	c.session.Queue(&interpreter.Event{
		Name: "conference.unjoined", Source: c.session.ID(), SourceType: "ccxml", Fields: fields,
		Effect: interpreter.UnjoinEffect{A: id1, B: id2},
	})
}

func (c *control) queueJoinError(name, id1, id2, reason string) {
	c.session.Queue(&interpreter.Event{
		Name: name, Source: c.session.ID(), SourceType: "ccxml",
		Fields: []interpreter.Field{{Name: "id1", Value: id1}, {Name: "id2", Value: id2}, {Name: "reason", Value: reason}},
	})
}
