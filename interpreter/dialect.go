package interpreter

import (
	"strings"

	"github.com/antchfx/xmlquery"
)

// dialect is what makes documents of one kind read differently. Everything is
// turned into the same compiled form; this is all that remains of the
// difference.
type dialect struct {
	// called is the dialect in what its documents' authors are told.
	called string
	// rename maps attributes of an element to today's names.
	rename map[string]map[string]string
	// attributes are those of elements that differ from today's.
	attributes map[string][]attributeSpec
	// gone are elements that CCXML 1.0 has no more, and that are not read.
	gone []string
	// goneAttributes are attributes of elements that are not read either.
	goneAttributes map[string][]string
	// oldNames: events carry the names of 2002 (OLD-30 to OLD-33).
	oldNames bool
	// oldFields: events have the fields of 2002, and _event is the event (OLD-3).
	oldFields bool
	// userEvents: what is sent without a prefix comes as user. events (OLD-50).
	userEvents bool
	// bareEvents: the event to send may stand without quotes (OLD-51).
	bareEvents bool
	// quotedStates: the state attribute has quotes (OLD-2).
	quotedStates bool
	// gotoNext: goto fetches by itself (OLD-19).
	gotoNext bool
	// keepVariables: <var> declares in the application scope, so that variables
	// are visible in every transition (OLD-4) and survive a goto, as the pages of
	// "Introduction to CCXML", Part V expect.
	keepVariables bool
	// declareTargets: variables that receive ids need not be declared (OLD-5, OLD-6).
	declareTargets bool
	// bareNames: an undeclared name where an id stands is a conference's name
	// (OLD-14).
	bareNames bool
	// schemeTells: a target that is the URI of an HTTP server needs no targettype
	// (OLD-18).
	schemeTells bool
	// postEvent: what a POST without an event's name is to a session (OLD-56); "" for
	// nothing.
	postEvent string
	// besideBridges: a dialog plays beside what its connection is joined to.
	besideBridges bool
}

var ccxml10 = &dialect{called: "CCXML 1.0"}

var ccxml2002 = &dialect{
	called:         "the dialect of 2002",
	oldNames:       true,
	oldFields:      true,
	bareEvents:     true,
	quotedStates:   true,
	gotoNext:       true,
	keepVariables:  true,
	declareTargets: true,
	bareNames:      true,
	schemeTells:    true,
	besideBridges:  true,
	attributes:     fetchedSessions,
	rename: map[string]map[string]string{
		"accept":            {"callid": "connectionid"},
		"reject":            {"callid": "connectionid"},
		"redirect":          {"callid": "connectionid"},
		"disconnect":        {"callid": "connectionid"},
		"createcall":        {"name": "connectionid", "callid": "connectionid"},
		"createconference":  {"name": "conferenceid", "id": "conferenceid", "voxeo-confname": "confname"},
		"destroyconference": {"name": "conferenceid", "id": "conferenceid"},
		"join":              {"sessionid1": "id1", "sessionid2": "id2"},
		"unjoin":            {"sessionid1": "id1", "sessionid2": "id2"},
		"dialogstart":       {"callid": "connectionid", "name": "dialogid"},
		"dialogterminate":   {"sessionid": "dialogid", "name": "dialogid"},
		"send":              {"event": "name", "name": "sendid"},
		"fetch":             {"name": "fetchid"},
	},
}

// recognise tells which dialect a document is written in: that of 2002 has
// <eventhandler>, or events with the names of that time (OLD, part 3); the drafts of
// 2003 and 2004 have <eventprocessor>, and words that CCXML 1.0 has no more.
func recognise(root *xmlquery.Node) *dialect {
	for node := range children(root) {
		if node.Data == "eventhandler" {
			return ccxml2002
		}
		if node.Data != "eventprocessor" {
			continue
		}
		for transition := range children(node) {
			event := strings.ToLower(attributeOf(transition, "event"))
			if strings.HasPrefix(event, oldConnectionPrefix) || strings.HasPrefix(event, "call.call_") {
				return ccxml2002
			}
		}
	}
	if isDraft(root, 0) {
		return drafts
	}
	return ccxml10
}

const (
	oldConnectionPrefix = "connection.connection_"
	oldConferencePrefix = "ccxml.conference."
	callInvalid         = "call.CALL_INVALID"
	callActive          = "call.CALL_ACTIVE"

	wrongState    = "error.connection.wrongstate"
	oldWrongState = "error.statemismatch" // OLD-39
)

// pattern gives today's form of an event pattern. One with stars stays, since it
// is matched against both names of an event.
func (d *dialect) pattern(text string) string {
	if !d.oldFields || strings.Contains(text, "*") {
		return text
	}
	lower := strings.ToLower(strings.TrimSpace(text))
	if d.userEvents {
		lower = d.canonical(lower)
		text = lower
	}
	if rest, ok := strings.CutPrefix(lower, oldConnectionPrefix); ok {
		return "connection." + rest
	}
	if rest, ok := strings.CutPrefix(lower, oldConferencePrefix); ok {
		return "conference." + rest
	}
	switch lower {
	case "ccxml.joined", "ccxml.unjoined":
		return "conference." + strings.TrimPrefix(lower, "ccxml.")
	case "ccxml.fetch.done":
		return "fetch.done"
	case oldWrongState:
		return wrongState
	}
	return text
}

// names gives both names of an event whose name today is given in lower case.
func (d *dialect) names(name string) eventNames {
	if !d.oldNames && !d.userEvents {
		return eventNames{name, name}
	}
	name = d.canonical(name)
	return eventNames{name, strings.ToLower(d.eventName(name))}
}

// eventName gives an event's name as documents of the dialect know it.
func (d *dialect) eventName(name string) string {
	if d.userEvents {
		return d.sent(name)
	}
	if !d.oldNames {
		return name
	}
	switch state, ok := strings.CutPrefix(name, "connection."); {
	case ok && !strings.Contains(state, "."):
		return "connection.CONNECTION_" + strings.ToUpper(state)
	case strings.HasPrefix(name, "conference."):
		return "ccxml." + name
	case name == "fetch.done":
		return "ccxml.fetch.done"
	case name == wrongState:
		return oldWrongState
	}
	return name
}

// field gives the fields that events had in 2002, made from today's.
func (d *dialect) field(e *Event, key string) (any, bool) {
	if key == "error" && e.Field("reason") != nil { // Voxeo's documents of both dialects (VX-47)
		return e.Field("reason"), true
	}
	if !d.oldFields {
		return nil, false
	}
	switch key {
	case "callid", "conid":
		return d.callID(e)
	case "source":
		return e.Source, true
	case "confid":
		return d.conferenceID(e)
	case "callerid":
		if e.connection != nil {
			return e.connection.Remote, true
		}
	case "calledid":
		if e.connection != nil {
			return e.connection.Local, true
		}
	case "url":
		return e.Field("uri"), true
	}
	return nil, false
}

// callID is the connection that an event is about; of a join, the first of the
// two.
func (d *dialect) callID(e *Event) (any, bool) {
	if id := e.ConnectionID(); id != "" {
		return id, true
	}
	if effect, ok := e.Effect.(JoinEffect); ok && effect.A.Conference {
		return e.Field("id2"), true
	}
	id := e.Field("id1")
	return id, id != nil
}

// conferenceID is the conference that an event is about; of a join between two
// calls, the second call (OLD-36).
func (d *dialect) conferenceID(e *Event) (any, bool) {
	if id := e.Field("conferenceid"); id != nil {
		return id, true
	}
	if effect, ok := e.Effect.(JoinEffect); ok && effect.A.Conference {
		return e.Field("id1"), true
	}
	id := e.Field("id2")
	return id, id != nil
}

// follows gives the event that comes after this one in the dialect, nil mostly:
// call.CALL_ACTIVE once a call leg is connected, call.CALL_INVALID once it is gone
// (OLD-32).
func (d *dialect) follows(e *Event) *Event {
	if !d.oldNames {
		return nil
	}
	name := callInvalid
	switch e.Name {
	case "connection.connected":
		name = callActive
	case "connection.disconnected", "connection.failed", "connection.redirected", "connection.merged":
	default:
		return nil
	}
	return &Event{
		Name: name, Source: e.Source, SourceType: "connection",
		Fields: []Field{{"connectionid", e.Field("connectionid")}, {"reason", e.Field("reason")}},
	}
}
