//go:build freeswitch

package callcontrol_test

import (
	"testing"

	"ccxmld/sessionstore/redistest"
	"ccxmld/sitetest"
)

// A connection goes to a session of another controller, alerting or connected,
// is under control there, and stays when the first controller ends.
func TestFreeSWITCHMove(t *testing.T) {
	for _, way := range []string{"alerting", "connected"} {
		t.Run(way, func(t *testing.T) {
			s := newRealSite(t, sitetest.WithToken("guest.ccxml"), sitetest.With("REDIS_URL", redistest.Real(t).URL))
			s.Document("guest.ccxml", `
<ccxml version="1.0"><var name="c"/><eventprocessor>
<transition event="connection.alerting"><log expr="'guest alerting'"/><accept/></transition>
<transition event="connection.connected"><assign name="c" expr="event$.connectionid"/><log expr="'guest connected'"/>
  <dialogstart connectionid="c" src="'tone_stream://%(200,0,440)'" type="'audio/wav'"/></transition>
<transition event="dialog.exit"><log expr="'guest played'"/></transition>
<transition event="error.dialog.*"><log expr="event$.reason"/><exit/></transition>
<transition event="again"><log expr="'again'"/><dialogstart connectionid="c" src="'tone_stream://%(200,0,880)'" type="'audio/wav'"/></transition>
<transition event="over"><disconnect connectionid="c"/></transition>
<transition event="connection.disconnected"><log expr="'guest lost it by ' + event$.trigger"/><exit/></transition>
</eventprocessor></ccxml>`)
			other := &realSite{Site: s.AddDaemon(), link: s.link}
			session := other.StartToken("")
			s.Document("incoming.ccxml", host(session, ways[way]))
			caller := s.caller()
			s.WaitLog("moved true true false")
			other.WaitLog("guest connected")
			other.WaitLog("guest played")
			s.WaitIdle()
			s.Stop()
			other.Trace.Reset()
			other.Get("/ccxml/basichttp?sessionid=" + session + "&name=again")
			other.WaitLog("guest played")
			other.Get("/ccxml/basichttp?sessionid=" + session + "&name=over")
			other.WaitLog("guest lost it by local")
			other.WaitIdle()
			s.gone(caller)
		})
	}
}
