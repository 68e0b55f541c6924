package switchsim

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Behaviour is what someone does when they are called: [Answers], [Busy],
// [NoAnswer], [Rejects], [NotFound], [Unavailable], [Forbidden],
// [Unreachable], [EarlyMedia], [Refuses], [Redirects] or [Undecided].
type Behaviour interface{ behave(o *outgoing) }

// Answers picks up, after ringing for After.
type Answers struct {
	After time.Duration
	// HangupAfter, if set, is how long the callee stays on the phone.
	HangupAfter time.Duration
	// Says is when the callee speaks.
	Says []Speech
}

// Speech is a stretch of voice of a callee, or of a tone.
type Speech struct {
	After time.Duration // from the answer
	Lasts time.Duration
	Tone  float64 // its frequency in hertz, 0 for a voice
}

// EarlyMedia lets the caller hear something before it answers.
type EarlyMedia struct {
	After       time.Duration // until it is heard
	AnswerAfter time.Duration // from then; negative: never
	HangupAfter time.Duration
	Refuses     int // the SIP status that comes in place of the answer; 0: none
}

// NoAnswer rings until the caller gives up.
type NoAnswer struct{}

// Undecided does nothing by itself: [Party.Answer] answers.
type Undecided struct{}

// Refuses ends the call with a SIP status, after ringing for After.
type Refuses struct {
	Status int
	// Cause is FreeSWITCH's, as a Reason header would name it; empty: what
	// FreeSWITCH makes of the status alone.
	Cause string
	After time.Duration
}

// Redirects answers 302 with another address, To, as a Contact header has it.
// FreeSWITCH follows it, unless the call's outbound_redirect_fatal says that it ends.
type Redirects struct{ To string }

func (b Redirects) behave(o *outgoing) {
	o.in(0, func() {
		if !isTrue(o.c.vars.get("outbound_redirect_fatal")) {
			user, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimLeft(b.To, "<"), "sip:"), "@")
			o.place(user)
			return
		}
		o.c.vars.set("sip_redirect_contact_0", b.To)
		o.c.vars.set("sip_redirected_to", b.To)
		o.c.vars.set("sip_call_id", o.c.placeholder.callID)
		o.reached()
		o.c.hangUp("REQUESTED_CHAN_UNAVAIL", local) // whose status is FreeSWITCH's own, 487
	})
}

// Busy is 486.
type Busy struct{ After time.Duration }

// Rejects is 603.
type Rejects struct{ After time.Duration }

// NotFound is 404.
type NotFound struct{ After time.Duration }

// Unavailable is 480.
type Unavailable struct{ After time.Duration }

// Forbidden is 403.
type Forbidden struct{ After time.Duration }

// Unreachable is a host that cannot be reached: FreeSWITCH makes it 503.
type Unreachable struct{ After time.Duration }

func (b Busy) behave(o *outgoing)     { Refuses{486, "USER_BUSY", b.After}.behave(o) }
func (b Rejects) behave(o *outgoing)  { Refuses{603, "CALL_REJECTED", b.After}.behave(o) }
func (b NotFound) behave(o *outgoing) { Refuses{404, "NO_ROUTE_DESTINATION", b.After}.behave(o) }
func (b Unavailable) behave(o *outgoing) {
	Refuses{480, "NO_USER_RESPONSE", b.After}.behave(o)
}
func (b Forbidden) behave(o *outgoing)   { Refuses{403, "CALL_REJECTED", b.After}.behave(o) }
func (b Unreachable) behave(o *outgoing) { o.in(b.After, o.unreachable) }

func (b Answers) behave(o *outgoing) {
	if b.After > 0 {
		o.ring()
	}
	o.in(b.After, func() {
		for _, s := range b.Says {
			o.c.voice = append(o.c.voice, stretch{o.c.sw.now().Add(s.After), o.c.sw.now().Add(s.After + s.Lasts), s.Tone})
		}
		o.answer(b.HangupAfter)
	})
}

func (NoAnswer) behave(o *outgoing) { o.ring() }

func (Undecided) behave(*outgoing) {}

func (b Refuses) behave(o *outgoing) {
	if b.After > 0 {
		o.ring()
	}
	o.in(b.After, func() { o.refuse(b.Status, b.Cause) })
}

func (b EarlyMedia) behave(o *outgoing) {
	o.in(b.After, func() {
		o.early()
		if b.AnswerAfter >= 0 {
			o.in(b.AnswerAfter, func() {
				if b.Refuses != 0 {
					o.refuse(b.Refuses, "")
					return
				}
				o.answer(b.HangupAfter)
			})
		}
	})
}

// Answer answers the call of a party that was called and has not answered yet.
func (p *Party) Answer() {
	p.sw.lock()
	defer p.sw.unlock()
	if p.outgoing != nil && !p.leg.down() && !p.leg.answered {
		p.outgoing.answer(0)
	}
}

// Callee says what happens when someone calls a number: the user part of the
// last element of the dial string. "*" stands for every number without a
// behaviour of its own; without that they are [NotFound].
func (sw *Switch) Callee(number string, does Behaviour) {
	sw.mu.Lock()
	defer sw.mu.Unlock()
	sw.callees[number] = does
}

// maxCalled bounds the parties of a number that nobody waited for.
const maxCalled = 256

// WaitCallee waits until a number is called and returns who was: each call to
// it once, in their order. "*" stands for any number.
func (sw *Switch) WaitCallee(ctx context.Context, number string) (*Party, error) {
	var party *Party
	err := sw.wait(ctx, &sw.newCallee, func() bool {
		if number == "*" {
			for _, called := range slices.Sorted(maps.Keys(sw.called)) {
				if len(sw.called[called]) > 0 {
					number = called
					break
				}
			}
		}
		queue := sw.called[number]
		if len(queue) == 0 || party != nil {
			return party != nil
		}
		party, sw.called[number] = queue[0], queue[1:]
		return true
	})
	return party, err
}

func (sw *Switch) calling(p *Party) {
	queue := append(sw.called[p.number], p)
	if len(queue) > maxCalled {
		queue = append([]*Party(nil), queue[len(queue)-maxCalled:]...)
	}
	sw.called[p.number] = queue
	sw.newCallee.ring()
}

// outgoing is a call on its way to a callee.
type outgoing struct {
	c       *channel
	proceed func() // what the leg does once it is up
	done    func(reply string)
	ignores bool    // early media
	peer    *Switch // that the call leads to, nil for a party
	replied bool
	timeout *appointment
}

// in does something later, if the call still stands.
func (o *outgoing) in(d time.Duration, do func()) {
	step := func() {
		if !o.c.down() {
			do()
		}
	}
	if d <= 0 {
		o.c.atTick(step)
		return
	}
	o.c.sw.agenda.after(d, step)
}

// reached is what any reply from the far end brings.
func (o *outgoing) reached() {
	o.c.profile.networkAddr = "127.0.0.1"
	o.c.apply(outboundReply)
}

// progress is what a provisional reply and the answer have in common.
func (o *outgoing) progress() {
	o.reached()
	o.c.profile.calleeName = o.c.profile.destination
	o.c.apply(outboundPeer)
}

func (o *outgoing) ring() {
	o.in(0, func() {
		o.progress()
		o.c.profile.progress = o.c.sw.now()
		o.c.fire("CHANNEL_PROGRESS", site{"switch_channel.c", "switch_channel_perform_mark_ring_ready_value", 3507})
		o.c.setCallState("RINGING")
	})
}

func (o *outgoing) early() {
	c := o.c
	o.progress()
	c.apply(outboundOffer)
	c.vars.set("endpoint_disposition", "EARLY MEDIA")
	c.early = true
	c.profile.progressMedia = c.sw.now()
	c.fire("CHANNEL_PROGRESS_MEDIA", site{"switch_channel.c", "switch_channel_perform_mark_pre_answered", 3562})
	c.setCallState("EARLY")
	c.media, c.readCodec = true, codecWire
	c.apply(outboundMedia)
	c.vars.touch("endpoint_disposition")
	if !o.ignores {
		c.atTick(o.up)
	}
}

func (o *outgoing) answer(stays time.Duration) {
	c := o.c
	if !c.early {
		o.progress()
		c.apply(outboundOffer)
		c.apply(outboundMedia)
	}
	c.acked = true
	c.markAnswered()
	c.vars.set("endpoint_disposition", "ANSWER")
	if stays > 0 {
		o.in(stays, c.partyLeft)
	}
	c.atTick(o.up)
}

// up is the end of the originate: the job is answered and the leg goes on.
func (o *outgoing) up() {
	if o.replied || o.c.down() {
		return
	}
	o.replied = true
	o.c.sw.agenda.cancel(o.timeout)
	o.c.job = nil
	o.done("+OK " + o.c.uuid + "\n")
	o.c.enterFar()
	o.proceed()
}

// refuse is a final reply from the callee.
func (o *outgoing) refuse(status int, cause string) {
	c := o.c
	reason := cause != ""
	if !reason {
		cause = causeOfStatus(status)
	}
	number := q850(cause)
	c.vars.set("sip_call_id", c.placeholder.callID)
	o.reached()
	c.vars.set("sip_hangup_disposition", "recv_refuse")
	c.vars.set("sip_invite_failure_status", strconv.Itoa(status))
	c.vars.set("sip_invite_failure_phrase", sipResponses[status].phrase)
	if reason {
		c.vars.set("sip_reason", "Q.850;cause="+strconv.Itoa(number)+`;text="`+cause+`"`)
	}
	c.setTermination(status, number)
	c.party.sipStatus = status
	c.hangUp(cause, remote)
}

func (o *outgoing) unreachable() {
	c := o.c
	c.apply(outboundUnheard)
	c.vars.set("sip_hangup_disposition", "recv_refuse")
	c.vars.set("sip_invite_failure_status", "503")
	c.vars.set("sip_invite_failure_phrase", "Service Unavailable")
	c.setTermination(503, 41)
	c.party.sipStatus = 503
	c.hangUp("NORMAL_TEMPORARY_FAILURE", remote)
}
