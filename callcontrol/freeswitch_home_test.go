//go:build freeswitch

package callcontrol_test

import (
	"strings"
	"testing"
	"time"

	"ccxmld/sitetest"
)

// bridgedLegs is a document with two calls that are bridged, over sockets through a gate.
func bridgedLegs(t *testing.T, transitions string) (s *realSite, g *gate, a, b string) {
	t.Helper()
	s, g = gatedLegs(t, sitetest.WithToken("bridge.ccxml"), sitetest.WithTimeout(2*time.Minute),
		sitetest.With("DIAL_ROUTES", "[{match: 'tel:(.*)', dial: 'loopback/app=conference:far-$1@ccxmld'}]"))
	s.Document("bridge.ccxml", bridgeDocument(`
<transition event="ccxml.loaded"><log expr="'session ' + session.id"/><assign name="d" expr="0"/><createcall dest="'tel:1'" connectionid="a"/></transition>
<transition event="connection.connected" cond="event$.connectionid == a"><log expr="'a ' + a"/><createcall dest="'tel:2'" connectionid="b"/></transition>
<transition event="connection.connected"><log expr="'b ' + b"/><join id1="a" id2="b"/></transition>
`+transitions+`
<transition event="over"><exit/></transition>
<transition event="connection.disconnected"><log expr="'lost ' + event$.connectionid + ' ' + event$.reason"/></transition>
<transition event="error.*"><log expr="'error ' + event$.reason"/></transition>`))
	s.StartToken("")
	a, b = s.told("a "), s.told("b ")
	return s, g, a, b
}

// endBoth ends the document of bridgedLegs: both calls go with it, and nothing was lost
// or failed before.
func (s *realSite) endBoth(t *testing.T, a, b string) {
	t.Helper()
	s.Inject("over")
	began := time.Now()
	s.gone(a)
	s.gone(b)
	t.Logf("gone after %s", time.Since(began).Round(time.Millisecond))
	s.WaitIdle()
	if s.Trace.Has("log lost") || s.Trace.Has("log error") {
		t.Errorf("seen:\n%s", strings.Join(s.Trace.Lines(), "\n"))
	}
}

// A bridge whose sockets are cut, or that an operator ends, is over for both legs: the
// document is told, both can be used, and none of them is lost.
func TestFreeSWITCHBridgeEndedByOthers(t *testing.T) {
	operator := func(command string) func(s *realSite, g *gate, leg string) {
		return func(s *realSite, _ *gate, leg string) {
			words := strings.Fields(strings.Replace(command, "LEG", leg, 1))
			if reply := s.api(words[0], words[1:]...); !strings.HasPrefix(reply, "+OK") {
				s.Error(reply)
			}
		}
	}
	deeds := map[string]func(s *realSite, g *gate, leg string){
		"cut": func(_ *realSite, g *gate, _ string) {
			g.cut()
			g.reopen()
		},
	}
	for _, command := range []string{"uuid_park LEG", "uuid_transfer LEG park: inline", "uuid_transfer LEG echo: inline", "uuid_transfer LEG -both park: inline", "uuid_transfer LEG -bleg park: inline"} {
		deeds[command] = operator(command)
	}
	for name, deed := range deeds {
		t.Run(name, func(t *testing.T) {
			s, g, a, b := bridgedLegs(t, `
<transition event="conference.joined"><log expr="'joined ' + d"/></transition>
<transition event="conference.unjoined"><assign name="d" expr="d + 1"/><log expr="'apart ' + d"/>
  <dialogstart src="'tone_stream://%(200,0,440)'" type="'audio/wav'" connectionid="a"/>
  <dialogstart src="'tone_stream://%(200,0,440)'" type="'audio/wav'" connectionid="b"/></transition>
<transition event="dialog.exit"><log expr="(event$.connectionid == a ? 'a' : 'b') + ' played ' + event$.reason + ' ' + d"/></transition>
<transition event="again"><join id1="a" id2="b"/></transition>`)
			s.WaitLog("joined 0")
			for turn, leg := range []string{a, b} {
				n := string(rune('1' + turn))
				began := time.Now()
				deed(s, g, leg)
				s.WaitLog("apart " + n)
				t.Logf("told after %s", time.Since(began).Round(time.Millisecond))
				s.WaitLog("a played undefined " + n)
				s.WaitLog("b played undefined " + n)
				s.Inject("again")
				s.WaitLog("joined " + n)
			}
			s.endBoth(t, a, b)
		})
	}
}

// A leg can be bridged any number of times: it has one socket throughout, and is gone
// within a moment of its hangup.
func TestFreeSWITCHBridgeCycles(t *testing.T) {
	s, g, a, b := bridgedLegs(t, `
<transition event="conference.joined"><unjoin id1="a" id2="b"/></transition>
<transition event="conference.unjoined"><assign name="d" expr="d + 1"/><if cond="d &lt; 100"><join id1="a" id2="b"/><else/><log expr="'cycled'"/></if></transition>`)
	s.WaitLog("cycled")
	g.mu.Lock()
	if came := len(g.open) / 2; came != 2 {
		t.Errorf("two legs came by %d sockets", came)
	}
	g.mu.Unlock()
	s.endBoth(t, a, b)
}
