package callcontrol

import (
	"fmt"

	"ccxmld/esl"
	"ccxmld/freeswitch"
	"ccxmld/interpreter"
)

// Merge bridges two legs and lets go of them (interpreter.Telephony). FreeSWITCH
// keeps them until one hangs up; no session hears of them any more, and they
// outlive this one.
func (c *control) Merge(r interpreter.MergeRequest) {
	o := &order{id: c.orderID(), issuer: c, merge: true}
	o.ID1, o.ID2 = r.ConnectionID1, r.ConnectionID2
	c.merge(o)
}

func (c *control) merge(o *order) {
	a, b := c.legs[o.ID1], c.legs[o.ID2]
	if a == nil || b == nil {
		o.fail(c, "a call that it names has ended")
		return
	}
	if reason := c.notJoinable(a, b); reason != "" {
		o.fail(c, reason)
		return
	}
	m := &move{legs: []*leg{a, b}, order: o, needless: func() bool {
		bridged := a.bridgedTo(b)
		if bridged {
			c.makeIndependent(a, b, o)
		}
		return bridged
	}, run: func() { c.startBridge(a, b, o) }}
	m.queue()
}

// makeIndependent prepares two bridged legs for life without us. Only when
// FreeSWITCH has taken that up they are let go: a leg whose partner hung up before
// would be left to nobody.
func (c *control) makeIndependent(a, b *leg, o *order) {
	waiting := 2
	c.after(joinTimeout, func() {
		if waiting > 0 {
			waiting = -1
			c.notMerged(a, b, o, fmt.Errorf("FreeSWITCH did not take up the change within %s", joinTimeout))
		}
	})
	for _, l := range []*leg{a, b} {
		l.conn.Send(freeswitch.Independent(l.id, l.place.partner), func(r *esl.Reply, err error) {
			if err == nil {
				err = r.Err()
			}
			l.route.do(func() {
				switch waiting--; {
				case waiting > 0 && err == nil:
				case waiting < 0: // it has failed already
				case err == nil && a.bridgedTo(b) && !a.moving() && !b.moving():
					c.merged(a, b)
				default:
					waiting = 0
					c.notMerged(a, b, o, err)
				}
			})
		})
	}
}

// notMerged takes back what was prepared.
func (c *control) notMerged(a, b *leg, o *order, err error) {
	reason := "the call has ended"
	if err != nil {
		reason = err.Error()
	}
	undo := a.place.order == o // else they were joined before
	for _, l := range []*leg{a, b} {
		if !l.isGone() {
			l.send(freeswitch.OurVariables(l.id, ""), nil)
			l.keepTogether()
		}
	}
	if undo && a.bridgedTo(b) && !a.isHoming() {
		c.bringHome(a)
	}
	o.fail(c, reason)
}

// merged lets go of two legs that are bridged, and tells the document (MRG-1).
func (c *control) merged(a, b *leg) {
	a.tellLeft() // BRG-12
	for _, l := range []*leg{a, b} {
		l.place = place{}
		l.joinState.Take(joinEnds, l.log)
	}
	for _, pair := range [][2]*leg{{a, b}, {b, a}} {
		l, partner := pair[0], pair[1]
		l.log().Info("leg merged", "with", partner.id)
		l.send(esl.Exit(), nil) // the bridge has ended the leg's socket action already
		l.end(legMerged, func() {
			delete(c.legs, l.id)
			c.forgetConnection(l.id)
			c.tellConnection(l, mergedEvent, interpreter.Field{Name: "mergeid", Value: partner.id})
		})
	}
}

// mergeFailed tells the document that two connections stay what they were.
func (c *control) mergeFailed(id1, id2, reason string) {
	c.session.Queue(&interpreter.Event{
		Name: "connection.merge.failed", Source: c.session.ID(), SourceType: "ccxml",
		Fields: []interpreter.Field{
			{Name: "connectionid1", Value: id1}, {Name: "connectionid2", Value: id2}, {Name: "protocol", Value: "sip"},
			{Name: "reason", Value: fmt.Sprintf("the two were not merged: %s", reason)},
		},
	})
}
