package interpreter

import (
	"strings"

	"github.com/antchfx/xmlquery"
)

// dialect is what makes documents of one kind read differently. Everything is
// turned into the same compiled form; this is all that remains of the
// difference.
type dialect struct {
	// rename maps attributes of an element to today's names.
	rename map[string]map[string]string
	// oldNames: events carry the names of 2002 (OLD-30 to OLD-33).
	oldNames bool
	// keepVariables: <var> declares in the application scope, so that variables
	// are visible in every transition (OLD-4) and survive a goto, as the pages of
	// "Introduction to CCXML", Part V expect.
	keepVariables bool
	// declareTargets: variables that receive ids need not be declared (OLD-5, OLD-6).
	declareTargets bool
	// bareNames: an undeclared name where an id stands is a conference's name
	// (OLD-14).
	bareNames bool
	// besideBridges: a dialog plays beside what its connection is joined to.
	besideBridges bool
}

var ccxml10 = &dialect{}

var ccxml2002 = &dialect{
	oldNames:       true,
	keepVariables:  true,
	declareTargets: true,
	bareNames:      true,
	besideBridges:  true,
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
// <eventhandler>, or events with the names of that time (OLD, part 3).
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
	return ccxml10
}

const (
	oldConnectionPrefix = "connection.connection_"
	oldConferencePrefix = "ccxml.conference."
	callInvalid         = "call.CALL_INVALID"
)

// pattern gives today's form of an event pattern. One with stars stays, since it
// is matched against both names of an event.
func (d *dialect) pattern(text string) string {
	if !d.oldNames || strings.Contains(text, "*") {
		return text
	}
	lower := strings.ToLower(strings.TrimSpace(text))
	if rest, ok := strings.CutPrefix(lower, oldConnectionPrefix); ok {
		return "connection." + rest
	}
	if rest, ok := strings.CutPrefix(lower, oldConferencePrefix); ok {
		return "conference." + rest
	}
	switch lower {
	case "ccxml.joined":
		return "conference.joined"
	case "ccxml.fetch.done":
		return "fetch.done"
	}
	return text
}

// names gives both names of an event whose name today is given in lower case.
func (d *dialect) names(name string) eventNames {
	if !d.oldNames {
		return eventNames{name, name}
	}
	return eventNames{name, strings.ToLower(d.eventName(name))}
}

// eventName gives an event's name as documents of the dialect know it.
func (d *dialect) eventName(name string) string {
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
	}
	return name
}

// field gives the fields that events had in 2002, made from today's.
func (d *dialect) field(e *Event, key string) (any, bool) {
	if key == "error" && e.Field("reason") != nil { // Voxeo's documents of both dialects (VX-47)
		return e.Field("reason"), true
	}
	if !d.oldNames {
		return nil, false
	}
	switch key {
	case "callid":
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
	if id := e.connectionID(); id != "" {
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

// follows gives the event that comes after this one in the dialect:
// call.CALL_INVALID once a call leg is gone (OLD-32), nil mostly.
func (d *dialect) follows(e *Event) *Event {
	if !d.oldNames {
		return nil
	}
	switch e.Name {
	case "connection.disconnected", "connection.failed", "connection.redirected", "connection.merged":
		return &Event{
			Name: callInvalid, Source: e.Source, SourceType: "connection",
			Fields: []Field{{"connectionid", e.Field("connectionid")}, {"reason", e.Field("reason")}},
		}
	}
	return nil
}
