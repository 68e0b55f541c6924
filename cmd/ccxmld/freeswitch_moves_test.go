//go:build freeswitch

package main

import (
	"testing"

	"ccxmld/sessionstore/redistest"
)

// A connection goes to a session of another controller, alerting or connected,
// is under control there, and stays when the first controller ends.
func TestFreeSWITCHMove(t *testing.T) {
	for _, way := range []string{"alerting", "connected"} {
		t.Run(way, func(t *testing.T) {
			h := newRealHouse(t, withToken("guest.ccxml"), with("REDIS_URL", redistest.Real(t).URL))
			h.document("guest.ccxml", `
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
			other := &realHouse{house: h.another(), link: h.link}
			session := other.startToken("")
			h.document("incoming.ccxml", host(session, ways[way]))
			caller := h.caller()
			h.logged("moved true true false")
			other.logged("guest connected")
			other.logged("guest played")
			h.idle()
			h.stop()
			other.seen.forget()
			other.get("/ccxml/basichttp?sessionid=" + session + "&name=again")
			other.logged("guest played")
			other.get("/ccxml/basichttp?sessionid=" + session + "&name=over")
			other.logged("guest lost it by local")
			other.idle()
			h.gone(caller)
		})
	}
}
