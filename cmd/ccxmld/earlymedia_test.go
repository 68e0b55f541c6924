package main

import (
	"strings"
	"testing"
	"time"

	"ccxmld/esl/switchsim"
)

// early is a document that calls 200 for its caller, with attributes for
// createcall, and transitions of its own.
func early(attributes, transitions string) string {
	return `
<ccxml version="1.0" xmlns="http://www.w3.org/2002/09/ccxml"><var name="a"/><var name="b"/><eventprocessor>
<transition event="connection.alerting"><assign name="a" expr="event$.connectionid"/><accept/></transition>
<transition event="connection.connected" cond="event$.connectionid == a"><createcall dest="'tel:200'" connectionid="b" ` + attributes + `/></transition>
` + transitions + `
<transition event="connection.progressing"><log expr="'rings'"/></transition>
<transition event="connection.connected"><log expr="'answered, hears ' + (session.connections[b].input == a)"/></transition>
<transition event="conference.joined"><log expr="'joined ' + session.connections[b].state"/></transition>
<transition event="conference.unjoined"><log expr="'unjoined ' + session.connections[b].state"/></transition>
<transition event="connection.failed"><log expr="'failed: ' + event$.reason + ' ' + event$.info.sipstatus"/>
  <dialogstart connectionid="a" src="'null:?text=Nobody is there.'" type="'audio/wav'"/></transition>
<transition event="connection.disconnected" cond="event$.connectionid == b"><log expr="'b is gone'"/></transition>
<transition event="connection.disconnected"><exit/></transition>
<transition event="error.*"><log expr="event$.name + ' ' + event$.reason"/></transition>
</eventprocessor></ccxml>`
}

// silent makes a callee that has early media and does no more.
var silentEarly = switchsim.EarlyMedia{After: time.Second, AnswerAfter: -1}

// TestCAL9EarlyMedia: a caller hears the early media of the call that is made for
// him, before and after its answer.
func TestCAL9EarlyMedia(t *testing.T) {
	t.Parallel()
	for name, document := range map[string]string{
		"by joinid": early(`joinid="a"`, ""),
		"by join":   early("", `<transition event="connection.progressing" cond="event$.info.earlymedia"><join id1="a" id2="b"/></transition>`),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			h.sw.Callee("200", silentEarly)
			caller := h.dial(h.document("early.ccxml", document))
			callee, err := h.sw.WaitCallee(h.ctx, "200")
			h.must(err)
			h.hearsParty(caller, "200")
			if name == "by join" {
				h.logged("joined PROGRESSING")
			}
			if h.seen.has("answered") {
				t.Error("the call is answered already")
			}
			callee.Answer()
			h.logged("answered, hears true")
			h.hearsParty(caller, "200")
			callee.Hangup()
			h.logged("b is gone")
			caller.Hangup()
			h.idle()
			if h.seen.has("error.") {
				t.Errorf("seen: %s", strings.Join(h.seen.all(), "\n"))
			}
		})
	}
}

// A call that is refused after its early media fails with the reason, and the
// caller is there to be told.
func TestEarlyMediaThenRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		callee     switchsim.Behaviour
		attributes string
		failed     string
	}{
		"busy":    {switchsim.EarlyMedia{After: time.Second, AnswerAfter: 10 * time.Second, Refuses: 486}, `joinid="a"`, "failed: busy 486"},
		"timeout": {silentEarly, `joinid="a" timeout="'1s'"`, "failed: timeout"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			h.sw.Callee("200", c.callee)
			caller := h.dial(h.document("early.ccxml", early(c.attributes, "")))
			h.hearsParty(caller, "200")
			h.logged(c.failed)
			h.must(caller.WaitHeard(h.ctx, "Nobody is there."))
			caller.Hangup()
			h.idle()
			if h.seen.has("error.") || h.seen.has("answered") {
				t.Errorf("seen: %s", strings.Join(h.seen.all(), "\n"))
			}
		})
	}
}

// A bridge of early media can be taken away again; the answer comes all the same.
func TestEarlyMediaUnjoined(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.sw.Callee("200", silentEarly)
	caller := h.dial(h.document("early.ccxml", early("", `
<transition event="connection.progressing" cond="event$.info.earlymedia"><join id1="a" id2="b" duplex="'half'"/></transition>
<transition event="conference.joined"><log expr="'joined'"/><unjoin id1="a" id2="b"/></transition>`)))
	callee, err := h.sw.WaitCallee(h.ctx, "200")
	h.must(err)
	h.logged("joined")
	h.logged("unjoined PROGRESSING")
	callee.Answer()
	h.logged("answered, hears false")
	callee.Hangup()
	h.logged("b is gone")
	caller.Hangup()
	h.idle()
}

// Where the hint says so there is no early media, nor in a join.
func TestEarlyMediaIgnored(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.sw.Callee("200", silentEarly)
	caller := h.dial(h.document("early.ccxml", early(`hints="{earlymedia: false}"`, `
<transition event="connection.progressing"><log expr="'rings ' + event$.info.earlymedia"/><join id1="a" id2="b"/></transition>`)))
	callee, err := h.sw.WaitCallee(h.ctx, "200")
	h.must(err)
	h.logged("rings undefined")
	h.must(h.seen.waitFor(h.ctx, "has no early media yet; a join needs one that has some, or is connected"))
	callee.Answer()
	h.logged("answered, hears false")
	caller.Hangup()
	h.idle()
}

// A document that gives up a call with early media cancels it.
func TestEarlyMediaGivenUp(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.sw.Callee("200", silentEarly)
	caller := h.dial(h.document("early.ccxml", early(`joinid="a"`, `
<transition event="connection.progressing" cond="event$.info.earlymedia"><disconnect connectionid="b" reason="'enough'"/></transition>`)))
	callee, err := h.sw.WaitCallee(h.ctx, "200")
	h.must(err)
	ending, err := callee.WaitEnded(h.ctx)
	h.must(err)
	if ending.Cause != "ORIGINATOR_CANCEL" {
		t.Errorf("the call ended with %+v", ending)
	}
	h.logged("failed: enough")
	caller.Hangup()
	h.idle()
}
