package callcontrol

import (
	"slices"
	"testing"
	"testing/synctest"

	"ccxmld/clock/clocktest"
	"ccxmld/fetch"
	"ccxmld/interpreter"
)

// releases is a platform of sessions that have nothing to release.
type releases struct{ interpreter.Platform }

func (releases) Release() {}

// newSession makes a control of a controller that has nothing else, with a session
// whose document is not loaded: it does what it is given, until it is ended.
func newSession(t *testing.T) *control {
	t.Helper()
	root, places, err := fetch.ParsePlacedXML([]byte(`<ccxml version="1.0"><eventprocessor><transition/></eventprocessor></ccxml>`), "test.ccxml", fetch.XMLLimits{})
	if err != nil {
		t.Fatal(err)
	}
	document, err := interpreter.NewCompiler().CompileSource(interpreter.Source{Root: root, URI: "test.ccxml", Places: places})
	if err != nil {
		t.Fatal(err)
	}
	c, _ := askedController()
	session := interpreter.NewSession(interpreter.Options{ID: "s", Document: document, Platform: releases{}, Clock: clocktest.Real()})
	t.Cleanup(func() {
		session.End("the test is over")
		<-session.Done()
	})
	return &control{controller: c, session: session, legs: make(map[string]*leg)}
}

// toldOf is what a document has been told of a connection in a state of its leg.
var toldOf = map[legState]connectionState{
	legAlerting: connectionAlerting, legWaiting: connectionPlaced, legDialing: connectionPlaced, legRinging: connectionProgressing,
	legMedia: connectionEarly, legAttaching: connectionPlaced, legAttachingEarly: connectionEarly, legEarly: connectionEarly,
	legConnected: connectionConnected, legGone: connectionDisconnected,
}

// put puts a leg into a state, whatever it was in.
func (l *leg) put(state legState) *leg {
	l.state = legStates.At(state)
	return l
}

// bare is a leg in a state that has nothing else.
func bare(state legState) *leg { return new(Controller).newLeg("", state) }

// newLeg makes a leg of the session's.
func (c *control) newLeg(id string, state legState) *leg {
	l := c.controller.newLeg(id, state)
	l.control = c
	l.connection = connectionStates.At(toldOf[state])
	c.legs[id] = l
	l.bind(c)
	return l
}

// What happens on a leg while it is handed over is for the session that gets it, in
// the order in which it happened: what the giver did not get to, and what came
// when nobody had the leg.
func TestMailOfALegThatIsHandedOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		giver, taker := newSession(t), newSession(t)
		l := new(leg)
		route := &l.route
		var got []string
		mail := func(name string) func() { return func() { got = append(got, name) } }
		l.bind(giver)
		goOn := make(chan struct{})
		giver.session.Do(func() {
			<-goOn
			route.suspend()
		})
		route.do(mail("not got to"))
		close(goOn)
		synctest.Wait()
		if !route.do(mail("while nobody has it")) {
			t.Error("mail is refused while the leg is handed over")
		}
		synctest.Wait()
		if len(got) > 0 {
			t.Errorf("done before the leg has come: %q", got)
		}
		l.bind(taker)
		route.do(mail("after"))
		synctest.Wait()
		if want := []string{"not got to", "while nobody has it", "after"}; !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

// Mail that is still with the giver when the taker has the leg already is passed on.
func TestMailThatTheGiverStillHas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		giver, taker := newSession(t), newSession(t)
		l := new(leg)
		route := &l.route
		done := 0
		l.bind(giver)
		goOn := make(chan struct{})
		giver.session.Do(func() { <-goOn })
		route.do(func() { done++ })
		route.suspend()
		l.bind(taker)
		close(goOn)
		synctest.Wait()
		if done != 1 {
			t.Errorf("done %d times", done)
		}
	})
}

// Who asks of a leg is told if the session that was to get the leg has ended, and
// if the giver ends while the handover waits for its turn and is called off.
func TestMailThatIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, end := range []string{"taker", "giver"} {
			giver, taker := newSession(t), newSession(t)
			ended := map[string]*control{"giver": giver, "taker": taker}[end]
			ended.session.End("of the test")
			<-ended.session.Done()
			l := new(leg)
			route := &l.route
			l.bind(giver)
			route.leave()
			if end == "taker" {
				route.suspend()
			}
			did, lost := 0, 0
			route.ask(func() { did++ }, func() { lost++ })
			synctest.Wait()
			if did+lost > 0 {
				t.Errorf("%s: told before it is known who has the leg: %d, %d", end, did, lost)
			}
			if end == "taker" {
				l.bind(taker)
			} else {
				route.stay()
			}
			synctest.Wait()
			if did != 0 || lost != 1 {
				t.Errorf("%s: done %d times, lost %d times", end, did, lost)
			}
		}
	})
}
