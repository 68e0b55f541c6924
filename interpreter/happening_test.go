package interpreter_test

import (
	"errors"
	"strings"
	"time"

	"ccxmld/interpreter"
)

// happen lets something happen to the session. After the words that say what,
// name=value are fields of the event.
func (s *scenario) happen(words []string) {
	s.t.Helper()
	var fields []interpreter.Field
	var args []string
	for _, word := range words[1:] {
		if name, value, ok := strings.Cut(word, "="); ok && len(args) > 0 {
			fields = append(fields, interpreter.Field{Name: name, Value: value})
		} else {
			args = append(args, word)
		}
	}
	switch words[0] {
	case "event": // NAME FIELDS
		s.current().Post(&interpreter.Event{Name: args[0], Source: "outside", SourceType: "test", Fields: fields})
	case "connection": // alerting|progressing|connected|disconnected|failed|signal ID FIELDS
		s.current().Post(connectionEvent(args[0], args[1], fields))
	case "dialog": // prepared|notprepared|started|exit|notstarted ID FIELDS (of exit: its values)
		s.current().Post(dialogEvent(args[0], args[1], fields))
	case "conference": // created|destroyed ID FIELDS
		s.current().Post(&interpreter.Event{
			Name: "conference." + args[0], Source: args[1], SourceType: "conference",
			Fields: append([]interpreter.Field{{Name: "conferenceid", Value: args[1]}}, fields...),
			Effect: interpreter.ConferenceEffect{ConferenceID: args[1], Attached: args[0] == "created"},
		})
	case "joined", "unjoined": // ID1 ID2 [half]
		s.current().Post(joinEvent(words[0], args))
	case "fetched": // answers the oldest fetch from the scenario's files
		s.answerFetch()
	case "sent": // FAILURE|ok FIELDS: answers the oldest send; fields name and others make a reply
		s.answerSend(args[0], fields)
	case "created": // REASON|ok: answers the oldest createccxml
		answerOldest(s, &s.platform.creations, strings.Join(args, " "))
	case "moved": // REASON|ok: answers the oldest move
		answerOldest(s, &s.platform.moves, strings.Join(args, " "))
	case "exit": // ID FIELDS (its values): a session that this one created has ended with the value 7
		s.current().Post(interpreter.ExitEvent(args[0], interpreter.Ending{Value: int64(7), Values: values(fields)}))
	case "arrives": // ID STATE EVENT: a connection is moved here
		s.current().Post(&interpreter.Event{
			Name: args[2], Source: args[0], SourceType: "connection", Fields: []interpreter.Field{{Name: "connectionid", Value: args[0]}},
			Effect: interpreter.ConnectionEffect{ConnectionID: args[0], New: &interpreter.Connection{ID: args[0], State: interpreter.ConnectionState(args[1])}},
		})
	case "wait": // DURATION
		d, err := time.ParseDuration(args[0])
		if err != nil {
			s.t.Fatal(err)
		}
		time.Sleep(d) // of the bubble
	case "end":
		s.current().End(strings.Join(args, " "))
	default:
		s.t.Fatalf("nothing is called %q", words[0])
	}
}

func connectionEvent(what, id string, fields []interpreter.Field) *interpreter.Event {
	effect := interpreter.ConnectionEffect{ConnectionID: id, State: interpreter.ConnectionState(strings.ToUpper(what))}
	switch what {
	case "alerting":
		effect.New = &interpreter.Connection{
			ID: id, Local: "sip:service@here", Remote: "tel:+4930123", Originator: "tel:+4930123",
			Protocol:  interpreter.Protocol{Name: "sip", Version: "2.0", Headers: []interpreter.Pair{{Name: "Call-ID", Value: "call-of-" + id}}},
			Redirects: []interpreter.Redirect{{URI: "sip:before@here", Reason: "busy"}},
		}
	case "redirected":
		effect.State = interpreter.Disconnected
	case "signal":
		effect.State = ""
	}
	return &interpreter.Event{
		Name: "connection." + what, Source: id, SourceType: "connection",
		Fields: append([]interpreter.Field{{Name: "connectionid", Value: id}}, fields...), Effect: effect,
	}
}

func dialogEvent(what, id string, fields []interpreter.Field) *interpreter.Event {
	e := &interpreter.Event{Name: "dialog." + what, Source: id, SourceType: "dialog",
		Fields: []interpreter.Field{{Name: "dialogid", Value: id}}}
	switch what {
	case "prepared":
		e.Effect = interpreter.DialogEffect{DialogID: id, State: interpreter.DialogPrepared}
	case "notprepared":
		e.Name = "error.dialog.notprepared"
		e.Effect = interpreter.DialogEffect{DialogID: id, State: interpreter.DialogNotPrepared}
	case "started":
		e.Effect = interpreter.DialogEffect{DialogID: id, State: interpreter.DialogStarted}
	case "exit":
		if len(fields) > 0 {
			fields = []interpreter.Field{{Name: "values", Value: values(fields)}}
		}
		e.Effect = interpreter.DialogEffect{DialogID: id, State: interpreter.DialogEnded}
	case "notstarted":
		e.Name = "error.dialog.notstarted"
		e.Effect = interpreter.DialogEffect{DialogID: id, State: interpreter.DialogEnded}
	}
	e.Fields = append(e.Fields, fields...)
	return e
}

func joinEvent(what string, ids []string) *interpreter.Event {
	e := &interpreter.Event{
		Name: "conference." + what, Source: "s1", SourceType: "ccxml",
		Fields: []interpreter.Field{{Name: "id1", Value: ids[0]}, {Name: "id2", Value: ids[1]}},
		Effect: interpreter.UnjoinEffect{A: ids[0], B: ids[1]},
	}
	if what == "joined" {
		effect := interpreter.JoinEffect{A: endpoint(ids[0]), B: endpoint(ids[1])}
		if len(ids) > 2 {
			effect.Duplex = interpreter.Half
		}
		e.Effect = effect
	}
	return e
}

func endpoint(id string) interpreter.Endpoint {
	return interpreter.Endpoint{ID: id, Conference: interpreter.IsConferenceID(id)}
}

func (s *scenario) answerFetch() {
	s.t.Helper()
	if len(s.platform.fetches) == 0 {
		s.t.Fatal("nothing is being fetched")
	}
	fetch := s.platform.fetches[0]
	s.platform.fetches = s.platform.fetches[1:]
	fetch.done(s.fetch(fetch.request))
}

func (s *scenario) fetch(r interpreter.FetchRequest) interpreter.FetchResult {
	uri := nameOf(r.URI)
	result := interpreter.FetchResult{URI: r.URI, Status: 200, ContentType: r.Type}
	text, ok := s.files[uri]
	switch {
	case !ok:
		result.Status, result.Err = 404, errors.New("404 Not Found")
	case r.Mode == "text":
		result.Content = text
	case r.Type == "text/ecmascript":
		result.Script, result.Err = s.compiler.CompileScript(text, uri)
	default:
		root, err := parse(text)
		if err == nil {
			result.Document, err = s.compiler.Compile(root, r.URI, s.load)
		}
		result.Err = err
	}
	return result
}

// nameOf is the name of the file that a URI stands for.
func nameOf(uri string) string {
	name, _, _ := strings.Cut(uri, "?")
	return name
}

// answerOldest ends the oldest request of a kind in success, or with a reason.
func answerOldest[Request any](s *scenario, requests *[]waiting[Request, error], outcome string) {
	s.t.Helper()
	if len(*requests) == 0 {
		s.t.Fatal("nothing of the kind was asked for")
	}
	oldest := (*requests)[0]
	*requests = (*requests)[1:]
	if outcome == "ok" {
		oldest.done(nil)
		return
	}
	oldest.done(errors.New(outcome))
}

func values(fields []interpreter.Field) map[string]any {
	values := make(map[string]any, len(fields))
	for _, field := range fields {
		values[field.Name] = field.Value
	}
	return values
}

func (s *scenario) answerSend(outcome string, fields []interpreter.Field) {
	s.t.Helper()
	if len(s.platform.sends) == 0 {
		s.t.Fatal("nothing is being sent")
	}
	send := s.platform.sends[0]
	s.platform.sends = s.platform.sends[1:]
	var result interpreter.SendResult
	if outcome != "ok" {
		result = interpreter.SendResult{Failure: outcome, Reason: "as asked"}
	}
	if len(fields) > 0 {
		result.Reply = &interpreter.Event{Name: fields[0].Value.(string), Source: send.request.Target, SourceType: "basichttp", Fields: fields[1:]}
	}
	send.done(result)
}
