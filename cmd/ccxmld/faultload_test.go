package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"ccxmld/switchsim"
)

// faultAgain has a document try again in a second, once.
const faultAgain = `<if cond="!waits"><assign name="waits" expr="event$.name + ': ' + event$.reason"/><send target="session.id" targettype="'ccxml'" name="'again'" delay="'1s'"/></if>`

// faultDocuments are the documents of the load, by their names. None of them hangs up:
// a call that ends otherwise than by its caller is lost. What fails is tried again a second
// later, so that each call gets to where it belongs once a fault is over. Two
// connections are joined on one node only: a callee on the other is called again.
var faultDocuments = map[string]string{
	"prompt": `<var name="n"/><eventprocessor>
<transition event="connection.alerting"><assign name="n" expr="event$.connection.remote.replace(/^sip:(\d+).*/, '$1')"/><accept/></transition>
<transition event="connection.connected"><dialogstart src="'tone_stream://%(300000,0,440)'" type="'audio/wav'"/></transition>
<transition event="dialog.started"><log expr="'ready ' + n"/></transition>
<transition event="connection.signal"><log expr="'digit ' + n"/></transition>
<transition event="connection.disconnected"><exit/></transition>
<transition event="error.*"><log expr="'failed ' + event$.name + ': ' + event$.reason"/></transition></eventprocessor>`,

	"bridge": `<var name="n"/><var name="c"/><var name="d"/><var name="up" expr="false"/><var name="waits" expr="false"/><eventprocessor>
<transition event="connection.alerting"><assign name="n" expr="event$.connection.remote.replace(/^sip:(\d+).*/, '$1')"/><assign name="c" expr="event$.connectionid"/><accept/></transition>
<transition event="connection.connected" cond="event$.connectionid == c"><createcall dest="'tel:9' + n" connectionid="d"/></transition>
<transition event="connection.connected"><assign name="up" expr="true"/><join id1="c" id2="event$.connectionid"/></transition>
<transition event="conference.joined"><log expr="'ready ' + n"/></transition>
<transition event="connection.disconnected" cond="event$.connectionid == c"><exit/></transition>
<transition event="connection.failed" cond="event$.connectionid == c"><exit/></transition>
<transition event="again" cond="up"><log expr="'failed ' + waits"/><assign name="waits" expr="false"/><join id1="c" id2="d"/></transition>
<transition event="again"><log expr="'failed ' + waits"/><assign name="waits" expr="false"/><createcall dest="'tel:9' + n" connectionid="d"/></transition>
<transition event="connection.disconnected"><assign name="up" expr="false"/>` + faultAgain + `</transition>
<transition event="connection.failed"><assign name="up" expr="false"/>` + faultAgain + `</transition>
<transition event="error.conference.join" cond="event$.reason.indexOf('one connection is on') == 0"><disconnect connectionid="d"/></transition>
<transition event="conference.unjoined">` + faultAgain + `</transition>
<transition event="error.*">` + faultAgain + `</transition></eventprocessor>`,

	"room": `<var name="n"/><var name="c"/><var name="r"/><var name="waits" expr="false"/><eventprocessor>
<transition event="connection.alerting"><assign name="n" expr="event$.connection.remote.replace(/^sip:(\d+).*/, '$1')"/><assign name="c" expr="event$.connectionid"/><accept/></transition>
<transition event="connection.connected"><createconference conferenceid="r" confname="'room ' + n % 3"/></transition>
<transition event="again"><log expr="'failed ' + waits"/><assign name="waits" expr="false"/><createconference conferenceid="r" confname="'room ' + n % 3"/></transition>
<transition event="conference.created"><join id1="c" id2="r"/></transition>
<transition event="conference.joined"><log expr="'ready ' + n"/></transition>
<transition event="connection.disconnected"><exit/></transition>
<transition event="connection.failed"><exit/></transition>
<transition event="conference.unjoined">` + faultAgain + `</transition>
<transition event="error.*">` + faultAgain + `</transition></eventprocessor>`,

	"outbound": `<eventprocessor>
<transition event="ccxml.loaded"><createcall dest="'tel:' + session.values.n"/></transition>
<transition event="connection.connected"><dialogstart src="'tone_stream://%(300000,0,440)'" type="'audio/wav'"/></transition>
<transition event="dialog.started"><log expr="'ready ' + session.values.n"/></transition>
<transition event="connection.disconnected"><exit/></transition>
<transition event="connection.failed"><log expr="'failed ' + event$.name + ': ' + event$.reason"/><exit/></transition>
<transition event="error.*"><log expr="'failed ' + event$.name + ': ' + event$.reason"/></transition></eventprocessor>`,

	"later": `<eventprocessor>
<transition event="ccxml.loaded"><send target="session.id" targettype="'ccxml'" name="'due'" delay="session.values.delay + 'ms'"/></transition>
<transition event="due"><log expr="'due ' + session.values.n"/><exit/></transition>
<transition event="error.*"><log expr="'failed ' + event$.name + ': ' + event$.reason"/><exit/></transition></eventprocessor>`,
}

// faultCall is a call of the load.
type faultCall struct {
	caller  *switchsim.Party
	kind    string
	node    int
	ready   time.Time // when its document was seen to say so
	settled bool      // before the fault: it may not be lost
	presses int
}

// faultSend is a delayed send of the load.
type faultSend struct {
	name         string
	started, due time.Time
}

// mostFaultCalls is how many calls there are at a time.
const mostFaultCalls = 30

// run lets calls come, be placed and end for a time.
func (s *faultSite) run(d time.Duration) {
	s.Helper()
	for end := time.Now().Add(d); time.Now().Before(end); s.pace() {
		switch n := s.random.IntN(12); {
		case n < 7 && len(s.calls) < mostFaultCalls:
			s.dial([]string{"prompt", "prompt", "bridge", "bridge", "room", "room", "room"}[n])
		case n == 7:
			number := s.number()
			answers := switchsim.Answers{After: s.between(0, 3*time.Second), HangupAfter: s.between(time.Second, s.longest)}
			for _, n := range s.nodes {
				n.Callee(number, answers)
			}
			s.startSession("outbound?n=" + number)
		case n < 10:
			delay := s.between(0, s.longest)
			send := &faultSend{name: s.number(), started: time.Now()}
			send.due = send.started.Add(delay)
			if s.startSession(fmt.Sprintf("later?n=%s&delay=%d", send.name, delay.Milliseconds())) {
				s.sends = append(s.sends, send)
			}
		case len(s.calls) > 0:
			i := s.random.IntN(len(s.calls))
			s.calls[i].caller.Hangup()
			s.calls = slices.Delete(s.calls, i, i+1)
		}
	}
}

// pace waits between two calls.
func (s *faultSite) pace() {
	timer := time.NewTimer(s.between(20*time.Millisecond, 500*time.Millisecond))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.Context().Done():
		s.FailNow()
	}
}

func (s *faultSite) between(least, most time.Duration) time.Duration {
	return least + time.Duration(s.random.Int64N(int64((most-least)/time.Millisecond)))*time.Millisecond
}

func (s *faultSite) number() string {
	s.numbers++
	return fmt.Sprint(1000 + s.numbers)
}

func (s *faultSite) some() *faultController { return s.living[s.random.IntN(len(s.living))] }

// dial has a call come to some controller, and to the others where that refuses.
func (s *faultSite) dial(kind string) {
	s.Helper()
	var sockets []string
	first := s.random.IntN(len(s.living))
	for i := range s.living {
		sockets = append(sockets, s.living[(first+i)%len(s.living)].esl)
	}
	call := &faultCall{kind: kind, node: s.random.IntN(len(s.nodes))}
	var err error
	call.caller, err = s.nodes[call.node].Dial(switchsim.Call{From: s.number(), Sockets: sockets,
		Variables: map[string]string{"ccxml_uri": "file://" + s.dir + "/" + kind + ".ccxml"}})
	if err != nil { // the node is away
		s.refused++
		return
	}
	s.calls = append(s.calls, call)
}

// startSession starts a session by its token on some controller.
func (s *faultSite) startSession(request string) bool {
	text, err := s.some().ask("/CCXML10.start?tokenid=" + strings.Replace(request, "?", "&", 1))
	if err != nil || !strings.HasPrefix(text, "success") {
		s.refused++
		return false
	}
	return true
}

// ask makes an HTTP request, to which a controller that is stopped does not answer.
func (c *faultController) ask(path string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+c.http+path, nil)
	if err != nil {
		return "", err
	}
	request.Close = true
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return string(text), err
}

// note finds the calls that have been where they belong for a second: their sessions are
// written down, and no fault may take them away.
func (s *faultSite) note() {
	for _, call := range s.calls {
		if call.ready.IsZero() && s.said.count("ready "+call.caller.Number()) > 0 {
			call.ready = time.Now()
		}
	}
}

func (s *faultSite) noteSettled() {
	s.note()
	for _, call := range s.calls {
		call.settled = !call.ready.IsZero() && time.Since(call.ready) > time.Second
	}
}
