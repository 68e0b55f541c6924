package interpreter

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/dop251/goja"

	"ccxmld/script"
)

// sendElement is <send> (CCXML 1.0, 9.2.3).
type sendElement struct {
	place
	target, targettype, name, delay, hints *script.Expression
	namelist                               []namedValue
	sendid                                 *script.Target
	inline                                 string // XML to send in place of an event; "" for none
	old                                    bool   // 2002: the target tells the type
}

// pendingSend is a send that waits for its delay.
type pendingSend struct {
	order    int // when it was made, among the session's sends
	delay    time.Duration
	dispatch func()
	stop     func() bool
}

func compileSend(e *element) action {
	send := &sendElement{
		place: e.place, target: e.expression("target"), targettype: e.expression("targettype"),
		name: e.expression("name"), delay: e.expression("delay"), hints: e.expression("hints"),
		namelist: e.namelist("namelist"), sendid: e.target("sendid"), inline: e.inlineContent(),
		old: e.document.dialect.oldNames,
	}
	if send.name == nil {
		if send.name = e.expression("data"); send.name != nil { // LEN-3
			e.noticeAs(CodeLenient, e.at("data"), "<send data> is read as name, an expression")
		}
	}
	inline := firstElement(e.node) != nil
	switch {
	case inline && send.name != nil:
		e.problemAs(CodeExclusive, &e.place, "<send> takes one of name and inline content")
	case inline && len(send.namelist) > 0:
		e.problemAs(CodeExclusive, &e.place, "<send> with inline content takes no namelist")
	case !inline && send.name == nil:
		e.problemAs(CodeMissingAttribute, &e.place, "<send> needs the attribute name, or inline content")
	}
	return send
}

func (x *sendElement) run(s *Session) error {
	r, err := x.request(s)
	if err != nil {
		return err
	}
	delay, err := s.interval(x.delay, "delay")
	if err != nil {
		return err
	}
	if err := s.receivable(x.sendid); err != nil {
		return err
	}
	r.SendID = s.newID()
	if err := s.receive(x.sendid, r.SendID); err != nil {
		return err
	}
	switch {
	case delay == 0:
		s.dispatch(&x.place, r)
	case len(s.sends) >= s.limits.Sends:
		s.sent(&x.place, r.SendID, SendResult{Failure: "failed",
			Reason: fmt.Sprintf("%d delayed sends are pending already", s.limits.Sends)})
	default:
		s.delay(delay, r.SendID, func() { s.dispatch(&x.place, r) })
	}
	return nil
}

// delay keeps a send until it is due.
func (s *Session) delay(d time.Duration, id string, dispatch func()) {
	s.sendCount++
	send := &pendingSend{order: s.sendCount, delay: d, dispatch: dispatch}
	if s.sends == nil {
		s.sends = make(map[string]*pendingSend)
	}
	s.sends[id] = send
	send.stop = s.after(d, func() {
		if s.sends[id] == send { // not cancelled while it was on its way
			s.due(send)
		}
	})
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
	for _, send := range sends {
		send.stop()
		send.dispatch()
	}
}

func (x *sendElement) request(s *Session) (r SendRequest, err error) {
	r.Base = x.base
	if r.Target, err = s.required(x.target, "target"); err != nil {
		return r, err
	}
	if r.TargetType, err = x.kind(s, r.Target); err != nil {
		return r, err
	}
	if r.Event, r.Parameters, err = x.message(s); err != nil {
		return r, err
	}
	r.Content = x.inline
	r.Hints, err = s.hints(x.hints)
	return r, err
}

// message is the event to send with its fields. Inline content is the field of an
// event that has a name of its own.
func (x *sendElement) message(s *Session) (name string, fields []Pair, err error) {
	if x.inline != "" {
		return InlineEvent, []Pair{{"content", x.inline}, {"contenttype", "application/xml"}}, nil
	}
	if name, err = x.eventName(s); err != nil {
		return "", nil, err
	}
	fields, err = s.pairs(x.namelist)
	return name, fields, err
}

// kind is the targettype. An unquoted ccxml evaluates to the scope object of
// that name (LEN-4). In 2002 a target with a scheme was an HTTP server (OLD-18).
func (x *sendElement) kind(s *Session, target string) (string, error) {
	if x.targettype == nil {
		if x.old && (strings.HasPrefix(target, "http:") || strings.HasPrefix(target, "https:")) {
			return "basichttp", nil
		}
		return "ccxml", nil
	}
	value, err := s.runtime.Eval(x.targettype)
	if err != nil {
		return "", err
	}
	if _, isObject := value.(*goja.Object); isObject || goja.IsUndefined(value) {
		s.tellLenient(x.targettype.Position(), "targettype", "targettype is no text; it is read as 'ccxml'")
		return "ccxml", nil
	}
	return value.String(), nil
}

var eventNameSyntax = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*$`)

// IsEventName tells whether a name is one that <send> may give an event (EVT-34).
func IsEventName(name string) bool { return eventNameSyntax.MatchString(name) }

// eventName is the name of the event to send. An event object stands for its
// name (LEN-7).
func (x *sendElement) eventName(s *Session) (string, error) {
	value, err := s.runtime.Eval(x.name)
	if err != nil {
		return "", err
	}
	name, err := s.nameIn(value)
	if err != nil {
		return "", err
	}
	name = strings.TrimSpace(name)
	if !IsEventName(name) {
		return "", fmt.Errorf("%q is not an event name: letters, digits and dots, beginning with a letter", name)
	}
	return name, nil
}

func (s *Session) nameIn(value goja.Value) (string, error) {
	if _, isObject := value.(*goja.Object); !isObject {
		return s.runtime.Text(value)
	}
	exported, err := s.runtime.Export(value)
	if err != nil {
		return "", err
	}
	switch object := exported.(type) {
	case *eventObject:
		return s.document.dialect.eventName(object.event.Name), nil
	case map[string]any:
		if name, ok := object["name"].(string); ok {
			return name, nil
		}
	}
	return "", errors.New("name is an object without a name")
}

// dispatch hands a message to the platform and turns the outcome into an event.
func (s *Session) dispatch(at *place, r SendRequest) {
	r.TargetType = strings.ToLower(r.TargetType)
	switch r.TargetType {
	case "ccxml", "basichttp":
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
	if r.TargetType == "ccxml" && r.Target == s.ID() {
		s.Queue(s.messageFrom(r))
		s.sent(at, r.SendID, SendResult{})
		return
	}
	s.platform.Send(r, func(result SendResult) {
		s.Do(func() { s.sent(at, r.SendID, result) })
	})
}

// messageFrom is the event that a send to this very session makes.
func (s *Session) messageFrom(r SendRequest) *Event {
	return MessageEvent(r.SendID, s.ID(), r.Event, r.Parameters)
}

// MessageEvent is the event that a <send> of one session brings to another
// (EVT-19, EVT-20, SND-8).
func MessageEvent(sendID, senderID, name string, parameters []Pair) *Event {
	e := &Event{Name: name, ID: sendID, Source: senderID, SourceType: "ccxml"}
	nested := map[string]bool{}
	for _, parameter := range parameters {
		head, _, dotted := strings.Cut(parameter.Name, ".")
		switch {
		case !dotted:
			e.Fields = append(e.Fields, Field{head, parameter.Value})
		case !nested[head]:
			nested[head] = true
			e.Fields = append(e.Fields, Field{head, nestedPairs(head, parameters)})
		}
	}
	return e
}

// nestedPairs are the parameters below a name, with the rest of theirs.
func nestedPairs(head string, parameters []Pair) (below []Pair) {
	for _, parameter := range parameters {
		if rest, ok := strings.CutPrefix(parameter.Name, head+"."); ok {
			below = append(below, Pair{rest, parameter.Value})
		}
	}
	return below
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
	pending.stop()
	delete(s.sends, id)
	s.Queue(&Event{Name: "cancel.successful", Source: s.ID(), SourceType: "ccxml", Fields: []Field{{"sendid", id}}})
	return nil
}
