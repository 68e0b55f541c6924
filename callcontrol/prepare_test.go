package callcontrol_test

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"ccxmld/clock"
	"ccxmld/sitetest"
)

// A page is fetched and compiled when its dialog is prepared, while the phone
// still rings, and not again when the dialog starts (DLG-4, DLG-14).
func TestPreparedPage(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	s := sitetest.New(t, sitetest.AllowDocuments("http://web"))
	s.Handle("web", func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if r.URL.Path != "/hello.vxml" {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write([]byte(`<vxml version="2.1"><form><block>Hello from a page.<exit expr="session.connection.ccxml.values.who"/></block></form></vxml>`))
	})
	caller := s.Dial(s.Document("prepare.ccxml", `
<ccxml version="1.0"><var name="d"/><var name="who" expr="'me'"/><eventprocessor>
<transition event="connection.alerting">
  <dialogprepare src="'http://web/hello.vxml'" dialogid="d" parameters="who"/>
  <dialogprepare src="'http://web/gone.vxml'"/></transition>
<transition event="dialog.prepared"><log expr="'prepared ' + event$.dialog.src.split('/').pop() + ' ' + event$.connectionid"/></transition>
<transition event="error.dialog.notprepared"><log expr="event$.reason"/><accept connectionid="session.connections[Object.keys(session.connections)[0]].connectionid"/></transition>
<transition event="connection.connected"><dialogstart prepareddialogid="d"/></transition>
<transition event="dialog.exit"><log expr="'exit ' + event$.values.expr"/><exit/></transition>
</eventprocessor></ccxml>`))
	s.WaitLog("prepared hello.vxml undefined")
	s.WaitLog("http://web/gone.vxml: HTTP 404")
	s.Must(caller.WaitHeard(s.Context(), "Hello from a page."))
	s.WaitLog("exit me")
	s.WaitIdle()
	if n := asked.Load(); n != 2 {
		t.Errorf("the server was asked %d times", n)
	}
}

// Started while the page is still on its way, terminated, and left behind by a
// call that ends.
func TestPrepareRaces(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t, sitetest.AllowDocuments("http://web"))
	release := clock.NewLatch(s.Clock)
	s.Handle("web", func(w http.ResponseWriter, r *http.Request) {
		_ = release.Wait(r.Context())
		_, _ = w.Write([]byte(`<vxml version="2.1"><form><block>At last.</block></form></vxml>`))
	})
	caller := s.Dial(s.Document("races.ccxml", `
<ccxml version="1.0"><var name="first"/><var name="second"/><var name="third"/><eventprocessor>
<transition event="connection.alerting"><accept/></transition>
<transition event="connection.connected">
  <dialogprepare src="'http://web/1.vxml'" dialogid="first"/>
  <dialogprepare src="'http://web/2.vxml'" dialogid="second"/>
  <dialogprepare src="'http://web/3.vxml'" dialogid="third" connectionid="event$.connectionid"/>
  <dialogstart prepareddialogid="first"/><dialogterminate dialogid="second"/></transition>
<transition event="dialog.*" cond="event$.dialogid == first"><log expr="'first ' + event$.name"/></transition>
<transition event="dialog.*" cond="event$.dialogid == second"><log expr="'second ' + event$.name"/></transition>
<transition event="dialog.*" cond="event$.dialogid == third"><log expr="'third ' + event$.name + ' ' + event$.reason"/></transition>
<transition event="connection.disconnected"><send target="session.id" name="'bye'" delay="'20ms'"/></transition>
<transition event="bye"><exit/></transition>
</eventprocessor></ccxml>`))
	s.WaitLog("second dialog.exit")
	release.Open()
	s.WaitLog("first dialog.started")
	s.Must(caller.WaitHeard(s.Context(), "At last."))
	s.WaitLog("first dialog.exit")
	s.WaitLog("third dialog.prepared")
	caller.Hangup()
	s.WaitLog("third dialog.exit the connection has ended")
	s.WaitIdle()
	if all := strings.Join(s.Trace.Lines(), "\n"); strings.Count(all, "log second") != 1 || strings.Count(all, "log first") != 3 {
		t.Errorf("too much or too little was told:\n%s", all)
	}
}
