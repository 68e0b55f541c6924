package callcontrol

import (
	"slices"

	"ccxmld/freeswitch"
)

// exporter writes down what a session has.
type exporter struct {
	data   sessionData
	orders map[string]bool // that are written
}

// export writes down what the session has in FreeSWITCH. It is called in the session's
// goroutine.
func (c *control) export() sessionData {
	x := &exporter{data: sessionData{Version: dataVersion, Session: c.record.ID, Ordered: c.orders}, orders: make(map[string]bool)}
	for _, l := range byKey(c.legs) {
		x.data.Legs = append(x.data.Legs, x.leg(l))
	}
	x.waiting(c)
	return x.data
}

// waiting writes down which orders wait for legs, in an order in which each has its turn
// on all its legs. All wait in the same order, so that there is one.
func (x *exporter) waiting(c *control) {
	turn := make(map[*leg]int)
	first := func(m *move) bool {
		return !slices.ContainsFunc(m.legs, func(l *leg) bool { return turn[l] >= len(l.moves) || l.moves[turn[l]] != m })
	}
	for found := true; found; {
		found = false
		for _, l := range byKey(c.legs) {
			for turn[l] < len(l.moves) && first(l.moves[turn[l]]) {
				m := l.moves[turn[l]]
				for _, other := range m.legs {
					turn[other]++
				}
				if found = true; m.order != nil {
					x.data.Waiting = append(x.data.Waiting, x.order(m.order))
				}
			}
		}
	}
}

func (x *exporter) leg(l *leg) legData {
	d := legData{
		ID: l.id, State: l.state.State(), Clearing: l.clearing.State(), Connection: l.connection.State(), Socket: l.socket.State(),
		Owner: l.owner.State(), Join: x.join(l),
		Home:     homeData{State: l.homing.State(), Mark: l.home, Parks: l.parks, Closing: l.closing},
		Incoming: l.incoming, Answered: l.answered, TakesEarly: l.takesEarly, Machine: l.machine, Call: l.call,
		Cause: l.cause, Failure: l.failure, Detail: l.detail, Recording: l.recording, Tones: l.tones, Clamps: l.clamps,
		Digits: l.digitsBound, TermDigit: l.termDigit, Forwards: l.forwards, JoinCall: l.join, Notes: l.notes,
	}
	if l.node != nil {
		d.Node = l.node.Name()
	}
	if !l.answerBy.IsZero() {
		by := l.answerBy.UTC()
		d.AnswerBy = &by
	}
	if a := l.analysis; a != nil {
		d.Analysis, d.Beeps, d.Analysing = &a.request, a.beeps, a.leg != nil
	}
	if call := l.attempt; call != nil {
		d.Attempt = &attemptData{Job: call.job, Tried: namesOf(call.tried), Failed: call.failed, LinkLost: call.linkLost, Placed: call.placed, Over: l.calling != call}
	}
	if h := l.handover; h != nil {
		d.Move = &moveData{Request: h.request, Mark: h.mark, Ended: h.ended}
	}
	if a := l.arriving; a != nil {
		d.Arrival = &arrivalData{Move: a.move, Answered: a.answered}
	}
	if b := l.browser; b != nil {
		d.Server = &serverData{URI: b.server, Caller: b.caller.id, State: b.state, Reason: b.reason}
	}
	if s := l.standIn; s != nil {
		d.StandIn = x.standIn(s)
	}
	return d
}

func namesOf(nodes []*freeswitch.Node) (names []string) {
	for _, node := range nodes {
		names = append(names, node.Name())
	}
	return names
}

func (x *exporter) join(l *leg) joinData {
	d := joinData{
		State: l.joinState.State(), Pending: x.order(l.joinPending), GoesOn: x.order(l.goesOn),
		NotEntered: l.notEntered, NotBridged: l.notBridged,
	}
	d.Present = x.presence(l.present)
	if p := l.place; p != (place{}) {
		d.Place = &placeData{
			Kind: p.kind, Partner: p.partner, Order: x.order(p.order), Room: p.room, Home: p.home, Settings: p.settings, Headcount: p.headcount,
			Member: p.member, Muted: p.muted, Deaf: p.deaf, Running: p.running, HeardOn: p.heardOn, Silent: p.silent,
			Pair: p.pairRoom.export(),
		}
	}
	return d
}

// export writes a pair's room down; nil for none.
func (m *pairRoom) export() *pairData {
	if m == nil {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return &pairData{Room: m.room, Machine: m.machine, Came: m.came, Over: m.over}
}

// order writes an order down, once, and gives its id; "" for none.
func (x *exporter) order(o *order) string {
	if o == nil {
		return ""
	}
	if x.orders[o.id] {
		return o.id
	}
	x.orders[o.id] = true
	d := orderData{
		ID: o.id, Request: o.JoinRequest, Entry: o.entry, Merge: o.merge, Implicit: o.implicit, Unjoins: o.unjoins,
		Issuer: o.issuer.record.ID,
	}
	for _, c := range o.asked {
		d.Asked = append(d.Asked, c.record.ID)
	}
	for _, l := range o.legs {
		d.Legs = append(d.Legs, l.id)
	}
	x.data.Orders = append(x.data.Orders, d)
	return o.id
}

func (x *exporter) standIn(s *standIn) *standInData {
	d := &standInData{Conference: s.conference, Room: s.room, Machine: s.node, Muted: s.muted, Settings: s.settings}
	if v := s.voice; v != nil {
		d.Voice = &voiceData{
			Of: v.of.id, Order: x.order(v.order), Quiet: v.quiet, Begun: v.begun, Over: v.over, Left: v.left,
			Present: x.presence(v.presence), Headcount: v.headcount,
		}
	} else {
		request := s.dialog
		d.Dialog = &request
	}
	return d
}

func (x *exporter) presence(p *presence) *presenceData {
	if p == nil {
		return nil
	}
	return &presenceData{Room: p.room, Machine: p.machine, Order: x.order(p.order), Settings: p.settings}
}
