package main

import (
	"strings"
	"testing"

	"ccxmld/switchsim"
)

// Calls that are given up while they wait for their turn do not keep others from
// theirs: with one call a second, the last one would come after a minute and a half.
func TestGivenUpCallsHaveNoTurn(t *testing.T) {
	t.Parallel()
	h := newHouse(t, with("LIMITS_ORIGINATES_PER_SECOND", "1"), withToken("out.ccxml"), withPatience(2*patience))
	h.sw.Callee("200", switchsim.Undecided{})
	h.sw.Callee("201", switchsim.Answers{})
	h.document("out.ccxml", `<ccxml version="1.0" xmlns="http://www.w3.org/2002/09/ccxml">
<var name="id"/><var name="n" expr="0"/><var name="left" expr="91"/><eventprocessor>
<transition event="ccxml.loaded"><send target="session.id" name="'another'"/></transition>
<transition event="another" cond="n++ &lt; 90"><createcall dest="'tel:200'" connectionid="id"/><disconnect connectionid="id"/><send target="session.id" name="'another'"/></transition>
<transition event="another"><createcall dest="'tel:201'" timeout="'30s'"/></transition>
<transition event="connection.failed" cond="event$.reason == 'disconnected'"><assign name="left" expr="left - 1"/></transition>
<transition event="connection.failed"><log expr="event$.reason + ': ' + event$.detail"/><exit/></transition>
<transition event="connection.connected"><log expr="'answered, ' + left"/><exit/></transition></eventprocessor></ccxml>`)
	h.startToken("")
	h.logged("answered, 1")
	h.idle()
	placed := 0
	for _, line := range h.log.all() {
		if strings.Contains(line, "msg=originate") {
			placed++
		}
	}
	if placed > 2 {
		t.Errorf("%d calls that were given up were placed", placed-1)
	}
}

// When as many calls wait as may, the next one fails at once, and says why.
func TestTooManyCallsWait(t *testing.T) {
	t.Parallel()
	h := newHouse(t, with("LIMITS_ORIGINATES_PER_SECOND", "1"), with("LIMITS_ORIGINATES_WAITING", "1"), withToken("out.ccxml"))
	h.sw.Callee("200", switchsim.NoAnswer{})
	h.transitions("out.ccxml", `
<transition event="ccxml.loaded"><createcall dest="'tel:200'"/><createcall dest="'tel:200'"/><createcall dest="'tel:200'"/></transition>
<transition event="connection.failed"><log expr="event$.reason + ': ' + event$.detail"/><exit/></transition>`)
	h.startToken("")
	h.logged("unreachable: no FreeSWITCH node takes a call (sim: 1 calls wait for their turn there already")
	h.idle()
}

// The calls that bring dialogs to conferences, and join these, take turns as others do.
func TestStandInsTakeTurns(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]string{
		"dialog": `<dialogstart conferenceid="one" src="'null:?text=Hello.'" type="'audio/wav'"/>`,
		"join":   `<join id1="one" id2="two"/>`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, with("LIMITS_ORIGINATES_PER_SECOND", "1"), with("LIMITS_ORIGINATES_WAITING", "1"), withToken("out.ccxml"))
			h.sw.Callee("200", switchsim.NoAnswer{})
			h.document("out.ccxml", `<ccxml version="1.0" xmlns="http://www.w3.org/2002/09/ccxml"><var name="one"/><var name="two"/><var name="n" expr="0"/><eventprocessor>
<transition event="ccxml.loaded"><createconference conferenceid="one"/><createconference conferenceid="two"/></transition>
<transition event="conference.created" cond="++n == 2"><createcall dest="'tel:200'"/><createcall dest="'tel:200'"/>`+start+`</transition>
<transition event="error.*"><log expr="event$.name + ': ' + event$.reason"/><exit/></transition></eventprocessor></ccxml>`)
			h.startToken("")
			h.must(h.seen.waitFor(h.ctx, "1 calls wait for their turn there already"))
			h.idle()
		})
	}
}

// One that comes to its turn is placed.
func TestStandInsTurnComes(t *testing.T) {
	t.Parallel()
	h := newHouse(t, with("LIMITS_ORIGINATES_PER_SECOND", "1"), withToken("out.ccxml"))
	h.sw.Callee("200", switchsim.NoAnswer{})
	h.document("out.ccxml", `<ccxml version="1.0" xmlns="http://www.w3.org/2002/09/ccxml"><var name="one"/><var name="two"/><var name="n" expr="0"/><var name="done" expr="0"/><eventprocessor>
<transition event="ccxml.loaded"><createconference conferenceid="one"/><createconference conferenceid="two"/></transition>
<transition event="conference.created" cond="++n == 2"><createcall dest="'tel:200'"/>
 <dialogstart conferenceid="one" src="'null:?text=Hello.'" type="'audio/wav'"/><join id1="one" id2="two"/></transition>
<transition event="conference.joined"><log expr="'joined'"/><if cond="++done == 2"><exit/></if></transition>
<transition event="dialog.started"><log expr="'started'"/><if cond="++done == 2"><exit/></if></transition>
<transition event="error.*"><log expr="event$.name + ': ' + event$.reason"/><exit/></transition></eventprocessor></ccxml>`)
	h.startToken("")
	h.logged("joined")
	h.logged("started")
	h.idle()
}
