package interpreter

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"ccxmld/clock"
	"ccxmld/script"
)

// pendingSend is a send that waits for its delay.
type pendingSend struct {
	order   int // when it was made, among the session's sends
	delay   time.Duration
	due     time.Time
	at      place
	request SendRequest
	timer   *clock.Timer
}

// delay keeps a send until it is due.
func (s *Session) delay(at *place, r SendRequest, d time.Duration) {
	s.sendCount++
	send := &pendingSend{order: s.sendCount, delay: d, due: s.options.Clock.Now().Add(d), at: *at, request: r}
	s.keep(send)
	send.timer = s.after(d, func() { s.due(send) })
}

func (s *Session) keep(send *pendingSend) {
	if s.sends == nil {
		s.sends = make(map[string]*pendingSend)
	}
	s.sends[send.request.SendID] = send
}

// due dispatches a send. Those that were made before it with no longer delay are
// due too, even if the clock has not told so yet, and go first (SND-14).
func (s *Session) due(last *pendingSend) {
	var sends []*pendingSend
	for id, send := range s.sends {
		if send.order <= last.order && send.delay <= last.delay {
			sends = append(sends, send)
			delete(s.sends, id)
		}
	}
	slices.SortFunc(sends, func(a, b *pendingSend) int { return a.order - b.order })
	s.changed = true
	for _, send := range sends {
		send.timer.Stop()
		s.dispatch(&send.at, send.request)
	}
}

// dispatch hands a message to the platform and turns the outcome into an event.
func (s *Session) dispatch(at *place, r SendRequest) {
	r.TargetType = strings.ToLower(r.TargetType)
	switch r.TargetType {
	case "ccxml", basicHTTP:
	case "dialog":
		if d := s.dialogs.get(r.Target); d == nil || d.State == DialogEnded { // SND-6
			s.sent(at, r.SendID, SendResult{Failure: "targetunavailable",
				Reason: fmt.Sprintf("there is no dialog %q in this session", r.Target)})
			return
		}
	default:
		s.sent(at, r.SendID, SendResult{Failure: "targettypeinvalid",
			Reason: fmt.Sprintf("targettype %q is not supported; expected 'ccxml', 'dialog' or 'basichttp'", r.TargetType)})
		return
	}
	if strings.EqualFold(r.Event, killUnconditional) {
		s.sent(at, r.SendID, SendResult{Failure: "failed", Reason: "documents may not send " + killUnconditional})
		return
	}
	if r.TargetType == "ccxml" {
		r.Event = s.document.dialect.sent(r.Event)
	}
	if r.TargetType == "ccxml" && r.Target == s.ID() {
		s.Queue(s.messageFrom(r))
		s.sent(at, r.SendID, SendResult{})
		return
	}
	s.platform.Send(r, await[SendResult](s, &request{kind: sendRequest, id: r.SendID, at: *at}))
}

// messageFrom is the event that a send to this very session makes.
func (s *Session) messageFrom(r SendRequest) *Event {
	return MessageEvent(r.SendID, s.ID(), r.Event, r.Parameters)
}

// MessageEvent is the event that a <send> of one session brings to another
// (EVT-19, EVT-20, SND-8).
func MessageEvent(sendID, senderID, name string, parameters []Pair) *Event {
	e := &Event{Name: name, ID: sendID, Source: senderID, SourceType: "ccxml"}
	below := make(map[string][]Pair)
	for _, parameter := range parameters {
		if head, rest, dotted := strings.Cut(parameter.Name, "."); dotted {
			below[head] = append(below[head], Pair{rest, parameter.Value})
		}
	}
	for _, parameter := range parameters {
		head, _, dotted := strings.Cut(parameter.Name, ".")
		switch {
		case !dotted:
			e.Fields = append(e.Fields, Field{head, parameter.Value})
		case below[head] != nil:
			e.Fields = append(e.Fields, Field{head, below[head]})
			delete(below, head)
		}
	}
	return e
}

func (s *Session) sent(at *place, sendID string, result SendResult) {
	if result.Failure != "" {
		s.raise("error.send."+result.Failure, at, result.Reason, Field{"sendid", sendID})
		return
	}
	s.enqueue(&Event{Name: "send.successful", Source: s.ID(), SourceType: "ccxml", Fields: []Field{{"sendid", sendID}}})
	if result.Reply != nil {
		s.enqueue(result.Reply)
	}
}

// cancelElement is <cancel> (CCXML 1.0, 9.2.4).
type cancelElement struct {
	place
	sendid *script.Expression
}

func compileCancel(e *element) action {
	return &cancelElement{e.place, e.expression("sendid")}
}

func (c *cancelElement) run(s *Session) error {
	id, err := s.required(c.sendid, "sendid")
	if err != nil {
		return err
	}
	pending := s.sends[id]
	if pending == nil {
		s.raise("error.notallowed", &c.place, fmt.Sprintf("there is no pending send %q: it was dispatched, cancelled or never made", id),
			Field{"sendid", id})
		return nil
	}
	pending.timer.Stop()
	delete(s.sends, id)
	s.Queue(&Event{Name: "cancel.successful", Source: s.ID(), SourceType: "ccxml", Fields: []Field{{"sendid", id}}})
	return nil
}
