package interpreter

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/antchfx/xmlquery"

	"ccxmld/script"
)

// drafts are W3C's working drafts of 2003 and 2004 (OLD-50 to OLD-55), which lie
// between the dialect of 2002 and CCXML 1.0.
var drafts = &dialect{
	called:         "the drafts of 2003 and 2004",
	oldFields:      true,
	userEvents:     true,
	bareEvents:     true,
	quotedStates:   true,
	gotoNext:       true,
	keepVariables:  true,
	declareTargets: true,
	bareNames:      true,
	schemeTells:    true,
	postEvent:      "http.post",
	rename: map[string]map[string]string{
		"accept":            ofConnection,
		"reject":            ofConnection,
		"redirect":          ofConnection,
		"disconnect":        ofConnection,
		"createcall":        withName(ofConnection, "connectionid"),
		"createconference":  {"id": "conferenceid", "confid": "conferenceid", "name": "conferenceid"},
		"destroyconference": {"id": "conferenceid", "confid": "conferenceid", "name": "conferenceid"},
		"join":              {"sessionid1": "id1", "sessionid2": "id2"},
		"unjoin":            {"sessionid1": "id1", "sessionid2": "id2"},
		"dialogstart":       withName(ofConnection, "dialogid"),
		"dialogprepare":     withName(ofConnection, "dialogid"),
		"dialogterminate":   {"sessionid": "dialogid", "name": "dialogid"},
		"send":              {"event": "name", "name": "sendid"},
		"fetch":             {"name": "fetchid"},
		"move":              {"callid": "source", "conid": "source"},
	},
	attributes:     fetchedSessions,
	gone:           []string{"hold"},
	goneAttributes: map[string][]string{"createcall": {"use"}},
}

// fetchedSessions are the attributes of <createccxml> in older dialects.
var fetchedSessions = map[string][]attributeSpec{
	"createccxml": all(expr("next", "fetchid", "start", "timeout", "hints", "method", "enctype", "maxage", "maxstale"),
		lists("parameters", "namelist"), receives("sessionid")),
}

// ofConnection are the attributes by which elements named their connection.
var ofConnection = map[string]string{"callid": "connectionid", "conid": "connectionid"}

// withName adds the attribute name, which names what the element makes.
func withName(attributes map[string]string, meaning string) map[string]string {
	result := map[string]string{"name": meaning}
	for name, today := range attributes {
		result[name] = today
	}
	return result
}

// draftWords are attributes of the drafts that CCXML 1.0 has on no element of that
// name: a document with one of them is no CCXML 1.0.
var draftWords = map[string][]string{
	"accept": {"callid", "conid"}, "reject": {"callid", "conid"}, "redirect": {"callid", "conid"},
	"disconnect": {"callid", "conid"}, "createcall": {"callid", "conid"},
	"dialogstart": {"callid", "conid"}, "dialogprepare": {"callid", "conid"}, "move": {"callid", "conid"},
	"createconference": {"id", "confid"}, "destroyconference": {"id", "confid"},
	"createccxml": {"fetchid", "start"}, "send": {"event"},
	"join": {"sessionid1"}, "unjoin": {"sessionid1"},
}

// eventVariable is how the drafts call the event being handled.
var eventVariable = regexp.MustCompile(`(^|[^.\w$])_event\s*[.\[]`)

// isDraft tells whether a document has words of the drafts.
func isDraft(node *xmlquery.Node, depth int) bool {
	if !isCCXML(node) || depth > deepestNesting {
		return false
	}
	if slices.Contains(drafts.gone, node.Data) {
		return true
	}
	for _, attribute := range node.Attr {
		switch {
		case attribute.Name.Space != "":
		case slices.Contains(draftWords[node.Data], attribute.Name.Local), eventVariable.MatchString(attribute.Value):
			return true
		case node.Data == "transition" && attribute.Name.Local == "event" && isDraftEvent(attribute.Value):
			return true
		}
	}
	for child := range children(node) {
		if isDraft(child, depth+1) {
			return true
		}
	}
	return false
}

// isDraftEvent tells whether a transition waits for an event that CCXML 1.0 calls
// otherwise.
func isDraftEvent(event string) bool {
	event = strings.ToLower(strings.TrimSpace(event))
	return event == "ccxml.joined" || event == "ccxml.unjoined" || event == "ccxml.fetch.done" || strings.HasPrefix(event, oldConferencePrefix)
}

const userPrefix = "user."

// platformEvents begin the names of events that no prefix is put before.
var platformEvents = []string{"ccxml.", "connection.", "conference.", "dialog.", "error.", "send.", "fetch.", "cancel.",
	"move.", "voxeo.", "call.", "http.", userPrefix}

// sent is the name of an event that a document of the dialect sends to a session
// as it arrives: user.next for next (OLD-50).
func (d *dialect) sent(name string) string {
	lower := strings.ToLower(name)
	if !d.userEvents || slices.ContainsFunc(platformEvents, func(p string) bool { return strings.HasPrefix(lower, p) }) {
		return name
	}
	return userPrefix + name
}

// canonical is the name in lower case by which transitions are found: the same for
// user.next and next where they are one.
func (d *dialect) canonical(name string) string {
	if rest, ok := strings.CutPrefix(name, userPrefix); ok && d.userEvents && d.sent(rest) != rest {
		return rest
	}
	return name
}

// literalEvent is the event of a <send> as it is written, where the dialect has it
// without quotes; "" where it is an expression for certain.
func (e *element) literalEvent(attribute string) string {
	if attribute != "name" || !e.document.dialect.bareEvents {
		return ""
	}
	if v, ok := e.value("name"); !ok || v.name != "event" {
		return ""
	}
	if r := e.reading("name"); r != nil {
		return r.Path
	}
	return ""
}

// compileFetched reads <createccxml fetchid>, which runs what a <fetch> has brought
// (OLD-52).
func (c *createElement) compileFetched(e *element) {
	c.fetchid = e.expression("fetchid")
	switch _, start := e.attribute("start"); {
	case c.next != nil && c.fetchid != nil:
		e.problemAs(CodeExclusive, &e.place, "<createccxml> takes one of next and fetchid")
	case c.next == nil && c.fetchid == nil:
		e.problemAs(CodeMissingAttribute, &e.place, "<createccxml> needs the attribute next, or fetchid")
	case start && !isTrue(e.reading("start")):
		e.problemAs(CodeUnsupported, e.at("start"), fmt.Sprintf("<createccxml start> of %s is not supported: a session begins at once", e.document.dialect.called))
	}
}

// isTrue tells whether an expression is the constant true, as a boolean or a text.
func isTrue(r *script.Reading) bool {
	return r != nil && !r.Open && len(r.Outcomes) == 1 && strings.EqualFold(r.Outcomes[0].Text, "true")
}
