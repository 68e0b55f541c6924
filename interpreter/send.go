package interpreter

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

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
	nameless                               bool   // an HTTP server may be sent what has no name
	literal                                string // the name as it is written, where it may be no expression
	word                                   string // the targettype as it is written, where it may be no expression
}

func compileSend(e *element) action {
	send := &sendElement{
		place: e.place, target: e.expression("target"), targettype: e.expression("targettype"),
		delay: e.expression("delay"), hints: e.expression("hints"),
		namelist: e.namelist("namelist"), sendid: e.receiver("sendid"), inline: e.inlineContent(),
	}
	attribute := e.sendName()
	if attribute != "" {
		send.name = e.expression(attribute)
	}
	send.literal, send.word = e.literalEvent(attribute), e.bareTargetType()
	send.nameless = send.inline == "" && e.document.lenient && e.mayBeHTTP()
	inline := firstElement(e.node) != nil
	switch {
	case inline && send.name != nil:
		e.problemAs(CodeExclusive, &e.place, "<send> takes one of name and inline content")
	case inline && len(send.namelist) > 0:
		e.problemAs(CodeExclusive, &e.place, "<send> with inline content takes no namelist")
	case inline || send.name != nil:
	case send.nameless:
		e.noticeAs(CodeNamelessSend, &e.place, "<send> has no name; an HTTP server gets the request without one")
	default:
		e.problemAs(CodeMissingAttribute, &e.place, "<send> needs the attribute name, or inline content")
	}
	return send
}

// sendName is the attribute that names the event: name, or data (LEN-3); "" for
// none. One that is empty is none where an HTTP server may be the target (LEN-18).
func (e *element) sendName() string {
	for _, attribute := range []string{"name", "data"} {
		text, given := e.attribute(attribute)
		switch {
		case !given, isBlank(text) && e.document.lenient && e.mayBeHTTP():
			continue
		case attribute == "data":
			e.noticeAs(CodeLenient, e.at("data"), "<send data> is read as name, an expression")
		}
		return attribute
	}
	return ""
}

// mayBeHTTP tells whether an HTTP server may be the target of a <send>, as far as
// its attributes say before they are evaluated.
func (e *element) mayBeHTTP() bool {
	kind := e.reading("targettype")
	if kind != nil {
		return kind.Open && kind.Path != ccxmlScope ||
			slices.ContainsFunc(kind.Outcomes, func(o script.Outcome) bool { return strings.EqualFold(o.Text, basicHTTP) })
	}
	if target := e.reading("target"); target != nil {
		return target.Open && target.Path != "session.id" ||
			slices.ContainsFunc(target.Outcomes, func(o script.Outcome) bool { return isHTTP(o.Text) })
	}
	return false
}

// bareTargetType is a targettype that is a word where a text is meant (LEN-4).
func (e *element) bareTargetType() string {
	text, _ := e.attribute("targettype")
	if text = strings.TrimSpace(text); e.document.lenient && slices.Contains(targetTypes, text) {
		return text
	}
	return ""
}

const basicHTTP = "basichttp"

var targetTypes = []string{"ccxml", "dialog", basicHTTP}

// isHTTP tells whether a target is the URI of an HTTP server. No session, dialog
// or connection has an id that looks like one.
func isHTTP(target string) bool {
	scheme, _, ok := strings.Cut(strings.TrimSpace(target), ":")
	return ok && (strings.EqualFold(scheme, "http") || strings.EqualFold(scheme, "https"))
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
		s.delay(&x.place, r, delay)
	}
	return nil
}

func (x *sendElement) request(s *Session) (r SendRequest, err error) {
	r.Base = x.base
	if r.Target, err = s.required(x.target, "target"); err != nil {
		return r, err
	}
	if r.Event, r.Parameters, err = x.message(s); err != nil {
		return r, err
	}
	if r.TargetType, err = x.kind(s, r.Target, r.Event); err != nil {
		return r, err
	}
	r.Content = x.inline
	switch {
	case strings.EqualFold(r.TargetType, basicHTTP):
		x.askHTTP(s, &r)
	case r.Event == "":
		return r, errors.New("name is empty; only an HTTP server is sent what has no name")
	}
	r.Hints, err = s.hints(x.hints)
	return r, err
}

// askHTTP reads the name as an HTTP server is to get it.
func (x *sendElement) askHTTP(s *Session, r *SendRequest) {
	if r.Event == "" && x.name != nil {
		s.tellLenient(x.name.Position(), "name", "name is empty; an HTTP server gets the request without one")
	}
	r.Method = methodNamed(r.Event)
	if r.Method != "" && (x.targettype == nil || s.document.lenient) {
		r.Event = "" // it says how to ask, and is no event of the server's
	}
}

// methodNamed is the HTTP method that the name of an event asks for. On Voxeo's
// platform the events http.get and http.post were requests (VX-59).
func methodNamed(event string) string {
	switch strings.ToLower(event) {
	case "http.get":
		return "GET"
	case "http.post":
		return "POST"
	}
	return ""
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

// kind is the targettype. Without the attribute a target that is the URI of an HTTP
// server says it (LEN-19), as it does in 2002 (OLD-18), and so does an event that is
// an HTTP method.
func (x *sendElement) kind(s *Session, target, event string) (string, error) {
	if x.targettype == nil {
		if !isHTTP(target) && (methodNamed(event) == "" || !s.document.lenient) {
			return "ccxml", nil
		}
		if !s.document.dialect.schemeTells {
			s.tellLenient(x.target.Position(), "target", "the target is an HTTP server's; targettype is read as 'basichttp'")
		}
		return basicHTTP, nil
	}
	if x.word != "" && x.word != ccxmlScope {
		if _, declared := s.runtime.Resolve(x.word); !declared {
			s.tellLenient(x.targettype.Position(), "targettype", fmt.Sprintf("targettype is the text '%s' without its quotes", x.word))
			return x.word, nil
		}
	}
	value, err := s.runtime.Eval(x.targettype)
	if err != nil {
		return "", err
	}
	// An unquoted ccxml evaluates to the scope object of that name (LEN-4).
	if _, isObject := value.(*goja.Object); isObject || goja.IsUndefined(value) {
		s.tellLenient(x.targettype.Position(), "targettype", "targettype is no text; it is read as 'ccxml'")
		return "ccxml", nil
	}
	return value.String(), nil
}

var eventNameSyntax = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*$`)

// IsEventName tells whether a name is one that <send> may give an event (EVT-34).
func IsEventName(name string) bool { return eventNameSyntax.MatchString(name) }

// eventName is the name of the event to send, "" for none. An event object stands
// for its name (LEN-7).
func (x *sendElement) eventName(s *Session) (string, error) {
	if x.name == nil {
		return "", nil
	}
	if x.isLiteral(s) {
		s.tellLenient(x.name.Position(), "event", "event is no variable; it is read as the name of the event as it stands")
		return x.literal, nil
	}
	value, err := s.runtime.Eval(x.name)
	if err != nil {
		return "", err
	}
	if x.nameless && (goja.IsUndefined(value) || goja.IsNull(value)) {
		value = s.runtime.VM().ToValue("")
	}
	name, err := s.nameIn(value)
	if err != nil {
		return "", err
	}
	name = strings.TrimSpace(name)
	if !IsEventName(name) && !(name == "" && x.nameless) {
		return "", fmt.Errorf("%q is not an event name: letters, digits and dots, beginning with a letter", name)
	}
	return name, nil
}

// isLiteral tells whether the name is read as it is written: the drafts have
// event="user.next" without quotes, and no such variable.
func (x *sendElement) isLiteral(s *Session) bool {
	if x.literal == "" {
		return false
	}
	head, _, _ := strings.Cut(x.literal, ".")
	_, declared := s.runtime.Resolve(head)
	return !declared && !s.isScope(head)
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
