package callcontrol_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"ccxmld/callcontrol"
	"ccxmld/clock"
	"ccxmld/interpreter"
	"ccxmld/sitetest"
	"ccxmld/switchsim"
)

// switchboard is a document with the connections a (the caller), b and c and the
// conference m, that does what events tell it: user.join and user.unjoin with the
// names of two of them; user.destroy, with the name of one that is to join m then. It tells what each of the session's objects shows.
const switchboard = `
<ccxml version="1.0" xmlns="http://www.w3.org/2002/09/ccxml">
<script><![CDATA[
  var ids = {};
  function nameOf(id) {
    for (var name in ids) { if (ids[name] == id) return name; }
    return id ? 'somebody' : '';
  }
  function names(list) { return list.map(nameOf).sort().join(''); }
  function show() {
    var text = [];
    ['a', 'b', 'c'].forEach(function (name) {
      var c = session.connections[ids[name]];
      if (c) text.push(name + '<' + nameOf(c.input) + ' >' + names(c.outputs));
    });
    var m = session.conferences[ids.m];
    if (!m) return text.join('; ');
    return text.concat('m<' + names(m.input) + ' >' + names(m.outputs)).join('; ');
  }
]]></script>
<var name="id"/>
<eventprocessor>
  <transition event="connection.alerting"><script>ids.a = event$.connectionid;</script><accept/></transition>
  <transition event="connection.connected" cond="event$.connectionid == ids.a">
    <createconference conferenceid="id"/><script>ids.m = id;</script></transition>
  <transition event="conference.created">
    <createcall dest="'tel:200'" connectionid="id"/><script>ids.b = id;</script></transition>
  <transition event="connection.connected" cond="event$.connectionid == ids.b">
    <createcall dest="'tel:300'" connectionid="id"/><script>ids.c = id;</script></transition>
  <transition event="connection.connected"><log expr="'ready ' + session.id + ' ' + ids.a"/></transition>
  <transition event="user.join"><join id1="ids[event$.id1] || event$.id1" id2="ids[event$.id2] || event$.id2" duplex="event$.duplex"/></transition>
  <transition event="user.unjoin"><unjoin id1="ids[event$.id1] || event$.id1" id2="ids[event$.id2] || event$.id2"/></transition>
  <transition event="user.merge"><merge connectionid1="ids[event$.id1]" connectionid2="ids[event$.id2]"/></transition>
  <transition event="connection.merged" cond="event$.connectionid == ids.a"/>
  <transition event="connection.merged"><log expr="'merged ' + nameOf(event$.mergeid)"/><exit/></transition>
  <transition event="user.destroy"><destroyconference conferenceid="ids.m"/>
    <if cond="event$.id1"><join id1="ids[event$.id1]" id2="ids.m"/></if></transition>
  <transition event="conference.destroyed"><log expr="'destroyed: ' + show()"/></transition>
  <transition event="user.hangup"><disconnect connectionid="ids[event$.id1]"/></transition>
  <transition event="user.dialog"><dialogstart connectionid="ids[event$.id1]" src="'/sounds/music.wav'" type="'audio/wav'"
    mediadirection="event$.duplex == 'full' ? 'both' : event$.duplex"/></transition>
  <transition event="conference.joined"><log expr="'joined ' + nameOf(event$.id1) + ' ' + nameOf(event$.id2) + ': ' + show()"/></transition>
  <transition event="conference.unjoined"><log expr="'unjoined ' + nameOf(event$.id1) + ' ' + nameOf(event$.id2) + ': ' + show()"/></transition>
  <transition event="dialog.started"><log expr="'dialog: ' + show()"/></transition>
  <transition event="dialog.exit"/>
  <transition event="connection.disconnected" cond="event$.connectionid == ids.a"><exit/></transition>
  <transition event="connection.disconnected"><log expr="'gone ' + nameOf(event$.connectionid) + ': ' + show()"/></transition>
  <transition event="error.*"><log expr="'refused ' + event$.name + ': ' + event$.reason"/></transition>
</eventprocessor></ccxml>`

// board is a switchboard at work.
type board struct {
	*sitetest.Site
	session string
	caller  string // the id of connection a
	parties map[string]*switchsim.Party
}

func newBoard(s *sitetest.Site) *board {
	s.Helper()
	s.Trace.Reset()
	b := &board{Site: s, parties: map[string]*switchsim.Party{"a": s.Dial(s.Document("switchboard.ccxml", switchboard))}}
	for name, number := range map[string]string{"b": "200", "c": "300"} {
		party, err := s.Switch.WaitCallee(s.Context(), number)
		s.Must(err)
		b.parties[name] = party
	}
	s.WaitLog("ready ")
	for _, line := range s.Trace.Lines() {
		if words := strings.Fields(line); len(words) == 4 && words[1] == "ready" {
			b.session, b.caller = words[2], words[3]
		}
	}
	return b
}

// tell sends the switchboard an event, such as "join a b half". The third word of a
// dialog is its direction.
func (b *board) tell(command string) {
	b.Helper()
	words := append(strings.Fields(command), "", "", "")
	duplex := words[3]
	if duplex == "" {
		duplex = "full"
	}
	b.Must(b.Daemon.Controller.Inject(b.Context(), callcontrol.Injection{
		Session: b.session, Name: "user." + words[0], Source: "test",
		Parameters: []interpreter.Pair{{Name: "id1", Value: words[1]}, {Name: "id2", Value: words[2]}, {Name: "duplex", Value: duplex}},
	}))
}

// hears tells who hears whom on the switch: "a<b; b<a; c<".
func (b *board) hears() string {
	names := make(map[string]string)
	for name, party := range b.parties {
		names[party.Number()] = name
	}
	var text []string
	for _, name := range []string{"a", "b", "c"} {
		var heard []string
		for _, number := range b.parties[name].Hears() {
			heard = append(heard, names[number])
		}
		slices.Sort(heard)
		text = append(text, name+"<"+strings.Join(heard, ""))
	}
	return strings.Join(text, "; ")
}

// step is what a switchboard is told, what it logs then, and who hears whom on
// the switch afterwards. Conference members and dialogs are not among the latter.
type step struct{ tell, log, hears string }

func (b *board) play(steps []step) {
	b.Helper()
	for _, s := range steps {
		b.Trace.Reset()
		b.tell(s.tell)
		b.WaitLog(s.log)
		for deadline := b.Clock.Now().Add(sitetest.Timeout / 2); b.hears() != s.hears; clock.Sleep(b.Context(), b.Clock, time.Millisecond) {
			if b.Clock.Now().After(deadline) {
				b.Fatalf("after %s: %s, want %s", s.tell, b.hears(), s.hears)
			}
		}
		if b.Sleep(time.Second); b.hears() != s.hears {
			b.Fatalf("a second after %s: %s, want %s", s.tell, b.hears(), s.hears)
		}
	}
}

// Every pair of kinds, in both duplexes and orders: what the session's objects
// show, and who really hears whom (BRG-1 to BRG-10, JOIN-11, UNJ-1, UNJ-2).
func TestWhoHearsWhom(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		steps []step
	}{
		{"BRG-4 full pair", []step{
			{"join a b", "joined a b: a<b >b; b<a >a; c< >", "a<b; b<a; c<"},
			{"join b a", "joined b a: a<b >b; b<a >a; c< >", "a<b; b<a; c<"},
			{"unjoin b a", "unjoined b a: a< >; b< >; c< >", "a<; b<; c<"},
		}},
		{"BRG-5 half pair", []step{
			{"join a b half", "joined a b: a<b >; b< >a; c< >", "a<b; b<; c<"},
			{"join a b half", "joined a b: a<b >; b< >a; c< >", "a<b; b<; c<"},
			{"unjoin b a", "unjoined b a: a< >; b< >; c< >", "a<; b<; c<"},
		}},
		{"half pair the other way round", []step{
			{"join b a half", "joined b a: a< >b; b<a >; c< >", "a<; b<a; c<"},
			{"join a b half", "joined a b: a<b >; b< >a; c< >", "a<b; b<; c<"},
		}},
		{"BRG-1 one speaker two listeners", []step{
			{"join b a half", "joined b a: a< >b; b<a >; c< >", "a<; b<a; c<"},
			{"join c a half", "joined c a: a< >bc; b<a >; c<a >", "a<; b<a; c<a"},
			{"unjoin a b", "unjoined a b: a< >c; b< >; c<a >", "a<; b<; c<a"},
		}},
		{"BRG-9 a listener on a pair", []step{
			{"join a b", "joined a b: a<b >b; b<a >a; c< >", "a<b; b<a; c<"},
			{"join c a half", "joined c a: a<b >bc; b<a >a; c<a >", "a<b; b<a; c<a"},
			{"join c b half", "joined c b: a<b >b; b<a >ac; c<b >", "a<b; b<a; c<b"},
			{"unjoin c b", "unjoined c b: a<b >b; b<a >a; c< >", "a<b; b<a; c<"},
		}},
		{"a listener takes part", []step{
			{"join a b", "joined a b: a<b >b; b<a >a; c< >", "a<b; b<a; c<"},
			{"join c a half", "joined c a: a<b >bc; b<a >a; c<a >", "a<b; b<a; c<a"},
			{"join a c", "joined a c: a<c >c; b< >; c<a >a", "a<c; b<; c<a"},
		}},
		{"BRG-8 the pair that is left", []step{
			{"join a b", "joined a b: a<b >b; b<a >a; c< >", "a<b; b<a; c<"},
			{"join a c", "joined a c: a<c >c; b< >; c<a >a", "a<c; b<; c<a"},
		}},
		{"BRG-6 half from a full pair: only the input falls", []step{
			{"join a b", "joined a b: a<b >b; b<a >a; c< >", "a<b; b<a; c<"},
			{"join b c half", "joined b c: a<b >; b<c >a; c< >b", "a<b; b<c; c<"},
			{"unjoin a b", "unjoined a b: a< >; b<c >; c< >b", "a<; b<c; c<"},
		}},
		{"full becomes half and full again", []step{
			{"join a b", "joined a b: a<b >b; b<a >a; c< >", "a<b; b<a; c<"},
			{"join a b half", "joined a b: a<b >; b< >a; c< >", "a<b; b<; c<"},
			{"join a b", "joined a b: a<b >b; b<a >a; c< >", "a<b; b<a; c<"},
		}},
		{"a chain and a ring", []step{
			{"join a b half", "joined a b: a<b >; b< >a; c< >", "a<b; b<; c<"},
			{"join b c half", "joined b c: a<b >; b<c >a; c< >b", "a<b; b<c; c<"},
			{"join c a half", "joined c a: a<b >c; b<c >a; c<a >b", "a<b; b<c; c<a"},
		}},
		{"a conference full and half", []step{
			{"join a m", "joined a m: a<m >m; b< >; c< >; m<a >a", "a<; b<; c<"},
			{"join m b", "joined m b: a<m >m; b<m >m; c< >; m<ab >ab", "a<b; b<a; c<"},
			{"join c m half", "joined c m: a<m >m; b<m >m; c<m >; m<ab >abc", "a<b; b<a; c<ab"},
			{"join m c half", "joined m c: a<m >m; b<m >m; c< >m; m<abc >ab", "a<bc; b<ac; c<"},
			{"join c m", "joined c m: a<m >m; b<m >m; c<m >m; m<abc >abc", "a<bc; b<ac; c<ab"},
			{"join a b", "joined a b: a<b >b; b<a >a; c<m >m; m<c >c", "a<b; b<a; c<"},
		}},
		{"BRG-10 half from a member", []step{
			{"join a m", "joined a m: a<m >m; b< >; c< >; m<a >a", "a<; b<; c<"},
			{"join b m", "joined b m: a<m >m; b<m >m; c< >; m<ab >ab", "a<b; b<a; c<"},
			{"join c a half", "joined c a: a<m >cm; b<m >m; c<a >; m<ab >ab", "a<b; b<a; c<a"},
			{"join b c half", "joined b c: a<m >cm; b<c >m; c<a >b; m<ab >a", "a<b; b<c; c<a"},
		}},
		{"BRG-6 a member hears somebody else and is heard on", []step{
			{"join a m", "joined a m: a<m >m; b< >; c< >; m<a >a", "a<; b<; c<"},
			{"join b m", "joined b m: a<m >m; b<m >m; c< >; m<ab >ab", "a<b; b<a; c<"},
			{"join b c half", "joined b c: a<m >m; b<c >m; c< >b; m<ab >a", "a<b; b<c; c<"},
			{"unjoin b m", "unjoined b m: a<m >m; b<c >; c< >b; m<a >a", "a<; b<c; c<"},
			{"join m b half", "joined m b: a<m >m; b<c >m; c< >b; m<ab >a", "a<b; b<c; c<"},
			{"join m b half", "joined m b: a<m >m; b<c >m; c< >b; m<ab >a", "a<b; b<c; c<"},
			{"join b m", "joined b m: a<m >m; b<m >m; c< >; m<ab >ab", "a<b; b<a; c<"},
			{"join b m half", "joined b m: a<m >m; b<m >; c< >; m<a >ab", "a<; b<a; c<"},
		}},
		{"a conference hears one of a pair", []step{
			{"join a m", "joined a m: a<m >m; b< >; c< >; m<a >a", "a<; b<; c<"},
			{"join b c", "joined b c: a<m >m; b<c >c; c<b >b; m<a >a", "a<; b<c; c<b"},
			{"join m b half", "joined m b: a<m >m; b<c >cm; c<b >b; m<ab >a", "a<b; b<c; c<b"},
			{"hangup b", "gone b: a<m >m; b< >; c< >; m<a >a", "a<; b<; c<"},
		}},
		{"BRG-12 ends of calls", []step{
			{"join a b", "joined a b: a<b >b; b<a >a; c< >", "a<b; b<a; c<"},
			{"join c b half", "joined c b: a<b >b; b<a >ac; c<b >", "a<b; b<a; c<b"},
			{"hangup b", "gone b: a< >; b< >; c< >", "a<; b<; c<"},
		}},
		{"DLG-18 a dialog that only transmits leaves its connection to be heard", []step{
			{"join a b", "joined a b: a<b >b; b<a >a; c< >", "a<b; b<a; c<"},
			{"dialog a - dialogtransmit", "dialog: a<somebody >b; b<a >; c< >", "a<; b<a; c<"},
			{"unjoin a b", "unjoined a b: a<somebody >; b< >; c< >", "a<; b<; c<"},
		}},
		{"DLG-18 a conference is left for a dialog that only transmits, and told", []step{
			{"join a m", "joined a m: a<m >m; b< >; c< >; m<a >a", "a<; b<; c<"},
			{"join b m", "joined b m: a<m >m; b<m >m; c< >; m<ab >ab", "a<b; b<a; c<"},
			{"dialog a - dialogtransmit", "unjoined a m: a< >; b<m >m; c< >; m<b >b", "a<; b<; c<"},
			{"dialog a - dialogtransmit", "dialog: a<somebody >; b<m >m; c< >; m<b >b", "a<; b<; c<"},
		}},
		{"DLG-19 a dialog that only receives leaves alone what its connection hears", []step{
			{"join a b", "joined a b: a<b >b; b<a >a; c< >", "a<b; b<a; c<"},
			{"dialog a - dialogreceive", "dialog: a<b >bsomebody; b<a >a; c< >", "a<b; b<a; c<"},
		}},
		{"a dialog takes the place of a half join and the other way round", []step{
			{"join a b half", "joined a b: a<b >; b< >a; c< >", "a<b; b<; c<"},
			{"dialog a", "dialog: a<somebody >somebody; b< >; c< >", "a<; b<; c<"},
			{"dialog b", "dialog: a<somebody >somebody; b<somebody >somebody; c< >", "a<; b<; c<"},
			{"join a b half", "joined a b: a<b >; b<somebody >asomebody; c< >", "a<b; b<; c<"},
		}},
		{"BRG-11 a conference and itself or none", []step{
			{"join m conference:other", "refused error.conference.join: ", "a<; b<; c<"},
			{"unjoin m conference:other", "refused error.conference.unjoin: ", "a<; b<; c<"},
			{"join m m", "refused error.conference.join: ", "a<; b<; c<"},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := sitetest.New(t)
			s.Switch.AddSound("/sounds/music.wav", time.Hour)
			s.Switch.Callee("200", switchsim.Answers{})
			s.Switch.Callee("300", switchsim.Answers{})
			b := newBoard(s)
			b.play(c.steps)
			b.parties["a"].Hangup()
			s.WaitIdle()
			rosterIsEmpty(s)
		})
	}
}

// A connection of another session can be listened to, and joined. Each session
// that owns an endpoint is told, and its objects show it; a failure is told to
// the one that asked (JOIN-8).
func TestJoinAcrossSessions(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t)
	s.Switch.Callee("200", switchsim.Answers{})
	s.Switch.Callee("300", switchsim.Answers{})
	first, second := newBoard(s), newBoard(s)
	for _, step := range []struct{ tell, log, hears, other string }{
		{"join b OTHER half", "joined b somebody: a< >; b<somebody >; c< >", "b hears", ""},
		{"join OTHER b", "joined somebody b: a< >; b<somebody >somebody; c< >", "b hears", "hears b"},
		{"join b OTHER", "joined b somebody: a< >; b<somebody >somebody; c< >", "b hears", "hears b"},
		{"unjoin b OTHER", "unjoined b somebody: a< >; b< >; c< >", "", ""},
		{"join OTHER b half", "joined somebody b: a< >; b< >somebody; c< >", "", "hears b"},
		{"join OTHER c half", "joined somebody c: a< >; b< >; c< >somebody", "", "hears c"},
		{"unjoin c OTHER", "unjoined c somebody: a< >; b< >; c< >", "", ""},
		{"unjoin c OTHER", "refused error.conference.unjoin: the two are not joined", "", ""},
		{"join OTHER m", "joined somebody m: a< >; b< >; c< >; m<somebody >somebody", "", ""},
		{"join OTHER b", "joined somebody b: a< >; b<somebody >somebody; c< >", "b hears", "hears b"},
		{"join b c", "joined b c: a< >; b<c >c; c<b >b", "", ""},
	} {
		s.Trace.Reset()
		first.tell(strings.ReplaceAll(step.tell, "OTHER", second.caller))
		s.WaitLog(step.log)
		events := 2
		if strings.HasPrefix(step.log, "refused") || step.tell == "join b c" {
			events = 1
		}
		event, _, _ := strings.Cut(step.log, " ")
		s.WaitUntil("both sessions are told of "+step.tell, func() bool { return s.Trace.Count("log "+event) == events })
		caller := second.parties["a"]
		s.WaitUntil("who hears whom after "+step.tell, func() bool {
			heard := slices.Contains(first.parties["b"].Hears(), caller.Number())
			hears := strings.Join(caller.Hears(), " ")
			return heard == (step.hears != "") && hears == strings.NewReplacer("hears b", "200", "hears c", "300").Replace(step.other)
		})
	}
	s.Trace.Reset()
	first.tell("join b " + second.caller)
	s.WaitLog("joined b somebody")
	second.parties["a"].Hangup()
	s.WaitLog("unjoined b somebody: a< >; b< >; c< >")
	first.parties["a"].Hangup()
	s.WaitIdle()
	if s.Trace.Has("error.") {
		t.Errorf("seen: %s", strings.Join(s.Trace.Lines(), "\n"))
	}
	rosterIsEmpty(s)
}

// A dialog on a conference has a leg of its own there, which goes with it and
// which no document sees (VX-11).
func TestDialogOnConference(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t)
	caller := s.Dial(s.Transitions("conference.ccxml", `
<transition event="connection.alerting"><accept/></transition>
<transition event="connection.connected"><createconference conferenceid="application.room" confname="'played to'"/></transition>
<transition event="conference.created"><dialogstart conferenceid="event$.conferenceid" src="'null:?text=Good evening.'" type="'audio/wav'"/></transition>
<transition event="dialog.started"><log expr="'started ' + event$.conferenceid + ' ' + session.conferences[event$.conferenceid].input.length"/></transition>
<transition event="dialog.exit"><dialogstart conferenceid="event$.conferenceid" src="'/nowhere.wav'" type="'audio/wav'"/></transition>
<transition event="error.dialog.notstarted"><log expr="'refused ' + event$.conferenceid"/><destroyconference conferenceid="event$.conferenceid"/></transition>
<transition event="conference.destroyed"/>
<transition event="connection.disconnected"><exit/></transition>`))
	s.WaitLog("started conference:played")
	s.WaitLog("refused conference:played")
	s.Must(s.Trace.Wait(s.Context(), "event conference.destroyed"))
	s.WaitUntil("its legs are gone", func() bool { return s.Daemon.Controller.Connections() == 1 })
	caller.Hangup()
	s.WaitIdle()
	rosterIsEmpty(s)
}
