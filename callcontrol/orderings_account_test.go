package callcontrol_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// account holds what documents of orderings asked for against what they were
// told, a session each.
type account struct {
	sessions map[string]*claims
	order    []string // of sessions
}

// claims are what one session asked for and was told.
type claims struct {
	asked  []claim
	events []happening
	all    bool // has asked for all that it will
	over   bool // has ended
}

// claim is an element that was executed.
type claim struct {
	Session string   `json:"s"`
	Element string   `json:"o"`
	IDs     []string `json:"ids"`
}

func (c claim) id(n int) string {
	if n < len(c.IDs) {
		return c.IDs[n]
	}
	return ""
}

// happening is an event that was handled.
type happening struct {
	Session, Name, Connection, Dialog, Conference, ID1, ID2, Tag, Reason string
}

func (a *account) of(session string) *claims {
	if a.sessions == nil {
		a.sessions = make(map[string]*claims)
	}
	if a.sessions[session] == nil {
		a.sessions[session] = &claims{}
		a.order = append(a.order, session)
	}
	return a.sessions[session]
}

// read takes what was logged.
func read(lines []string) *account {
	a := &account{}
	for _, line := range lines {
		if text, ok := strings.CutPrefix(line, "log asked all "); ok {
			a.of(text).all = true
		} else if text, ok := strings.CutPrefix(line, "log asked "); ok {
			var c claim
			if json.Unmarshal([]byte(text), &c) == nil && (c.id(0) != "none" || c.Element != "dialogstart" && c.Element != "probe" && !strings.HasPrefix(c.Element, "create")) {
				of := a.of(c.Session)
				of.asked = append(of.asked, c)
				of.over = of.over || c.Element == "exit"
			}
		} else if text, ok := strings.CutPrefix(line, "log event "); ok {
			var e struct{ S, N, C, D, F, I, J, T, R string }
			if err := json.Unmarshal([]byte(text), &e); err != nil {
				continue
			}
			of := a.of(e.S)
			of.events = append(of.events, happening{e.S, e.N, e.C, e.D, e.F, e.I, e.J, e.T, e.R})
		}
	}
	return a
}

// mergesAsked gives the merges that were asked for.
func (a *account) mergesAsked() (list []claim) {
	for _, c := range a.sessions {
		list = append(list, c.askedFor("merge")...)
	}
	return list
}

func (c *claims) count(matches func(happening) bool) (n int) {
	for _, e := range c.events {
		if matches(e) {
			n++
		}
	}
	return n
}

func (c *claims) askedFor(element string) (list []claim) {
	for _, one := range c.asked {
		if one.Element == element {
			list = append(list, one)
		}
	}
	return list
}

// refused counts elements that the interpreter itself refused, with no id.
func (c *claims) refused(tag string) int {
	return c.count(func(e happening) bool { return e.Tag == tag && e.ID1 == "" && e.Dialog == "" && e.Conference == "" })
}

func ended(id string) func(happening) bool {
	return func(e happening) bool {
		return e.Connection == id && (e.Name == "connection.disconnected" || e.Name == "connection.failed" ||
			e.Name == "connection.redirected" || e.Name == "connection.merged")
	}
}

// isLost tells of an answered call that ended for want of a way to FreeSWITCH.
func isLost(e happening) bool {
	return e.Name == "connection.disconnected" && e.Reason == "NETWORK_OUT_OF_ORDER"
}

func (c *claims) connections() []string {
	ids := make(map[string]bool)
	for _, e := range c.events {
		if e.Connection != "" && strings.HasPrefix(e.Name, "connection.") {
			ids[e.Connection] = true
		}
	}
	return slices.Sorted(maps.Keys(ids))
}

func pairOf(one, other string) string {
	if one > other {
		one, other = other, one
	}
	return one + " + " + other
}

// open tells what a session still waits for.
func (c *claims) open() (problems []string) {
	missing := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	for _, one := range c.askedFor("createcall") {
		id := one.id(0)
		if c.count(ended(id)) == 0 && c.count(func(e happening) bool { return e.Connection == id && e.Name == "connection.connected" }) == 0 &&
			!c.moved(id) {
			missing("createcall %s: neither connected nor failed", id)
		}
	}
	for _, one := range c.askedFor("disconnect") {
		if id := one.id(0); slices.Contains(c.connections(), id) && c.count(ended(id)) == 0 && c.refused("disconnect") == 0 && !c.moved(id) {
			missing("disconnect %s: no end", id)
		}
	}
	for _, one := range c.askedFor("accept") {
		if id := one.id(0); c.count(ended(id)) == 0 && c.refused("accept") == 0 && !c.moved(id) && c.count(func(e happening) bool {
			return e.Connection == id && (e.Name == "connection.connected" || e.Name == "connection.accept.failed" || strings.HasSuffix(e.Name, "wrongstate"))
		}) == 0 {
			missing("accept %s: not connected", id)
		}
	}
	joined, unjoined, asked, unasked := c.joins()
	refused := c.refused("join")
	for pair, n := range asked {
		if lacks := n - joined[pair]; lacks > refused {
			missing("join %s: asked %d times, %d answers", pair, n, joined[pair])
		}
	}
	refused = c.refused("unjoin")
	for pair, n := range unasked {
		if lacks := n - unjoined[pair]; lacks > refused {
			missing("unjoin %s: asked %d times, %d answers", pair, n, unjoined[pair])
		}
	}
	for _, element := range []string{"dialogstart", "probe"} {
		for _, one := range c.askedFor(element) {
			started, over := c.dialog(one.id(0))
			if started+over == 0 {
				missing("dialogstart %s: neither started nor failed", one.id(0))
			}
			if element == "probe" && over == 0 {
				missing("the prompt %s on %s at the end: not over", one.id(0), one.id(1))
			}
		}
	}
	for _, one := range c.askedFor("dialogterminate") {
		if _, over := c.dialog(one.id(0)); one.id(0) != "none" && over == 0 {
			missing("dialogterminate %s: no exit", one.id(0))
		}
	}
	for _, element := range []string{"create", "destroy"} {
		asked := make(map[string]int)
		for _, one := range c.askedFor(element + "conference") {
			asked[one.id(0)]++
		}
		for id, n := range asked {
			answers := c.count(func(e happening) bool {
				return e.Conference == id && (e.Name == "conference."+element+"ed" || e.Name == "conference."+element+"d" || e.Name == "error.conference."+element)
			})
			if answers+c.refused(element+"conference") < n {
				missing("%sconference %s: asked %d times, %d answers", element, id, n, answers)
			}
		}
	}
	for element, events := range map[string][]string{
		"move": {"move.successful", "error.move"}, "createccxml": {"ccxml.created", "error.createccxml"},
	} {
		n := c.count(func(e happening) bool {
			return slices.Contains(events, e.Name) || e.Tag == element && e.Name == "error.semantic"
		})
		if asked := len(c.askedFor(element)); n < asked {
			missing("%s: asked %d times, %d answers", element, asked, n)
		}
	}
	if asked, n := len(c.askedFor("merge")), c.merges(); n < asked {
		missing("merge: asked %d times, %d answers", asked, n)
	}
	return problems
}

func (c *claims) merges() int {
	return c.count(func(e happening) bool { return e.Name == "connection.merged" })/2 +
		c.count(func(e happening) bool {
			return e.Name == "connection.merge.failed" || e.Tag == "merge" && e.Name == "error.semantic"
		})
}

// moved tells whether a connection went to another session.
func (c *claims) moved(id string) bool {
	return c.count(func(e happening) bool {
		return e.Name == "move.successful" && (e.Connection == id || e.Connection == "")
	}) > 0
}

// dialog counts the beginnings and ends of a dialog.
func (c *claims) dialog(id string) (started, over int) {
	for _, e := range c.events {
		switch {
		case e.Dialog != id:
		case e.Name == "dialog.started":
			started++
		case e.Name == "dialog.exit" || e.Name == "error.dialog.notstarted":
			over++
		}
	}
	return started, over
}

// joins counts by pairs the answers to joins and unjoins, and what was asked.
func (c *claims) joins() (joined, unjoined, asked, unasked map[string]int) {
	joined, unjoined, asked, unasked = make(map[string]int), make(map[string]int), make(map[string]int), make(map[string]int)
	for _, e := range c.events {
		switch e.Name {
		case "conference.joined", "error.conference.join":
			joined[pairOf(e.ID1, e.ID2)]++
		case "conference.unjoined", "error.conference.unjoin":
			unjoined[pairOf(e.ID1, e.ID2)]++
		}
	}
	for _, one := range c.asked {
		switch one.Element {
		case "join":
			asked[pairOf(one.id(0), one.id(1))]++
		case "unjoin":
			unasked[pairOf(one.id(0), one.id(1))]++
		}
	}
	return joined, unjoined, asked, unasked
}

// tooMuch tells what a session was told more often than there was reason to, or
// what it was told and cannot be. Deadlines pass only where there were troubles.
func (c *claims) tooMuch(troubles bool) (problems []string) {
	wrong := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	for _, id := range c.connections() {
		if n := c.count(ended(id)); n > 1 {
			wrong("connection %s ended %d times", id, n)
		}
		if n := c.count(func(e happening) bool { return e.Connection == id && e.Name == "connection.connected" }); n > 1 {
			wrong("connection %s connected %d times", id, n)
		}
		over := false
		for _, e := range c.events {
			if over && e.Connection == id && strings.HasPrefix(e.Name, "connection.") && !strings.Contains(e.Name, "failed") {
				wrong("%s of connection %s after its end", e.Name, id)
			}
			over = over || ended(id)(e)
		}
	}
	for _, element := range []string{"dialogstart", "probe"} {
		for _, one := range c.askedFor(element) {
			if started, over := c.dialog(one.id(0)); started > 1 || over > 1 {
				wrong("dialog %s started %d times and ended %d times", one.id(0), started, over)
			}
		}
	}
	joined, _, asked, _ := c.joins()
	implicit := 0
	for _, one := range c.askedFor("createcall") {
		_ = one
		implicit++
	}
	for pair, n := range asked {
		if joined[pair] > n+implicit {
			wrong("join %s: asked %d times, %d answers", pair, n, joined[pair])
		}
	}
	for _, one := range c.askedFor("probe") {
		for _, e := range c.events {
			if e.Dialog == one.id(0) && e.Reason != "" && e.Name != "dialog.started" && c.count(ended(one.id(1))) == 0 &&
				!(troubles && wasCut.MatchString(e.Reason)) {
				wrong("the prompt on %s at the end: %s (%s)", one.id(1), e.Name, e.Reason)
			}
		}
	}
	for _, e := range c.events {
		if strings.Contains(e.Reason, "FreeSWITCH did not") && !troubles || strings.Contains(e.Reason, "internal error") ||
			e.Name == "error.semantic" && !strings.Contains(e.Reason, "in this session") && !strings.Contains(e.Reason, "is connected already") {
			wrong("%s: %s", e.Name, e.Reason)
		}
	}
	return problems
}

// wasCut matches what failed since a socket was cut a moment before.
var wasCut = regexp.MustCompile("EOF|socket to FreeSWITCH|reset by peer|broken pipe|connection is gone")

// brief shows what was logged, with what ids have in common cut off.
func brief(lines []string) string {
	var text strings.Builder
	for _, line := range lines {
		if strings.HasPrefix(line, "event ") {
			continue
		}
		fmt.Fprintln(&text, someID.ReplaceAllString(line, "$1"))
	}
	return text.String()
}

var someID = regexp.MustCompile(`([0-9a-f]{4})[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
