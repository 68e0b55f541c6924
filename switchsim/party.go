package switchsim

import (
	"context"
	"slices"
	"strings"
	"time"
)

// Party is someone on the phone: one who called, or one who was called. It is
// safe for concurrent use.
type Party struct {
	sw           *Switch
	leg          *channel
	uuid         string
	number       string
	heard        []Sound
	hasAnswered  bool
	ending       *Ending
	sipStatus    int // of the refusal
	redirectedTo string
	referral     Referral
	pressAt      time.Time
	news         bell
	outgoing     *outgoing // the call to the party; nil if it called
}

// Sound is something a party heard, or that was recorded of it.
type Sound struct {
	// Kind is "file", "speech", "tone", "silence", "conference", "bridge",
	// "eavesdrop", "record" or "dtmf".
	Kind string
	// What is the file, the text, the conference's name, the other party's
	// number, the recording's path or the digits.
	What string
	// From and To are when, in the switch's time. To is not set while it
	// lasts.
	From, To time.Time
	// Complete tells that it was played to its end.
	Complete bool
}

// Ending is how a call ended.
type Ending struct {
	Cause string // FreeSWITCH's
	// SIPStatus is what the call was refused with; 200 if it was answered.
	SIPStatus int
	// By is "local" if the switch ended the call, "remote" if the party did.
	By string
	// RedirectedTo is where a 302 or a REFER sent the party.
	RedirectedTo string
}

// UUID returns the id of the party's leg.
func (p *Party) UUID() string { return p.uuid }

// Commands returns what the party's leg was told to execute, as Switch.Commands does,
// also once the leg is destroyed.
func (p *Party) Commands() []string {
	p.sw.mu.Lock()
	defer p.sw.mu.Unlock()
	return append([]string(nil), p.leg.commands...)
}

// Number returns the number of the party.
func (p *Party) Number() string { return p.number }

// digitGap is the time from one digit to the next, in ticks.
const digitGap = 1

// Press presses digits, one after the other; w waits half a second, W a whole
// one. It returns at once.
func (p *Party) Press(digits string) {
	p.sw.lock()
	defer p.sw.unlock()
	at := p.sw.now()
	if p.pressAt.After(at) {
		at = p.pressAt
	}
	for _, digit := range []byte(digits) {
		switch digit {
		case 'w':
			at = at.Add(500 * time.Millisecond)
			continue
		case 'W':
			at = at.Add(time.Second)
			continue
		}
		if at = at.Add(p.sw.ticks(digitGap)); at.After(p.sw.now()) {
			p.sw.agenda.at(at, func() { p.leg.press(digit) })
		} else {
			p.leg.press(digit)
		}
	}
	p.pressAt = at
}

// Sing plays the tones of digits, which are digits only to a leg that listens for
// them in its audio (start_dtmf).
func (p *Party) Sing(digits string) {
	p.sw.lock()
	defer p.sw.unlock()
	for i, digit := range []byte(digits) {
		p.sw.agenda.after(p.sw.ticks(digitGap)*time.Duration(i+1), func() {
			if p.leg.hearsKeys {
				p.leg.press(digit)
			}
		})
	}
}

// FallSilent ends the party's audio, as a broken network does. A leg with a media
// timeout is hung up for it.
func (p *Party) FallSilent() {
	p.sw.lock()
	defer p.sw.unlock()
	p.leg.silenced()
}

// Hangup hangs up: a caller who was not answered yet cancels.
func (p *Party) Hangup() {
	p.sw.lock()
	defer p.sw.unlock()
	p.leg.partyLeft()
}

// HangupSaying hangs up a call that was answered by a BYE with a body.
func (p *Party) HangupSaying(contentType, body string) {
	p.sw.lock()
	defer p.sw.unlock()
	if !p.leg.down() {
		p.leg.vars.set("sip_bye_content_type", contentType)
		p.leg.vars.set("sip_bye_payload", body)
		p.leg.partyLeft()
	}
}

// Talk begins or ends to talk, which conferences that the party is in notice.
func (p *Party) Talk(on bool) {
	p.sw.lock()
	defer p.sw.unlock()
	for _, m := range slices.Clone(p.leg.members) {
		m.talk(on)
	}
}

// WaitAnswered waits until the party's call is answered. It returns an
// [EndedError] if the call ends before.
func (p *Party) WaitAnswered(ctx context.Context) error {
	err := p.sw.wait(ctx, &p.news, func() bool { return p.hasAnswered || p.ending != nil })
	if err != nil {
		return err
	}
	p.sw.mu.Lock()
	defer p.sw.mu.Unlock()
	if !p.hasAnswered {
		return &EndedError{*p.ending}
	}
	return nil
}

// EndedError says that a call ended before what was waited for.
type EndedError struct{ Ending Ending }

// Error implements error.
func (e *EndedError) Error() string { return "switchsim: call ended with " + e.Ending.Cause }

// WaitEnded waits until the party's call has ended and returns how.
func (p *Party) WaitEnded(ctx context.Context) (Ending, error) {
	if err := p.sw.wait(ctx, &p.news, func() bool { return p.ending != nil }); err != nil {
		return Ending{}, err
	}
	p.sw.mu.Lock()
	defer p.sw.mu.Unlock()
	return *p.ending, nil
}

// Heard returns everything that the party heard so far, in order.
func (p *Party) Heard() []Sound {
	p.sw.mu.Lock()
	defer p.sw.mu.Unlock()
	return slices.Clone(p.heard)
}

// WaitHeard waits until the party hears, or has heard, something whose What
// contains a text.
func (p *Party) WaitHeard(ctx context.Context, text string) error {
	return p.WaitHeardFunc(ctx, func(s Sound) bool { return strings.Contains(s.What, text) })
}

// WaitHeardFunc waits until the party hears, or has heard, something that match
// says yes to. It returns an [EndedError] if the call ends without it. match
// must not call the switch.
func (p *Party) WaitHeardFunc(ctx context.Context, match func(Sound) bool) error {
	var found, over bool
	err := p.sw.wait(ctx, &p.news, func() bool {
		found = slices.ContainsFunc(p.heard, match)
		over = p.ending != nil
		return found || over
	})
	if err == nil && !found {
		return &EndedError{*p.ending}
	}
	return err
}

// maxHeard bounds what is kept of what a party heard.
const maxHeard = 4096

// hear notes a sound that begins and returns its place.
func (p *Party) hear(s Sound) int {
	p.news.ring()
	if len(p.heard) >= maxHeard {
		return -1
	}
	p.heard = append(p.heard, s)
	return len(p.heard) - 1
}

// stopHearing notes that a sound ended.
func (p *Party) stopHearing(place int, complete bool) {
	if place < 0 {
		return
	}
	s := &p.heard[place]
	s.To, s.Complete = p.sw.now(), complete
	p.news.ring()
}

func (p *Party) answeredNow() {
	p.hasAnswered = true
	p.news.ring()
}

// ended notes how the party's leg ended.
func (p *Party) ended(c *channel) {
	e := Ending{Cause: c.cause, By: "local", SIPStatus: p.sipStatus, RedirectedTo: p.redirectedTo}
	if c.remoteBye {
		e.By = "remote"
	}
	switch {
	case e.SIPStatus != 0:
	case c.answered:
		e.SIPStatus = 200
	default:
		e.SIPStatus = 480
		if cause, ok := causeNamed(c.cause); ok {
			e.SIPStatus = cause.status
		}
	}
	p.endedAs(e)
}

// endedAs notes the end of the call for the party.
func (p *Party) endedAs(e Ending) {
	if p.ending != nil {
		return
	}
	for i := range p.heard {
		if s := &p.heard[i]; s.To.IsZero() {
			s.To = p.sw.now()
		}
	}
	p.ending = &e
	p.news.ring()
}
