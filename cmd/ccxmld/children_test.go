package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// parent creates a session from the document that its token start names, says
// hello to it at once, and ends with it.
const parent = `
<ccxml version="1.0"><var name="child"/><var name="color" expr="'red &amp; blue'"/><var name="site"/>
<script>site = {code: 7}; function hints() { return session.values.at ? {controller: session.values.at} : undefined }</script><eventprocessor>
<transition event="ccxml.loaded" cond="session.parentid == undefined">
  <createccxml next="session.values.next" sessionid="child" parameters="color site.code" hints="hints()"/>
  <send target="child" targettype="'ccxml'" name="'hello'"/>
  <send target="child" targettype="'ccxml'" name="'hello.again'"/></transition>
<transition event="ccxml.created"><log expr="'created ' + (event$.sessionid == child)"/></transition>
<transition event="ccxml.exit"><log expr="['exit', event$.sessionid == child, event$.expr, event$.values.got, event$.values.of ? event$.values.of.parent == session.id : '', event$.reason].join('|')"/><exit/></transition>
<transition event="error.createccxml"><log expr="'not created ' + (event$.sessionid == child) + ': ' + event$.reason"/></transition>
<transition event="error.send.*"><log expr="event$.name"/><exit/></transition>
</eventprocessor></ccxml>`

// created is a child that ends when it was greeted twice.
const created = `
<ccxml version="1.0"><var name="got" expr="''"/><var name="of"/><eventprocessor>
<transition event="ccxml.loaded"><script>of = {parent: event$.parent}</script>
  <log expr="['child', event$.parent == session.parentid, session.startupmode, session.values.color, session.values.site.code].join('|')"/></transition>
<transition event="hello"><assign name="got" expr="got + 'hello'"/></transition>
<transition event="hello.again"><assign name="got" expr="got + ' again'"/><exit expr="6 * 7" namelist="got of.parent"/></transition>
</eventprocessor></ccxml>`

// family lets the token start parents.
func family(p *plan) {
	p.environment["TOKENS"] = fmt.Sprintf("{s3cret: {uri: 'file://%s/parent.ccxml'}}", p.dir)
}

// TestCCX1CCX5CreatedSession: a child gets its parameters, what was sent to it
// before it was there, and its parent's id; its end comes to the parent, after
// its beginning (CCX-1 to CCX-5, CCX-8, SES-2, SES-10, SES-15).
func TestCCX1CCX5CreatedSession(t *testing.T) {
	t.Parallel()
	h := newHouse(t, family)
	h.document("parent.ccxml", parent)
	h.document("child.ccxml", created)
	h.startToken("next=child.ccxml")
	h.logged("exit|true|42|hello again|true|")
	h.logged("child|true|createccxml|red & blue|7")
	h.idle()
	h.inOrder("event ccxml.created", "log created true", "event ccxml.exit")
	h.inOrder("event ccxml.loaded", "event ccxml.loaded", "event hello", "event hello.again")
}

// TestCCX1Namelist: the namelist goes to the server that has the document.
func TestCCX1Namelist(t *testing.T) {
	t.Parallel()
	var asked string
	h := newHouse(t, family, allowing("http://web"))
	h.serve("web", func(w http.ResponseWriter, r *http.Request) {
		asked = r.Method + " " + r.FormValue("who")
		w.Header().Set("Content-Type", "application/ccxml+xml")
		fmt.Fprint(w, `<ccxml version="1.0"><eventprocessor><transition event="ccxml.loaded"><exit expr="session.uri.indexOf('who') > 0"/></transition></eventprocessor></ccxml>`)
	})
	h.document("parent.ccxml", `
<ccxml version="1.0"><var name="who" expr="'me &amp; you'"/><eventprocessor>
<transition event="ccxml.loaded"><createccxml next="'http://web/x'" namelist="who" method="'post'"/></transition>
<transition event="ccxml.exit"><log expr="'over'"/><exit/></transition></eventprocessor></ccxml>`)
	h.startToken("")
	h.logged("over")
	h.idle()
	if asked != "POST me & you" {
		t.Errorf("asked for by %s", asked)
	}
}

// TestSES18SES19NotCreated: where the document is missing, does not compile or
// fails in its initialisation, the creator gets error.createccxml and nothing
// else, and what was sent to the session is not delivered.
func TestSES18SES19NotCreated(t *testing.T) {
	t.Parallel()
	h := newHouse(t, family)
	h.document("parent.ccxml", parent)
	h.document("broken.ccxml", `<ccxml version="1.0"><eventprocessor><transition><acept/></transition></eventprocessor></ccxml>`)
	h.document("throws.ccxml", `<ccxml version="1.0"><var name="a" expr="missing.x"/><eventprocessor><transition event="*"/></eventprocessor></ccxml>`)
	for _, c := range []struct{ document, reason string }{
		{"gone.ccxml", "gone.ccxml"},
		{"broken.ccxml", "<acept> is not an element of CCXML"},
		{"throws.ccxml", "missing is not defined"},
		{"http://169.254.169.254/latest", "169.254.169.254"},
	} {
		t.Run(c.document, func(t *testing.T) {
			h := h.in(t)
			h.seen.forget()
			h.startToken("next=" + c.document)
			h.logged("not created true: ")
			h.logged("error.send.targetunavailable")
			h.idle()
			if !h.seen.has(c.reason) || h.seen.has("event ccxml.created") || h.seen.has("event ccxml.exit") {
				t.Errorf("seen:\n%s", strings.Join(h.seen.all(), "\n"))
			}
		})
	}
}

// TestSES16SES17Independent: a child outlives its parent, and its end is then
// told to nobody.
func TestSES16SES17Independent(t *testing.T) {
	t.Parallel()
	h := newHouse(t, family)
	h.document("parent.ccxml", `
<ccxml version="1.0"><eventprocessor>
<transition event="ccxml.loaded"><createccxml next="'child.ccxml'"/></transition>
<transition event="ccxml.created"><send target="event$.sessionid" name="'orphan'" delay="'0s'"/></transition>
<transition event="send.successful"><exit/></transition>
</eventprocessor></ccxml>`)
	h.transitions("child.ccxml", `
<transition event="orphan"><send target="session.id" name="'later'" delay="'300ms'"/></transition>
<transition event="later"><send target="session.parentid" name="'hello'"/></transition>
<transition event="error.send.targetunavailable"><log expr="'the parent is gone'"/><exit/></transition>`)
	h.startToken("")
	h.logged("the parent is gone")
	h.idle()
	if h.seen.has("event ccxml.exit") {
		t.Errorf("seen:\n%s", strings.Join(h.seen.all(), "\n"))
	}
}

// TestSES12SES14Kill: a session asks another to end. One that does not listen
// ends, and its parent is told why; one that does goes on.
func TestSES12SES14Kill(t *testing.T) {
	t.Parallel()
	h := newHouse(t, family)
	h.document("parent.ccxml", `
<ccxml version="1.0"><var name="reason" expr="'enough'"/><eventprocessor>
<transition event="ccxml.loaded"><createccxml next="'child.ccxml'"/></transition>
<transition event="ccxml.created"><send target="event$.sessionid" name="'ccxml.kill'" namelist="reason"/></transition>
<transition event="declined"><send target="event$.eventsource" name="'ccxml.kill'" namelist="reason"/></transition>
<transition event="ccxml.exit"><log expr="'exit: ' + event$.reason"/><exit/></transition>
</eventprocessor></ccxml>`)
	h.document("child.ccxml", `
<ccxml version="1.0"><var name="asked" expr="false"/><eventprocessor>
<transition event="ccxml.kill*" cond="!asked"><assign name="asked" expr="true"/>
  <log expr="'asked ' + (event$.sessionid == session.id) + ' ' + event$.reason"/><send target="session.parentid" name="'declined'"/></transition>
</eventprocessor></ccxml>`)
	h.startToken("")
	h.logged("asked true enough")
	h.logged("exit: killed: enough")
	h.idle()
}

// controllerID is the name of the house's daemon in Redis.
func (h *house) controllerID() string {
	h.Helper()
	controllers, err := h.daemon.Store.Controllers(h.ctx)
	h.must(err)
	for _, c := range controllers {
		if c.Address == h.daemon.Advertise() {
			return c.ID
		}
	}
	h.Fatalf("not registered: %v", controllers)
	return ""
}

// TestCCX1OnAnotherController: a child on another controller is in all the same.
func TestCCX1OnAnotherController(t *testing.T) {
	t.Parallel()
	one := newHouse(t, family)
	one.document("parent.ccxml", parent)
	one.document("child.ccxml", created)
	other := one.another()
	one.startToken("next=child.ccxml&at=" + other.controllerID())
	one.logged("exit|true|42|hello again|true|")
	other.logged("child|true|createccxml|red & blue|7")
	one.idle()
	other.idle()
	one.inOrder("event ccxml.created", "event ccxml.exit")
	other.inOrder("event ccxml.loaded", "event hello", "event hello.again")

	one.startToken("next=gone.ccxml&at=" + other.controllerID())
	one.logged("not created true: ")
	one.idle()
	one.startToken("next=child.ccxml&at=nobody")
	one.must(one.seen.waitFor(one.ctx, "on controller nobody: "))
	one.idle()
}

// TestCCX2OutOfSessions: a controller that is full lets another one run the
// child; where all are, that is the reason of error.createccxml.
func TestCCX2OutOfSessions(t *testing.T) {
	t.Parallel()
	one := newHouse(t, family, with("LIMITS_SESSIONS", "1"))
	one.document("parent.ccxml", parent)
	one.document("child.ccxml", created)
	one.startToken("next=child.ccxml")
	one.must(one.seen.waitFor(one.ctx, "out of sessions, and there is no other controller"))
	one.idle()
	other := one.another()
	one.startToken("next=child.ccxml")
	one.logged("exit|true|42|hello again|true|")
	other.logged("child|true|")
	one.idle()
	other.idle()
	other.transitions("parent.ccxml", `<transition event="over"><exit/></transition>`)
	busy := other.startToken("")
	one.document("parent.ccxml", parent)
	one.startToken("next=child.ccxml")
	one.must(one.seen.waitFor(one.ctx, "out of sessions, as are the 1 other controllers"))
	one.idle()
	other.get("/ccxml/basichttp?sessionid=" + busy + "&name=over")
	other.idle()
}

// TestSessionsCreatedInALoop: a document whose sessions each create others gets
// error.createccxml with the bound that is reached, and incoming calls have places
// all the same.
func TestSessionsCreatedInALoop(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		key, value, reason string
	}{
		{"LIMITS_CHILDREN_PER_SESSION", "2", "2 sessions that this session created run here already; wait for the ccxml.exit of one, or raise limits.children_per_session"},
		{"LIMITS_CHILDREN_PER_TREE", "20", "raise limits.children_per_tree"},
		{"LIMITS_CHILDREN_PER_SECOND", "1", "raise limits.children_per_second"},
		{"LIMITS_PERCENT_FOR_CALLS", "50", "the other 25 places are kept for incoming calls (limits.percent_for_calls)"},
	} {
		t.Run(c.key, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, family, with("LIMITS_SESSIONS", "50"), with("LIMITS_CHILDREN_PER_TREE", "1000"), with("LIMITS_CHILDREN_PER_SECOND", "100"), with(c.key, c.value))
			h.transitions("parent.ccxml", `
<transition event="ccxml.loaded"><createccxml next="'parent.ccxml'"/><createccxml next="'parent.ccxml'"/><createccxml next="'parent.ccxml'"/></transition>
<transition event="error.createccxml"><log expr="event$.reason"/></transition>`)
			answers := h.transitions("answers.ccxml", `
<transition event="connection.alerting"><accept/></transition>
<transition event="connection.connected"><log expr="'answered'"/><disconnect/></transition>
<transition event="connection.disconnected"><exit/></transition>`)
			h.startToken("")
			h.must(h.seen.waitFor(h.ctx, c.reason))
			h.dial(answers)
			h.logged("answered")
		})
	}
}
