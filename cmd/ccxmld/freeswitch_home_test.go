//go:build freeswitch

package main

import (
	"strings"
	"testing"
	"time"
)

// bridgedLegs is a document with two calls that are bridged, over sockets through a gate.
func bridgedLegs(t *testing.T, transitions string) (h *realHouse, g *gate, a, b string) {
	t.Helper()
	h, g = gatedLegs(t, withToken("bridge.ccxml"), withPatience(2*time.Minute),
		with("DIAL_ROUTES", "[{match: 'tel:(.*)', dial: 'loopback/app=conference:far-$1@ccxmld'}]"))
	h.document("bridge.ccxml", bridgeDocument(`
<transition event="ccxml.loaded"><log expr="'session ' + session.id"/><assign name="d" expr="0"/><createcall dest="'tel:1'" connectionid="a"/></transition>
<transition event="connection.connected" cond="event$.connectionid == a"><log expr="'a ' + a"/><createcall dest="'tel:2'" connectionid="b"/></transition>
<transition event="connection.connected"><log expr="'b ' + b"/><join id1="a" id2="b"/></transition>
`+transitions+`
<transition event="over"><exit/></transition>
<transition event="connection.disconnected"><log expr="'lost ' + event$.connectionid + ' ' + event$.reason"/></transition>
<transition event="error.*"><log expr="'error ' + event$.reason"/></transition>`))
	h.startToken("")
	a, b = h.told("a "), h.told("b ")
	return h, g, a, b
}

// endBoth ends the document of bridgedLegs: both calls go with it, and nothing was lost
// or failed before.
func (h *realHouse) endBoth(t *testing.T, a, b string) {
	t.Helper()
	h.inject("over")
	began := time.Now()
	h.gone(a)
	h.gone(b)
	t.Logf("gone after %s", time.Since(began).Round(time.Millisecond))
	h.idle()
	if h.seen.has("log lost") || h.seen.has("log error") {
		t.Errorf("seen:\n%s", strings.Join(h.seen.all(), "\n"))
	}
}

// A bridge whose sockets are cut, or that an operator ends, is over for both legs: the
// document is told, both can be used, and none of them is lost.
func TestFreeSWITCHBridgeEndedByOthers(t *testing.T) {
	operator := func(command string) func(h *realHouse, g *gate, leg string) {
		return func(h *realHouse, _ *gate, leg string) {
			words := strings.Fields(strings.Replace(command, "LEG", leg, 1))
			if reply := h.api(words[0], words[1:]...); !strings.HasPrefix(reply, "+OK") {
				h.Error(reply)
			}
		}
	}
	deeds := map[string]func(h *realHouse, g *gate, leg string){
		"cut": func(_ *realHouse, g *gate, _ string) {
			g.cut()
			g.reopen()
		},
	}
	for _, command := range []string{"uuid_park LEG", "uuid_transfer LEG park: inline", "uuid_transfer LEG echo: inline", "uuid_transfer LEG -both park: inline", "uuid_transfer LEG -bleg park: inline"} {
		deeds[command] = operator(command)
	}
	for name, deed := range deeds {
		t.Run(name, func(t *testing.T) {
			h, g, a, b := bridgedLegs(t, `
<transition event="conference.joined"><log expr="'joined ' + d"/></transition>
<transition event="conference.unjoined"><assign name="d" expr="d + 1"/><log expr="'apart ' + d"/>
  <dialogstart src="'tone_stream://%(200,0,440)'" type="'audio/wav'" connectionid="a"/>
  <dialogstart src="'tone_stream://%(200,0,440)'" type="'audio/wav'" connectionid="b"/></transition>
<transition event="dialog.exit"><log expr="(event$.connectionid == a ? 'a' : 'b') + ' played ' + event$.reason + ' ' + d"/></transition>
<transition event="again"><join id1="a" id2="b"/></transition>`)
			h.logged("joined 0")
			for turn, leg := range []string{a, b} {
				n := string(rune('1' + turn))
				began := time.Now()
				deed(h, g, leg)
				h.logged("apart " + n)
				t.Logf("told after %s", time.Since(began).Round(time.Millisecond))
				h.logged("a played undefined " + n)
				h.logged("b played undefined " + n)
				h.inject("again")
				h.logged("joined " + n)
			}
			h.endBoth(t, a, b)
		})
	}
}

// A leg can be bridged any number of times: it has one socket throughout, and is gone
// within a moment of its hangup.
func TestFreeSWITCHBridgeCycles(t *testing.T) {
	h, g, a, b := bridgedLegs(t, `
<transition event="conference.joined"><unjoin id1="a" id2="b"/></transition>
<transition event="conference.unjoined"><assign name="d" expr="d + 1"/><if cond="d &lt; 100"><join id1="a" id2="b"/><else/><log expr="'cycled'"/></if></transition>`)
	h.logged("cycled")
	g.mu.Lock()
	if came := len(g.open) / 2; came != 2 {
		t.Errorf("two legs came by %d sockets", came)
	}
	g.mu.Unlock()
	h.endBoth(t, a, b)
}
