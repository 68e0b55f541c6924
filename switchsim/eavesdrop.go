package switchsim

import "slices"

// eavesdrop lets a leg hear another one, by the other's uuid. It says nothing of
// how it went, and takes no commands while it lasts, which is until one of the
// two is gone or taken elsewhere (switch_ivr_eavesdrop_session).
type eavesdrop struct {
	target *channel
	place  int // of the party's sound
}

func (e *eavesdrop) start(f *frame) {
	c := f.c
	target := c.sw.live(f.data)
	if target == nil || target == c || target.down() {
		f.finish()
		return
	}
	e.target = target
	c.switchCodec(codecMixed)
	caller := target.profile
	c.vars.set("last_sent_callee_id_name", orElse(caller.callerName, caller.callerNumber))
	c.vars.set("last_sent_callee_id_number", caller.callerNumber)
	target.eavesdroppers = append(target.eavesdroppers, f)
	e.place = c.party.hear(Sound{Kind: "eavesdrop", What: target.party.number, From: c.sw.now()})
}

func (e *eavesdrop) abort(f *frame) {
	if e.target != nil {
		e.target.eavesdroppers = without(e.target.eavesdroppers, f)
		f.c.party.stopHearing(e.place, true)
		e.target = nil
		f.c.switchCodec(codecWire)
		f.c.atTick(f.c.readKept)
	}
}

// leaveEavesdroppers ends what listened to a leg that is gone.
func (c *channel) leaveEavesdroppers() {
	for _, f := range slices.Clone(c.eavesdroppers) {
		f.app.(*eavesdrop).abort(f)
		f.c.atTick(f.finish)
	}
}

// Hears returns the numbers of the parties whose voices the party hears now, in
// order: in a bridge, in a conference, and by eavesdropping. What parties merely
// relay, as a listener to a listener would, is not counted, but what the other half
// of a loopback call brings into a conference is, and what comes from the conference's
// room on another switch.
func (p *Party) Hears() []string {
	numbers, far := p.hears()
	for _, peer := range far {
		numbers = append(numbers, peer.Hears()...)
	}
	slices.Sort(numbers)
	return slices.Compact(numbers)
}

// hears gives the numbers that the party hears on its own switch, and through whom it
// hears others.
func (p *Party) hears() (numbers []string, far []*Party) {
	p.sw.mu.Lock()
	defer p.sw.mu.Unlock()
	c := p.leg
	if c.bridge != nil {
		numbers = append(numbers, c.bridge.partner(c).party.number)
	}
	for _, m := range c.members {
		for _, other := range m.room.members {
			switch {
			case !m.hears || !other.speaks || other.c == c || m.room.waits:
			case other.c.peer != nil:
				far = append(far, other.c.peer.party)
			case other.c.near == nil:
				numbers = append(numbers, other.c.party.number)
			case other.c.near.relays() != "":
				numbers = append(numbers, other.c.near.relays())
			}
		}
	}
	if f := c.top(); f != nil {
		if e, ok := f.app.(*eavesdrop); ok && e.target != nil {
			numbers = append(numbers, e.target.party.number)
		}
	}
	return numbers, far
}
