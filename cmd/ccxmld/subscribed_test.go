package main

import (
	"math/rand/v2"
	"testing"

	"ccxmld/switchsim"
)

// subscription is a word of what a leg's socket subscribes to.
const subscription = "CHANNEL_UNHOLD"

// lateHouse is a house to which the sockets of legs come over lines.
func lateHouse(t *testing.T, options ...option) (*house, *slowLines) {
	t.Helper()
	var h *house
	var lines *slowLines
	h = newHouse(t, append([]option{func(p *plan) {
		lines = slowLinesOf(p, rand.New(rand.NewPCG(1, 1)), 0, func() string { return h.daemon.ESLAddress() })
		p.environment["ESL_ADVERTISE"] = lines.address()
	}}, options...)...)
	return h, lines
}

const tellsSignals = `
<transition event="connection.connected"><log expr="'connected'"/></transition>
<transition event="connection.signal"><log expr="event$.info.type + ' ' + event$.info.value"/></transition>
<transition event="over"><exit/></transition>`

// A document hears of the answer once FreeSWITCH tells of what it may react to: what
// the far end does in the first moment is not lost. That is so for a call that we
// place, and for one that the dialplan has answered.
func TestConnectedOnceSubscribed(t *testing.T) {
	t.Parallel()
	for _, outbound := range []bool{true, false} {
		t.Run(map[bool]string{true: "outbound", false: "answered by the dialplan"}[outbound], func(t *testing.T) {
			t.Parallel()
			h, lines := lateHouse(t, withToken("out.ccxml"))
			came, release := lines.holdText(subscription)
			t.Cleanup(release)
			var party *switchsim.Party
			if outbound {
				h.transitions("out.ccxml", `<transition event="ccxml.loaded"><log expr="'session ' + session.id"/><createcall dest="'tel:200'"/></transition>`+tellsSignals)
				h.sw.Callee("200", switchsim.Answers{})
				h.startToken("")
				callee, err := h.sw.WaitCallee(h.ctx, "200")
				h.must(err)
				party = callee
			} else {
				document := h.transitions("in.ccxml", `<transition event="connection.alerting"><log expr="'session ' + session.id"/><accept/></transition>`+tellsSignals)
				caller, err := h.sw.Dial(switchsim.Call{Dialplan: []switchsim.Action{
					{Application: "answer"},
					{Application: "set", Data: "ccxml_uri=" + document},
					{Application: "socket", Data: lines.address() + " async full"},
				}})
				h.must(err)
				party = caller
			}
			h.must(came.Wait(h.ctx))
			h.inject("meanwhile")
			if h.seen.has("connection.connected") {
				t.Error("the document is told of the answer before FreeSWITCH tells of anything else")
			}
			release()
			h.logged("connected")
			party.Hold(true)
			h.logged("hold")
			h.inject("over")
			h.idle()
		})
	}
}

// Of a call that is answered and ends before its socket tells of anything, the
// document hears both, also where the link tells of the end before the leg has come.
func TestAnsweredAndGone(t *testing.T) {
	t.Parallel()
	for name, held := range map[string]string{"before its socket comes": "connect", "before its socket tells": subscription} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, lines := lateHouse(t, withToken("out.ccxml"))
			h.sw.Callee("200", switchsim.Answers{})
			h.transitions("out.ccxml", `<transition event="ccxml.loaded"><createcall dest="'tel:200'"/></transition>
<transition event="connection.connected"><log expr="'connected'"/></transition>
<transition event="connection.disconnected"><exit/></transition>`)
			came, release := lines.holdText(held)
			t.Cleanup(release)
			h.startToken("")
			callee, err := h.sw.WaitCallee(h.ctx, "200")
			h.must(err)
			h.must(came.Wait(h.ctx))
			callee.Hangup()
			_, err = callee.WaitEnded(h.ctx)
			h.must(err)
			h.must(h.seen.wait(h.ctx, "event connection.disconnected"))
			h.logged("connected")
			release()
			h.idle()
		})
	}
}

// A digit that is pressed before, while and after a leg comes home from a bridge is told
// once each.
func TestDigitOnTheWayHome(t *testing.T) {
	t.Parallel()
	h, lines := lateHouse(t)
	h.sw.Callee("200", switchsim.Answers{})
	document := h.document("in.ccxml", `<ccxml version="1.0" xmlns="http://www.w3.org/2002/09/ccxml">
<var name="caller"/><var name="callee"/><eventprocessor>
<transition event="connection.alerting"><log expr="'session ' + session.id"/><assign name="caller" expr="event$.connectionid"/><accept/></transition>
<transition event="connection.connected" cond="event$.connectionid == caller"><createcall dest="'tel:200'" connectionid="callee"/></transition>
<transition event="connection.connected"><join id1="caller" id2="callee"/></transition>
<transition event="conference.joined"><log expr="'joined'"/></transition>
<transition event="apart"><unjoin id1="caller" id2="callee"/></transition>
<transition event="conference.unjoined"><log expr="'apart'"/></transition>
<transition event="connection.signal" cond="event$.connectionid == caller"><log expr="'digit ' + event$.info.value"/></transition>
<transition event="over"><exit/></transition></eventprocessor></ccxml>`)
	caller, err := h.sw.Dial(switchsim.Call{Sockets: []string{lines.address()}, Variables: map[string]string{"ccxml_uri": document}})
	h.must(err)
	h.logged("joined")
	came, release := lines.holdText("uuid_transfer")
	t.Cleanup(release)
	h.inject("apart")
	h.must(came.Wait(h.ctx))
	caller.Press("5")
	h.logged("digit 5")
	release()
	caller.Press("6")
	h.logged("digit 6")
	h.logged("apart")
	caller.Press("7")
	h.logged("digit 7")
	h.inject("over")
	h.idle()
	for _, digit := range []string{"5", "6", "7"} {
		told := 0
		for _, line := range h.seen.all() {
			if line == "log digit "+digit {
				told++
			}
		}
		if told != 1 {
			t.Errorf("the digit %s is told %d times", digit, told)
		}
	}
}
