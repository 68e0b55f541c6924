package main

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"ccxmld/clock"
	"ccxmld/switchsim"
)

// These tests are about legs that no document knows, about what is said of calls
// that are over, and about what FreeSWITCH never answers.

// loopbacks are the ids of the loopback calls of a switch.
func (h *house) loopbacks() (ids []string) {
	for line := range strings.Lines(h.sw.API("show channels")) {
		if id, rest, ok := strings.Cut(line, ","); ok && strings.Contains(rest, "loopback/") {
			ids = append(ids, id)
		}
	}
	return ids
}

// hallAndRoom joins two conferences, and does what is asked for by keys.
const hallAndRoom = `<ccxml version="1.0" xmlns="http://www.w3.org/2002/09/ccxml">
<var name="room"/><var name="hall"/><var name="a"/><var name="b"/><var name="n" expr="0"/><eventprocessor>
<transition event="connection.alerting"><assign name="a" expr="event$.connectionid"/><accept/></transition>
<transition event="connection.connected" cond="event$.connectionid == a"><createconference conferenceid="room" confname="'room'"/></transition>
<transition event="conference.created" cond="n++ == 0"><createconference conferenceid="hall" confname="'hall'"/></transition>
<transition event="conference.created">%s</transition>
<transition event="conference.joined"><log expr="'joined ' + event$.id1 + ' ' + event$.id2"/></transition>
<transition event="dialog.started"><log expr="'started'"/></transition>
<transition event="conference.unjoined"><log expr="'unjoined ' + event$.id1 + ' ' + event$.id2"/></transition>
<transition event="dialog.exit"><log expr="'exit'"/></transition>
<transition event="connection.signal" cond="event$.info.value == '5'"><join id1="room" id2="hall"/></transition>
<transition event="connection.disconnected"><exit/></transition>
<transition event="error.*"><log expr="'refused: ' + event$.reason"/></transition></eventprocessor></ccxml>`

// A hidden leg that FreeSWITCH or an operator hangs up is told of: the two conferences
// are not joined any more, and can be again; the dialog has ended.
func TestHiddenLegIsHungUp(t *testing.T) {
	t.Parallel()
	t.Run("of two conferences", func(t *testing.T) {
		t.Parallel()
		h := newHouse(t)
		caller := h.dial(h.document("in.ccxml", fmt.Sprintf(hallAndRoom, `<join id1="room" id2="hall"/>`)))
		h.logged("joined conference:room conference:hall")
		for _, id := range h.loopbacks() {
			h.sw.API("uuid_kill " + id)
		}
		h.logged("unjoined conference:room conference:hall")
		h.seen.forget()
		caller.Press("5")
		h.logged("joined conference:room conference:hall")
		caller.Hangup()
		h.idle()
		rosterIsEmpty(h)
	})
	t.Run("of two conferences while the link is down", func(t *testing.T) {
		t.Parallel()
		h := newHouse(t)
		caller := h.dial(h.document("in.ccxml", fmt.Sprintf(hallAndRoom, `<join id1="room" id2="hall"/>`)))
		h.logged("joined conference:room conference:hall")
		address := h.sw.Addr()
		h.sw.CloseLinks()
		for _, id := range h.loopbacks() {
			h.sw.API("uuid_kill " + id)
		}
		h.must(h.sw.Listen(address))
		h.logged("unjoined conference:room conference:hall")
		caller.Hangup()
		h.idle()
	})
	t.Run("of a dialog", func(t *testing.T) {
		t.Parallel()
		h := newHouse(t)
		h.sw.AddSound("/sounds/long.wav", 1000*time.Hour)
		caller := h.dial(h.document("in.ccxml", fmt.Sprintf(hallAndRoom, `<join id1="room" id2="a"/><dialogstart conferenceid="room" src="'/sounds/long.wav'" type="'audio/wav'"/>`)))
		h.logged("started")
		for _, id := range h.loopbacks() {
			h.sw.API("uuid_kill " + id)
		}
		h.logged("exit")
		caller.Hangup()
		h.idle()
	})
}

// A job whose result never comes ends in an event all the same, and the result in
// nothing when it comes at last.
func TestJobIsLost(t *testing.T) {
	t.Parallel()
	for _, fate := range []switchsim.JobFate{switchsim.JobUntold, switchsim.JobKept} {
		h := newHouse(t, func(p *plan) {
			p.sw.Job = func(name, _ string) switchsim.JobFate {
				if name == "originate" {
					return fate
				}
				return switchsim.JobDone
			}
		})
		caller := h.dial(h.document("in.ccxml", fmt.Sprintf(hallAndRoom, `<join id1="room" id2="hall"/>`)))
		h.logged("refused: FreeSWITCH did not say within 15s")
		h.sw.ReleaseJobs()
		h.until("no loopback call is left", func() bool { return len(h.loopbacks()) == 0 })
		caller.Hangup()
		h.idle()
		if n := h.seen.count("log refused"); n != 1 || h.seen.has("joined") {
			t.Errorf("seen:\n%s", strings.Join(h.seen.all(), "\n"))
		}
	}
}

// A leg whose socket falls silent while it is set up is fetched over the link; what
// the document has asked of it meanwhile is done.
func TestSocketSilentWhileSetUp(t *testing.T) {
	t.Parallel()
	var silent atomic.Bool
	h := newHouse(t, withToken("out.ccxml"), func(p *plan) {
		p.sw.Silence = func(_, command string) bool {
			return strings.HasPrefix(command, "api uuid_setvar_multi") && !silent.Swap(true)
		}
	})
	h.sw.Callee("200", switchsim.Answers{})
	h.sw.AddSound("/sounds/hello.wav", time.Second)
	h.document("out.ccxml", `<ccxml version="1.0" xmlns="http://www.w3.org/2002/09/ccxml"><var name="c"/><eventprocessor>
<transition event="ccxml.loaded"><createcall dest="'tel:200'" connectionid="c"/></transition>
<transition event="connection.connected"><dialogstart connectionid="c" src="'/sounds/hello.wav'" type="'audio/wav'"/></transition>
<transition event="dialog.exit"><log expr="'played'"/><exit/></transition>
<transition event="error.*"><log expr="event$.reason"/><exit/></transition>
<transition event="connection.failed"><log expr="event$.reason"/><exit/></transition></eventprocessor></ccxml>`)
	h.startToken("")
	callee, err := h.sw.WaitCallee(h.ctx, "200")
	h.must(err)
	h.must(callee.WaitHeard(h.ctx, "/sounds/hello.wav"))
	h.logged("played")
	h.idle()
}

// A call that was given up on one node, and placed on another, and that the first
// node places at last: its callee is hung up, and the call that goes on notices
// nothing.
func TestLateAttempt(t *testing.T) {
	t.Parallel()
	var kept *clock.Latch
	h := newNodesHouse(t, 1000, 1, func(p *plan) {
		kept = clock.NewLatch(p.site.Clock)
		p.sw.Job = func(name, _ string) switchsim.JobFate {
			if name == "originate" {
				kept.Open()
				return switchsim.JobKept
			}
			return switchsim.JobDone
		}
	})
	h.sw.Callee("200", switchsim.Answers{})
	h.second.Callee("200", switchsim.Answers{})
	h.document("out.ccxml", `<ccxml version="1.0" xmlns="http://www.w3.org/2002/09/ccxml"><eventprocessor>
<transition event="ccxml.loaded"><createcall dest="'tel:200'"/></transition>
<transition event="connection.connected"><log expr="'answered'"/></transition>
<transition event="connection.*"><log expr="event$.name"/></transition>
<transition event="connection.disconnected"><exit/></transition></eventprocessor></ccxml>`)
	h.startToken("")
	h.must(kept.Wait(h.ctx))
	address := h.sw.Addr()
	h.sw.CloseLinks()
	callee, err := h.second.WaitCallee(h.ctx, "200")
	h.must(err)
	h.logged("answered")
	h.log.forget()
	h.must(h.sw.Listen(address))
	h.must(h.log.waitFor(h.ctx, "node link is up"))
	h.sw.ReleaseJobs()
	late, err := h.sw.WaitCallee(h.ctx, "200")
	h.must(err)
	_, err = late.WaitEnded(h.ctx)
	h.must(err)
	h.until("nothing is left of it", func() bool { return h.sw.Channels() == 0 })
	if h.second.Channels() != 1 || h.seen.has("disconnected") {
		t.Errorf("the call that goes on has noticed:\n%s", strings.Join(h.seen.all(), "\n"))
	}
	callee.Hangup()
	h.must(h.seen.wait(h.ctx, "log connection.disconnected"))
	h.stop()
	if n := slices.Index(h.seen.all(), "event connection.failed"); n >= 0 {
		t.Errorf("seen:\n%s", strings.Join(h.seen.all(), "\n"))
	}
}
