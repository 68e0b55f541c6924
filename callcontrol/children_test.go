package callcontrol_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"ccxmld/sitetest"
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
func family(p *sitetest.Options) {
	p.Environment["TOKENS"] = fmt.Sprintf("{s3cret: {uri: 'file://%s/parent.ccxml'}}", p.Dir)
}

// TestCCX1CCX5CreatedSession: a child gets its parameters, what was sent to it
// before it was there, and its parent's id; its end comes to the parent, after
// its beginning (CCX-1 to CCX-5, CCX-8, SES-2, SES-10, SES-15).
func TestCCX1CCX5CreatedSession(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t, family)
	s.Document("parent.ccxml", parent)
	s.Document("child.ccxml", created)
	s.StartToken("next=child.ccxml")
	s.WaitLog("exit|true|42|hello again|true|")
	s.WaitLog("child|true|createccxml|red & blue|7")
	s.WaitIdle()
	s.CheckOrder("event ccxml.created", "log created true", "event ccxml.exit")
	s.CheckOrder("event ccxml.loaded", "event ccxml.loaded", "event hello", "event hello.again")
}

// TestCCX1Namelist: the namelist goes to the server that has the document.
func TestCCX1Namelist(t *testing.T) {
	t.Parallel()
	var asked string
	s := sitetest.New(t, family, sitetest.AllowDocuments("http://web"))
	s.Handle("web", func(w http.ResponseWriter, r *http.Request) {
		asked = r.Method + " " + r.FormValue("who")
		w.Header().Set("Content-Type", "application/ccxml+xml")
		fmt.Fprint(w, `<ccxml version="1.0"><eventprocessor><transition event="ccxml.loaded"><exit expr="session.uri.indexOf('who') > 0"/></transition></eventprocessor></ccxml>`)
	})
	s.Document("parent.ccxml", `
<ccxml version="1.0"><var name="who" expr="'me &amp; you'"/><eventprocessor>
<transition event="ccxml.loaded"><createccxml next="'http://web/x'" namelist="who" method="'post'"/></transition>
<transition event="ccxml.exit"><log expr="'over'"/><exit/></transition></eventprocessor></ccxml>`)
	s.StartToken("")
	s.WaitLog("over")
	s.WaitIdle()
	if asked != "POST me & you" {
		t.Errorf("asked for by %s", asked)
	}
}

// TestSES18SES19NotCreated: where the document is missing, does not compile or
// fails in its initialisation, the creator gets error.createccxml and nothing
// else, and what was sent to the session is not delivered.
func TestSES18SES19NotCreated(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t, family)
	s.Document("parent.ccxml", parent)
	s.Document("broken.ccxml", `<ccxml version="1.0"><eventprocessor><transition><acept/></transition></eventprocessor></ccxml>`)
	s.Document("throws.ccxml", `<ccxml version="1.0"><var name="a" expr="missing.x"/><eventprocessor><transition event="*"/></eventprocessor></ccxml>`)
	for _, c := range []struct{ document, reason string }{
		{"gone.ccxml", "gone.ccxml"},
		{"broken.ccxml", "<acept> is not an element of CCXML"},
		{"throws.ccxml", "missing is not defined"},
		{"http://169.254.169.254/latest", "169.254.169.254"},
	} {
		t.Run(c.document, func(t *testing.T) {
			s := s.In(t)
			s.Trace.Reset()
			s.StartToken("next=" + c.document)
			s.WaitLog("not created true: ")
			s.WaitLog("error.send.targetunavailable")
			s.WaitIdle()
			if !s.Trace.Has(c.reason) || s.Trace.Has("event ccxml.created") || s.Trace.Has("event ccxml.exit") {
				t.Errorf("seen:\n%s", strings.Join(s.Trace.Lines(), "\n"))
			}
		})
	}
}

// A session is told of once the other controllers can know of it: what is sent to it
// from anywhere then finds it.
func TestChildIsKnownWhenItIsTold(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t, family)
	s.Transitions("parent.ccxml", `
<transition event="go"><createccxml next="'child.ccxml'"/></transition>
<transition event="ccxml.created"><log expr="'created'"/></transition><transition event="ccxml.exit"><exit/></transition>`)
	s.Transitions("child.ccxml", `
<transition event="ccxml.loaded"><log expr="'child runs'"/><send target="session.id" targettype="'ccxml'" name="'end'" delay="'5s'"/></transition>
<transition event="end"><exit/></transition>`)
	session := s.StartToken("")
	s.Must(s.Daemon.Store.Flush(s.Context()))
	release := newRedisLine(s).hold()
	s.Get("/ccxml/basichttp?sessionid=" + session + "&name=go")
	s.WaitLog("child runs")
	s.Sleep(time.Second)
	if s.Trace.Has("log created") {
		t.Error("it was told of before Redis had it")
	}
	release()
	s.WaitLog("created")
	s.WaitIdle()
	s.CheckOrder("log child runs", "log created", "event ccxml.exit")
}

// TestSES16SES17Independent: a child outlives its parent, and its end is then
// told to nobody.
func TestSES16SES17Independent(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t, family)
	s.Document("parent.ccxml", `
<ccxml version="1.0"><eventprocessor>
<transition event="ccxml.loaded"><createccxml next="'child.ccxml'"/></transition>
<transition event="ccxml.created"><send target="event$.sessionid" name="'orphan'" delay="'0s'"/></transition>
<transition event="send.successful"><exit/></transition>
</eventprocessor></ccxml>`)
	s.Transitions("child.ccxml", `
<transition event="orphan"><send target="session.id" name="'later'" delay="'300ms'"/></transition>
<transition event="later"><send target="session.parentid" name="'hello'"/></transition>
<transition event="error.send.targetunavailable"><log expr="'the parent is gone'"/><exit/></transition>`)
	s.StartToken("")
	s.WaitLog("the parent is gone")
	s.WaitIdle()
	if s.Trace.Has("event ccxml.exit") {
		t.Errorf("seen:\n%s", strings.Join(s.Trace.Lines(), "\n"))
	}
}

// TestSES12SES14Kill: a session asks another to end. One that does not listen
// ends, and its parent is told why; one that does goes on.
func TestSES12SES14Kill(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t, family)
	s.Document("parent.ccxml", `
<ccxml version="1.0"><var name="reason" expr="'enough'"/><eventprocessor>
<transition event="ccxml.loaded"><createccxml next="'child.ccxml'"/></transition>
<transition event="ccxml.created"><send target="event$.sessionid" name="'ccxml.kill'" namelist="reason"/></transition>
<transition event="declined"><send target="event$.eventsource" name="'ccxml.kill'" namelist="reason"/></transition>
<transition event="ccxml.exit"><log expr="'exit: ' + event$.reason"/><exit/></transition>
</eventprocessor></ccxml>`)
	s.Document("child.ccxml", `
<ccxml version="1.0"><var name="asked" expr="false"/><eventprocessor>
<transition event="ccxml.kill*" cond="!asked"><assign name="asked" expr="true"/>
  <log expr="'asked ' + (event$.sessionid == session.id) + ' ' + event$.reason"/><send target="session.parentid" name="'declined'"/></transition>
</eventprocessor></ccxml>`)
	s.StartToken("")
	s.WaitLog("asked true enough")
	s.WaitLog("exit: killed: enough")
	s.WaitIdle()
}

// controllerID is the name of the site's daemon in Redis.
func controllerID(s *sitetest.Site) string {
	s.Helper()
	controllers, err := s.Daemon.Store.Controllers(s.Context())
	s.Must(err)
	for _, c := range controllers {
		if c.Address == s.Daemon.Advertise() {
			return c.ID
		}
	}
	s.Fatalf("not registered: %v", controllers)
	return ""
}

// TestCCX1OnAnotherController: a child on another controller is in all the same.
func TestCCX1OnAnotherController(t *testing.T) {
	t.Parallel()
	one := sitetest.New(t, family)
	one.Document("parent.ccxml", parent)
	one.Document("child.ccxml", created)
	other := one.AddDaemon()
	one.StartToken("next=child.ccxml&at=" + controllerID(other))
	one.WaitLog("exit|true|42|hello again|true|")
	other.WaitLog("child|true|createccxml|red & blue|7")
	one.WaitIdle()
	other.WaitIdle()
	one.CheckOrder("event ccxml.created", "event ccxml.exit")
	other.CheckOrder("event ccxml.loaded", "event hello", "event hello.again")

	one.StartToken("next=gone.ccxml&at=" + controllerID(other))
	one.WaitLog("not created true: ")
	one.WaitIdle()
	one.StartToken("next=child.ccxml&at=nobody")
	one.Must(one.Trace.WaitText(one.Context(), "on controller nobody: "))
	one.WaitIdle()
}

// TestCCX2OutOfSessions: a controller that is full lets another one run the
// child; where all are, that is the reason of error.createccxml.
func TestCCX2OutOfSessions(t *testing.T) {
	t.Parallel()
	one := sitetest.New(t, family, sitetest.With("LIMITS_SESSIONS", "1"))
	one.Document("parent.ccxml", parent)
	one.Document("child.ccxml", created)
	one.StartToken("next=child.ccxml")
	one.Must(one.Trace.WaitText(one.Context(), "out of sessions, and there is no other controller"))
	one.WaitIdle()
	other := one.AddDaemon()
	one.StartToken("next=child.ccxml")
	one.WaitLog("exit|true|42|hello again|true|")
	other.WaitLog("child|true|")
	one.WaitIdle()
	other.WaitIdle()
	other.Transitions("parent.ccxml", `<transition event="over"><exit/></transition>`)
	busy := other.StartToken("")
	one.Document("parent.ccxml", parent)
	one.StartToken("next=child.ccxml")
	one.Must(one.Trace.WaitText(one.Context(), "out of sessions, as are the 1 other controllers"))
	one.WaitIdle()
	other.Get("/ccxml/basichttp?sessionid=" + busy + "&name=over")
	other.WaitIdle()
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
			s := sitetest.New(t, family, sitetest.With("LIMITS_SESSIONS", "50"), sitetest.With("LIMITS_CHILDREN_PER_TREE", "1000"), sitetest.With("LIMITS_CHILDREN_PER_SECOND", "100"), sitetest.With(c.key, c.value))
			s.Transitions("parent.ccxml", `
<transition event="ccxml.loaded"><createccxml next="'parent.ccxml'"/><createccxml next="'parent.ccxml'"/><createccxml next="'parent.ccxml'"/></transition>
<transition event="error.createccxml"><log expr="event$.reason"/></transition>`)
			answers := s.Transitions("answers.ccxml", `
<transition event="connection.alerting"><accept/></transition>
<transition event="connection.connected"><log expr="'answered'"/><disconnect/></transition>
<transition event="connection.disconnected"><exit/></transition>`)
			s.StartToken("")
			s.Must(s.Trace.WaitText(s.Context(), c.reason))
			s.Dial(answers)
			s.WaitLog("answered")
		})
	}
}
