package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"ccxmld/api"
	"ccxmld/operator"
	"ccxmld/sitetest"
	"ccxmld/switchsim"
)

func TestMain(m *testing.M) { sitetest.Main(m) }

// operators is a site's setting with one operator of each role.
var operators = sitetest.With("API_OPERATORS", `[{name: ann, role: read, key: the-key-of-ann-00}, {name: bob, role: operate, key: the-key-of-bob-00}, {name: eve, role: admin, key: the-key-of-eve-00}]`)

// as asks a site's API as an operator, "" for a stranger, and reads what it answers.
func as(s *sitetest.Site, who, method, path, body string, into any) (status int, answer string) {
	s.Helper()
	r, err := http.NewRequestWithContext(s.Context(), method, "http://"+s.Daemon.HTTPAddress()+path, strings.NewReader(body))
	s.Must(err)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if who != "" {
		r.Header.Set("Authorization", "Bearer the-key-of-"+who+"-00")
	}
	response, err := s.HTTPClient().Do(r)
	s.Must(err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	s.Must(err)
	if into != nil && response.StatusCode/100 == 2 {
		s.Must(json.Unmarshal(text, into))
	}
	if response.StatusCode >= 400 && response.Header.Get("Content-Type") != "application/problem+json" {
		s.Errorf("%s %s: %d is a %s", method, path, response.StatusCode, response.Header.Get("Content-Type"))
	}
	return response.StatusCode, string(text)
}

const waits = `
	<transition event="connection.alerting"><assign name="caller" expr="event$.connection.remote"/><accept/></transition>
	<transition event="connection.connected"><assign name="state$" expr="'talking'"/><dialogstart src="'tone_stream://%(600000,0,440)'" type="'audio/wav'"/></transition>
	<transition event="dialog.started"><send target="session.id" targettype="'ccxml'" name="'later'" delay="'300s'"/><log expr="'came ' + session.id"/></transition>
	<transition event="asked"><log expr="'asked by ' + event$.who"/></transition>
	<transition event="ccxml.kill"><log expr="'killed: ' + event$.reason"/><exit/></transition>
	<transition event="connection.disconnected"><log expr="'left'"/><exit/></transition>`

// twoControllers are a site with a call on each of two controllers.
func twoControllers(t *testing.T) (one, two *sitetest.Site, parties []*switchsim.Party) {
	t.Helper()
	one = sitetest.New(t, operators)
	one.Switch.Callee("200", switchsim.Answers{})
	document := one.Transitions("waits", waits, "caller")
	parties = append(parties, one.DialFrom("101", document))
	one.WaitLog("came")
	two = one.AddDaemon()
	two.WaitLinks()
	one.Sleep(time.Second)
	two.StartSession(two.Transitions("dials", `
	<transition event="ccxml.loaded"><createcall dest="'tel:200'" callerid="'tel:100'"/></transition>
	<transition event="connection.connected"><log expr="'came ' + session.id"/></transition>
	<transition event="connection.disconnected"><log expr="'left'"/><exit/></transition>`))
	two.WaitLog("came")
	return one, two, parties
}

// Whichever controller is asked, an operator sees the sessions and calls of all.
func TestListsOfTheSite(t *testing.T) {
	one, two, _ := twoControllers(t)
	for _, s := range []*sitetest.Site{one, two} {
		var sessions api.List[operator.Session]
		if status, text := as(s, "ann", "GET", "/v1/sessions", "", &sessions); status != 200 || len(sessions.Items) != 2 || sessions.Next != "" {
			t.Fatalf("%d %s", status, text)
		}
		if first, second := sessions.Items[0], sessions.Items[1]; first.Controller != one.Daemon.Controller.ID() || first.State != "talking" ||
			second.Controller != two.Daemon.Controller.ID() || second.Startup != "external" || first.Started.After(second.Started) {
			t.Errorf("%+v", sessions.Items)
		}
		var calls api.List[operator.Call]
		as(s, "ann", "GET", "/v1/calls", "", &calls)
		if len(calls.Items) != 2 || calls.Items[0].Direction != "in" || calls.Items[1].Direction != "out" ||
			calls.Items[0].State != "CONNECTED" || calls.Items[0].Answered == nil || calls.Items[0].Answered.Before(*calls.Items[0].Began) || calls.Items[0].Node == "" || calls.Items[1].Remote != "tel:200" {
			t.Errorf("%+v", calls.Items)
		}
		for query, want := range map[string]int{
			"/v1/calls?number=200": 1, "/v1/calls?number=999": 0, "/v1/calls?state=CONNECTED": 2, "/v1/calls?state=ALERTING": 0, "/v1/calls?node=nowhere": 0,
			"/v1/calls?document=dials": 1, "/v1/sessions?state=talking": 1, "/v1/sessions?startup=external": 1, "/v1/sessions?document=waits": 1, "/v1/sessions?token=0123456789ab": 0,
		} {
			var found api.List[struct{}]
			if status, text := as(s, "ann", "GET", query, "", &found); status != 200 || len(found.Items) != want {
				t.Errorf("%s: %d, %d found, want %d: %s", query, status, len(found.Items), want, text)
			}
		}
		var controllers api.List[api.Controller]
		as(s, "ann", "GET", "/v1/controllers", "", &controllers)
		if len(controllers.Items) != 2 || !controllers.Items[0].Alive || controllers.Items[0].Load == nil || controllers.Items[0].Load.Sessions != 1 {
			t.Errorf("%+v", controllers.Items)
		}
		var nodes api.List[operator.Node]
		as(s, "ann", "GET", "/v1/nodes", "", &nodes)
		if len(nodes.Items) != 2 || !nodes.Items[0].Up || nodes.Items[0].Controller == nodes.Items[1].Controller {
			t.Errorf("%+v", nodes.Items)
		}
	}
}

// Lists come in pages, in the order of beginnings, without a gap or a repetition.
func TestPages(t *testing.T) {
	one := sitetest.New(t, operators)
	two := one.AddDaemon()
	const each = 7
	for i := range 2 * each {
		s := []*sitetest.Site{one, two}[i%2]
		s.StartSession(s.Transitions("waits", waits, "caller"))
	}
	seen := make(map[string]bool)
	var last operator.Session
	for after, pages := "", 0; ; pages++ {
		var page api.List[operator.Session]
		if status, text := as(two, "ann", "GET", "/v1/sessions?limit=3&after="+url.QueryEscape(after), "", &page); status != 200 || len(page.Items) > 3 {
			t.Fatalf("%d %s", status, text)
		}
		for _, session := range page.Items {
			if seen[session.ID] || session.Started.Before(last.Started) {
				t.Errorf("%s comes twice, or too late", session.ID)
			}
			seen[session.ID], last = true, session
		}
		if after = page.Next; after == "" {
			break
		}
		if pages > 4*each {
			t.Fatal("the list has no end")
		}
	}
	if len(seen) != 2*each {
		t.Errorf("%d of %d sessions were listed", len(seen), 2*each)
	}
	if status, text := as(one, "ann", "GET", "/v1/sessions?after=nonsense", "", nil); status != 422 {
		t.Errorf("%d %s", status, text)
	}
}

// An operator sees all of a session, and acts on it and its call, by the other controller.
func TestSessionFromElsewhere(t *testing.T) {
	one, two, parties := twoControllers(t)
	var sessions api.List[operator.Session]
	as(two, "ann", "GET", "/v1/sessions?document=waits", "", &sessions)
	id, call := sessions.Items[0].ID, sessions.Items[0].Connections[0]
	var detail operator.SessionDetail
	if status, text := as(two, "ann", "GET", "/v1/sessions/"+id, "", &detail); status != 200 {
		t.Fatalf("%d %s", status, text)
	}
	shown, _ := json.Marshal(detail)
	for _, want := range []string{`"name":"caller","value":"\"sip:101@127.0.0.1\""`, `"event":"dialog.started","state":"talking"`, `"line":`, `"event":"later"`, `"src":"tone_stream`, `"state":"STARTED"`} {
		if !bytes.Contains(shown, []byte(want)) {
			t.Errorf("what is shown has no %s: %s", want, shown)
		}
	}
	if len(detail.Calls) != 1 || len(detail.Prompts) != 1 || len(detail.Sends) != 1 || len(detail.Media) == 0 {
		t.Errorf("%s", shown)
	}
	if status, text := as(two, "bob", "POST", "/v1/sessions/"+id+"/events", `{"name":"asked","parameters":[{"name":"who","value":"bob"}]}`, nil); status != 204 {
		t.Errorf("%d %s", status, text)
	}
	one.WaitLog("asked by bob")
	if status, text := as(two, "bob", "POST", "/v1/sessions/"+id+"/events", `{"name":"ccxml.loaded"}`, nil); status != 422 {
		t.Errorf("%d %s", status, text)
	}
	if status, text := as(two, "bob", "POST", "/v1/calls/"+call+"/digits", `{"digits":"12#"}`, nil); status != 204 {
		t.Errorf("%d %s", status, text)
	}
	one.Must(parties[0].WaitHeard(one.Context(), "12#"))
	var recording operator.Recording
	if status, text := as(two, "bob", "PUT", "/v1/calls/"+call+"/recording", `{"on":true,"tag":"quality"}`, &recording); status != 200 || !strings.Contains(recording.File, "quality") {
		t.Errorf("%d %s", status, text)
	}
	if status, text := as(two, "bob", "DELETE", "/v1/calls/"+call+"?cause=USER_BUSY", "", nil); status != 204 {
		t.Errorf("%d %s", status, text)
	}
	one.WaitLog("left")
	ending, err := parties[0].WaitEnded(one.Context())
	if one.Must(err); ending.Cause != "USER_BUSY" {
		t.Errorf("%+v", ending)
	}
	for _, path := range []string{"/v1/sessions/" + id, "/v1/calls/" + call} {
		if status, text := as(two, "ann", "GET", path, "", nil); status != 404 {
			t.Errorf("%s is over: %d %s", path, status, text)
		}
	}
}

// A document has its say when an operator ends its session, unless he does not ask.
func TestEndSession(t *testing.T) {
	one := sitetest.New(t, operators)
	for _, test := range []struct{ query, log string }{{"", "killed: ended by an operator"}, {"?unconditional=true", ""}} {
		one.StartSession(one.Transitions("waits", waits, "caller"))
		var sessions api.List[operator.Session]
		as(one, "ann", "GET", "/v1/sessions", "", &sessions)
		if status, text := as(one, "bob", "DELETE", "/v1/sessions/"+sessions.Items[0].ID+test.query, "", nil); status != 204 {
			t.Fatalf("%d %s", status, text)
		}
		one.WaitIdle()
		if killed := one.Trace.Has("killed"); killed != (test.log != "") {
			t.Errorf("%q: the document was told: %v", test.query, killed)
		}
		one.Trace.Reset()
	}
}

// Who shows nothing, or nothing that is known, or has too small a role, is refused, and why.
func TestRoles(t *testing.T) {
	one := sitetest.New(t, operators)
	for _, test := range []struct {
		who, method, path string
		status            int
		reason            string
	}{
		{"", "GET", "/v1/sessions", 401, "Authorization: Bearer"},
		{"zoe", "GET", "/v1/sessions", 401, "Authorization: Bearer"},
		{"ann", "GET", "/v1/sessions", 200, ""},
		{"ann", "DELETE", "/v1/sessions/none", 403, "ann has the role read, and this asks for operate"},
		{"bob", "DELETE", "/v1/sessions/none", 404, "there is no session none"},
		{"bob", "PATCH", "/v1/nodes/sim", 403, "bob has the role operate, and this asks for admin"},
		{"eve", "PATCH", "/v1/nodes/sim", 422, ""},
		{"eve", "PATCH", "/v1/nodes/none", 404, "has no node none"},
		{"ann", "GET", "/v1/sessions?limt=3", 422, "limt"},
		{"ann", "GET", "/v1/sessions?limit=0", 422, "limit"},
		{"ann", "GET", "/v1/conferences/none", 404, "there is no conference none"},
	} {
		body := ""
		if test.method == "PATCH" {
			body = `{"drained": "maybe"}`
			if test.status == 404 {
				body = `{"drained": true}`
			}
		}
		if status, text := as(one, test.who, test.method, test.path, body, nil); status != test.status || !strings.Contains(text, test.reason) {
			t.Errorf("%q %s %s: %d %s; want %d, %s", test.who, test.method, test.path, status, text, test.status, test.reason)
		}
	}
}

// Of what an operator changes, and tries to, the log has who, what and with what.
func TestAudit(t *testing.T) {
	one := sitetest.New(t, operators)
	as(one, "eve", "PATCH", "/v1/nodes/sim", `{"drained":true}`, nil)
	as(one, "bob", "DELETE", "/v1/calls/none?cause=USER_BUSY", "", nil)
	as(one, "ann", "GET", "/v1/sessions", "", nil)
	var audit []string
	for _, line := range one.DaemonLog.Lines() {
		if strings.Contains(line, "audit:") {
			audit = append(audit, line)
		}
	}
	if len(audit) != 2 || !strings.Contains(audit[0], "operator=eve") || !strings.Contains(audit[0], "changeNode") || !strings.Contains(audit[0], "drained") ||
		!strings.Contains(audit[1], "operator=bob") || !strings.Contains(audit[1], "USER_BUSY") || !strings.Contains(audit[1], "there is no call none") {
		t.Errorf("%q", audit)
	}
	if strings.Contains(strings.Join(one.DaemonLog.Lines(), "\n"), "the-key-of") {
		t.Error("a key is in the log")
	}
}

// A node that an operator takes out of service gets no outbound calls on any controller, until
// it is put back.
func TestNodeOutOfService(t *testing.T) {
	one := sitetest.New(t, operators)
	two := one.AddDaemon()
	two.WaitLinks()
	one.Switch.Callee("200", switchsim.Answers{})
	dials := func(s *sitetest.Site) {
		s.Trace.Reset()
		s.StartSession(s.Transitions("dials", `
		<transition event="ccxml.loaded"><createcall dest="'tel:200'"/></transition>
		<transition event="connection.connected"><log expr="'answered'"/><exit/></transition>
		<transition event="connection.failed"><log expr="event$.detail"/><exit/></transition>`))
	}
	if status, text := as(one, "eve", "PATCH", "/v1/nodes/sim", `{"drained":true}`, nil); status != 204 {
		t.Fatalf("%d %s", status, text)
	}
	for _, s := range []*sitetest.Site{one, two} {
		dials(s)
		s.WaitLog("no FreeSWITCH node takes a call (sim: an operator has taken it out of service)")
		var nodes api.List[operator.Node]
		as(s, "ann", "GET", "/v1/nodes", "", &nodes)
		for _, node := range nodes.Items {
			if !node.Drained {
				t.Errorf("%+v", node)
			}
		}
	}
	if status, text := as(two, "eve", "PATCH", "/v1/nodes/sim", `{"drained":false}`, nil); status != 204 {
		t.Fatalf("%d %s", status, text)
	}
	for _, s := range []*sitetest.Site{one, two} {
		dials(s)
		s.WaitLog("answered")
	}
}

// An operator sees who is in a conference, and changes it, by whichever controller.
func TestConference(t *testing.T) {
	one := sitetest.New(t, operators)
	two := one.AddDaemon()
	two.WaitLinks()
	joins := one.Transitions("joins", `
		<transition event="connection.alerting"><assign name="c" expr="event$.connectionid"/><accept/></transition>
		<transition event="connection.connected"><createconference conferenceid="room" confname="'sales'"/></transition>
		<transition event="conference.created"><join id1="c" id2="room"/></transition>
		<transition event="conference.joined"><log expr="'in'"/></transition>
		<transition event="conference.unjoined"><log expr="'out'"/></transition>
		<transition event="connection.disconnected"><exit/></transition>`, "c room")
	first := one.DialFrom("101", joins)
	one.WaitLog("in")
	one.Trace.Reset()
	second := one.DialFrom("102", joins)
	one.WaitLog("in")
	var all api.List[operator.Conference]
	if as(two, "ann", "GET", "/v1/conferences?name=sal", "", &all); len(all.Items) != 1 || all.Items[0].Members != 2 || all.Items[0].Name != "sales" {
		t.Fatalf("%+v", all.Items)
	}
	path := "/v1/conferences/" + url.PathEscape(all.Items[0].ID)
	member := func(party *switchsim.Party) (m operator.Member) {
		var detail operator.ConferenceDetail
		if status, text := as(two, "ann", "GET", path, "", &detail); status != 200 {
			t.Fatalf("%d %s", status, text)
		}
		for _, one := range detail.Roster {
			if one.Call == party.UUID() {
				m = one
			}
		}
		return m
	}
	if m := member(first); !m.Heard || !m.Hears || m.Number != "101" {
		t.Errorf("%+v", m)
	}
	for _, change := range []struct{ method, path, body string }{
		{"PATCH", "/members/" + first.UUID(), `{"muted":true}`},
		{"PATCH", "", `{"locked":true,"recording":true}`},
		{"POST", "/play", `{"src":"tone_stream://%(100,0,440)"}`},
	} {
		if status, text := as(two, "bob", change.method, path+change.path, change.body, nil); status/100 != 2 {
			t.Errorf("%s: %d %s", change.body, status, text)
		}
	}
	if m := member(first); m.Heard {
		t.Errorf("%+v is muted", m)
	}
	var detail operator.ConferenceDetail
	if as(two, "ann", "GET", path, "", &detail); !detail.Locked || !detail.Recording {
		t.Errorf("%+v", detail)
	}
	if status, text := as(two, "bob", "POST", path+"/play", `{"src":"file:///etc/passwd"}`, nil); status != 422 {
		t.Errorf("a file that documents may not play: %d %s", status, text)
	}
	if status, text := as(two, "bob", "DELETE", path+"/members/"+second.UUID(), "", nil); status != 204 {
		t.Errorf("%d %s", status, text)
	}
	one.WaitLog("out")
	if status, text := as(two, "bob", "DELETE", path+"/members/"+second.UUID(), "", nil); status != 404 {
		t.Errorf("%d %s", status, text)
	}
	one.Trace.Reset()
	if status, text := as(two, "bob", "DELETE", path, "", nil); status != 204 {
		t.Errorf("%d %s", status, text)
	}
	one.WaitLog("out")
}

// What a session is told of where it takes events lets others send events to that one, and to
// no other, where operators are named; operators may, and http.allow.
func TestEventsBySecret(t *testing.T) {
	one := sitetest.New(t, operators)
	two := one.AddDaemon()
	two.WaitLinks()
	document := one.Transitions("waits", `
		<transition event="ccxml.loaded"><log expr="'at ' + session.id + ' ' + session.ioprocessors['basichttp']"/></transition>
		<transition event="asked"><log expr="'asked'"/></transition>`)
	var ids, paths []string
	for range 2 {
		one.Trace.Reset()
		one.StartSession(document)
		one.WaitLog("at ")
		words := strings.Fields(one.Trace.Lines()[len(one.Trace.Lines())-1])
		at, err := url.Parse(words[3])
		one.Must(err)
		ids, paths = append(ids, words[2]), append(paths, at.Path)
	}
	one.Sleep(time.Second)
	for _, s := range []*sitetest.Site{one, two} {
		for _, test := range []struct {
			path, session string
			want          int
		}{
			{paths[0], ids[0], 204}, {paths[1], ids[0], 403}, {"/ccxml/basichttp/guess", ids[0], 403}, {"/ccxml/basichttp", ids[0], 403}, {paths[0], "none", 403},
		} {
			if status, text := s.Get(test.path + "?name=asked&sessionid=" + test.session); status != test.want {
				t.Errorf("%s for %s: %d %s, want %d", test.path, test.session, status, text, test.want)
			}
		}
		for path, want := range map[string]int{"/sessions_10": 403, "/ccxml/createsession": 405} {
			if status, _ := s.Get(path); status != want && want == 403 {
				t.Errorf("%s: %d", path, status)
			}
		}
	}
}

// The OpenAPI document names every path that is served, with who may.
func TestOpenAPI(t *testing.T) {
	one := sitetest.New(t)
	response, err := one.HTTPClient().Get("http://" + one.Daemon.HTTPAddress() + "/v1/openapi.json")
	one.Must(err)
	defer response.Body.Close()
	var document struct {
		OpenAPI string `json:"openapi"`
		Paths   map[string]map[string]struct {
			OperationID, Summary, Description string
			Security                          []any
		}
	}
	one.Must(json.NewDecoder(response.Body).Decode(&document))
	if !strings.HasPrefix(document.OpenAPI, "3.1") || len(document.Paths) < 15 {
		t.Fatalf("%+v", document)
	}
	for path, methods := range document.Paths {
		for method, o := range methods {
			if o.Summary == "" || !strings.HasPrefix(o.Description, "For the role ") || len(o.Security) == 0 {
				t.Errorf("%s %s: %+v", method, path, o)
			}
		}
	}
}

// The records of all controllers are found, the youngest first.
func TestFindRecords(t *testing.T) {
	one := sitetest.New(t, operators, sitetest.With("RECORDS_DIRECTORY", t.TempDir()))
	two := one.AddDaemon(sitetest.With("RECORDS_DIRECTORY", t.TempDir()))
	two.WaitLinks()
	var began time.Time
	for i, s := range []*sitetest.Site{one, two, one, two} {
		if i == 2 {
			s.Sleep(time.Second)
			began = s.Clock.Now()
		}
		party := s.DialFrom(fmt.Sprint(101+i), s.Transitions("waits", waits, "caller"))
		s.WaitLog("came")
		s.Sleep(time.Second)
		party.Hangup()
		s.WaitIdle()
		s.WaitSwitchIdle()
		s.Trace.Reset()
	}
	one.Sleep(time.Second)
	for query, want := range map[string]string{
		"?record=call":         "sip:104@127.0.0.1 sip:103@127.0.0.1 sip:102@127.0.0.1 sip:101@127.0.0.1",
		"?record=call&limit=2": "sip:104@127.0.0.1 sip:103@127.0.0.1",
		"?number=102":          "sip:102@127.0.0.1",
		"?number=999":          "",
		"?record=call&from=" + url.QueryEscape(began.UTC().Format(time.RFC3339)): "sip:104@127.0.0.1 sip:103@127.0.0.1",
		"?record=call&to=" + url.QueryEscape(began.UTC().Format(time.RFC3339)):   "sip:102@127.0.0.1 sip:101@127.0.0.1",
	} {
		var found api.List[struct{ Remote, Session string }]
		if status, text := as(two, "ann", "GET", "/v1/records"+query, "", &found); status != 200 {
			t.Fatalf("%s: %d %s", query, status, text)
		}
		var got []string
		for _, record := range found.Items {
			got = append(got, record.Remote)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
		if query == "?number=102" {
			var both api.List[json.RawMessage]
			if as(one, "ann", "GET", "/v1/records?session="+found.Items[0].Session, "", &both); len(both.Items) != 2 {
				t.Errorf("of a session and its call: %s", both.Items)
			}
		}
	}
}
