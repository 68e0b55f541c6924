package callcontrol_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"ccxmld/sitetest"
	"ccxmld/switchsim"
)

// farSite is a site with two FreeSWITCHes, fs1 and fs2, that reach each other. Switch is
// fs1.
type farSite struct {
	*sitetest.Site
	second *switchsim.Switch
	job    func(name, argument string) switchsim.JobFate // of the second; nil does all jobs
}

const (
	sipFirst  = "10.0.0.1:5090"
	sipSecond = "10.0.0.2:5090"
)

func newFarSite(t testing.TB, options ...sitetest.Option) *farSite {
	t.Helper()
	const secondAddress = "127.0.0.1:8022"
	s := &farSite{}
	list := fmt.Sprintf("[{name: one, address: %q, password: ClueCon, sip: 'sip:%s'}, {name: two, address: %q, password: ClueCon, sip: 'sip:%s'}]",
		sitetest.SwitchAddress, sipFirst, secondAddress, sipSecond)
	s.Site = sitetest.New(t, append([]sitetest.Option{
		sitetest.With("NODES", list), sitetest.WithToken("moderator.ccxml"),
		func(o *sitetest.Options) {
			o.Switch.Name = "fs1"
			s.second = o.AddSwitch(switchsim.Options{Name: "fs2", LogCommands: true, SpeechRate: 30 * time.Millisecond,
				Job: func(name, argument string) switchsim.JobFate {
					if s.job != nil {
						return s.job(name, argument)
					}
					return switchsim.JobDone
				}})
			if err := s.second.Listen(secondAddress); err != nil {
				o.Fatal(err)
			}
		},
	}, options...)...)
	s.second.AddTTS("flite")
	s.Switch.Reach(sipSecond, s.second)
	s.second.Reach(sipFirst, s.Switch)
	s.WaitLinks()
	s.Document("moderator.ccxml", moderator)
	return s
}

// newMeeting is a site with 101 on the first FreeSWITCH and 102 on the second in the
// meeting.
func newMeeting(t testing.TB, options ...sitetest.Option) (s *farSite, first, second *switchsim.Party, document string) {
	t.Helper()
	s = newFarSite(t, options...)
	document = s.Document("meeting.ccxml", meeting)
	first, second = s.meet(s.Site, document)
	return s, first, second, document
}

// meet has 101 on the first FreeSWITCH, and then 102 on the second, whose call comes to a
// daemon, in the conference of a document.
func (s *farSite) meet(to *sitetest.Site, document string) (first, second *switchsim.Party) {
	s.Helper()
	first = s.DialFrom("101", document)
	s.WaitLog("101 in 1")
	second = s.dialSecond(to, "102", document)
	to.WaitLog("102 in 1")
	return first, second
}

// anotherDaemon is a further daemon, whose links are up.
func anotherDaemon(s *sitetest.Site) *sitetest.Site {
	s.Helper()
	other := s.AddDaemon()
	other.WaitLinks()
	return other
}

// end hangs up, and waits until nothing is left of the calls.
func (s *farSite) end(parties ...*switchsim.Party) {
	s.Helper()
	for _, p := range parties {
		p.Hangup()
	}
	s.waitNoCalls()
	rosterIsEmpty(s.Site)
}

// dialSecond makes a call come to a daemon from the second FreeSWITCH.
func (s *farSite) dialSecond(to *sitetest.Site, number, document string) *switchsim.Party {
	s.Helper()
	caller, err := s.second.Dial(switchsim.Call{
		From: number, Sockets: []string{to.Daemon.ESLAddress()}, Variables: map[string]string{"ccxml_uri": document},
	})
	s.Must(err)
	return caller
}

// hear waits until each of some parties hears all the others and nobody else.
func (s *farSite) hear(parties ...*switchsim.Party) {
	s.Helper()
	for _, p := range parties {
		var want []string
		for _, other := range parties {
			if other != p {
				want = append(want, other.Number())
			}
		}
		slices.Sort(want)
		s.WaitUntil(p.Number()+" hears the others", func() bool { return slices.Equal(p.Hears(), want) })
	}
}

// cascadeLegs counts the legs of cascades on both FreeSWITCHes.
func (s *farSite) cascadeLegs() (n int) {
	for _, sw := range []*switchsim.Switch{s.Switch, s.second} {
		n += strings.Count(sw.API("show channels"), ",sofia/ccxmld/")
	}
	return n
}

// waitNoCalls waits until neither FreeSWITCH has a call.
func (s *farSite) waitNoCalls() {
	s.Helper()
	s.WaitSwitchIdle()
	s.WaitUntil("the second has no call", func() bool { return s.second.Channels() == 0 })
}

// Callers on two FreeSWITCHes hear each other in a conference by one cascade, which ends
// with the last of them on the second.
func TestConferenceOnTwoNodes(t *testing.T) {
	t.Parallel()
	s, first, second, document := newMeeting(t)
	s.hear(first, second)
	third := s.dialSecond(s.Site, "103", document)
	s.WaitLog("103 in 1")
	fourth := s.DialFrom("104", document)
	s.WaitLog("104 in 1")
	s.hear(first, second, third, fourth)
	if _, members := roomOf(s.Site); members != 4 || s.cascadeLegs() != 2 {
		t.Errorf("%d members, %d legs of cascades", members, s.cascadeLegs())
	}
	second.Hangup()
	s.hear(first, third, fourth)
	third.Press("1") // unjoins
	s.WaitLog("103 out 1")
	s.WaitUntil("the cascade has ended", func() bool { return s.cascadeLegs() == 0 })
	third.Press("2") // joins again
	s.WaitLog("103 in 2")
	s.hear(first, third, fourth)
	s.end(first, third, fourth)
	if s.Trace.Has("error.") {
		t.Errorf("seen:\n%s", strings.Join(s.Trace.Lines(), "\n"))
	}
}

// Whoever is the last in it, a conference that was created on one FreeSWITCH goes on for
// those on the other one, and its first member may be there.
func TestConferenceWithMembersElsewhereOnly(t *testing.T) {
	t.Parallel()
	s := newFarSite(t)
	document := s.Document("meeting.ccxml", meeting)
	first := s.DialFrom("101", document)
	s.WaitLog("101 in 1")
	second, third := s.dialSecond(s.Site, "102", document), s.dialSecond(s.Site, "103", document)
	s.hear(first, second, third)
	first.Hangup()
	s.hear(second, third)
	fourth := s.DialFrom("104", document)
	s.hear(second, third, fourth)
	s.end(second, third, fourth)
}

// Many who join at the same moment on the second FreeSWITCH, through two controllers, have
// one cascade, and all hear each other.
func TestFirstJoinsRace(t *testing.T) {
	t.Parallel()
	s := newFarSite(t)
	other := anotherDaemon(s.Site)
	document := s.Document("meeting.ccxml", meeting)
	parties := []*switchsim.Party{s.DialFrom("101", document)}
	s.WaitLog("101 in 1")
	for i := range 4 {
		to := s.Site
		if i%2 == 1 {
			to = other
		}
		parties = append(parties, s.dialSecond(to, fmt.Sprint(200+i), document))
	}
	s.hear(parties...)
	if _, members := roomOf(s.Site); members != 5 || s.cascadeLegs() != 2 {
		t.Errorf("%d members, %d legs of cascades", members, s.cascadeLegs())
	}
	for _, p := range slices.Backward(parties) { // whoever made the cascade is not the last
		p.Hangup()
	}
	s.waitNoCalls()
	other.WaitIdle()
	rosterIsEmpty(s.Site)
}

// A session hears of all members once, on whichever FreeSWITCH and controller they are,
// and of no cascade; and changes and takes them out.
func TestModerateMembersOnTwoNodes(t *testing.T) {
	t.Parallel()
	s := newFarSite(t)
	other := anotherDaemon(s.Site)
	document := s.Document("meeting.ccxml", meeting)
	first, second := s.meet(other, document)
	m := moderate(s.Site)
	m.WaitLog("101 came")
	m.WaitLog("102 came")
	third := s.dialSecond(other, "103", document)
	m.WaitLog("103 came, members 3")
	s.hear(first, second, third)

	m.Trace.Reset()
	second.Talk(true)
	m.WaitLog("102 talks true")
	m.WaitLog("102 has the floor")
	second.Talk(false)
	m.WaitLog("102 talks false")
	first.Talk(true)
	m.WaitLog("101 talks true")
	m.WaitLog("101 has the floor")
	first.Talk(false)
	if n := m.Trace.Count("log undefined"); n > 0 {
		t.Errorf("a cascade is told of:\n%s", strings.Join(m.Trace.Lines(), "\n"))
	}

	m.tell("change", "who", "102", "mute", "true")
	m.WaitLog("changed 102")
	s.WaitUntil("102 is not heard", func() bool {
		return slices.Equal(first.Hears(), []string{"103"}) && slices.Equal(second.Hears(), []string{"101", "103"})
	})
	m.Trace.Reset()
	m.tell("change", "who", "102", "deaf", "true")
	m.WaitLog("changed 102")
	s.WaitUntil("102 does not hear", func() bool { return slices.Equal(first.Hears(), []string{"102", "103"}) && len(second.Hears()) == 0 })
	m.tell("kick", "who", "102")
	m.WaitLog("102 went, members 2")
	other.WaitLog("102 out 1")
	m.tell("lock", "on", "true")
	room, _ := roomOf(s.Site)
	m.WaitUntil("the room is locked", func() bool { return s.Switch.Locked(room) })
	second.Press("2")
	other.WaitLog("102 error.conference.join: the conference is locked")
	m.tell("lock", "on", "false")
	m.WaitUntil("the room is open", func() bool { return !s.Switch.Locked(room) })
	for _, p := range []*switchsim.Party{first, second, third} {
		p.Hangup()
	}
	m.WaitLog("103 went, members 0")
	m.tell("end")
	s.waitNoCalls()
	other.WaitIdle()
	rosterIsEmpty(s.Site)
}

// What FreeSWITCH does not make ends in the document's event, which says why; the caller
// may try again.
func TestCascadeIsNotMade(t *testing.T) {
	for name, test := range map[string]struct {
		first switchsim.Options // of the switch that the conference is on
		sip   bool
		want  string
	}{
		"no sip":      {want: "node one has no sip"},
		"refused":     {sip: true, first: switchsim.Options{Refuses: func(name, _ string) string { return map[string]string{"global_setvar": "NO"}[name] }}, want: "FreeSWITCH node one: esl: FreeSWITCH answered -ERR NO"},
		"unreachable": {sip: true, first: switchsim.Options{Unreachable: func() bool { return true }}, want: "FreeSWITCH fs2 has not reached fs1, which the conference is on: NORMAL_TEMPORARY_FAILURE"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newFarSite(t, func(o *sitetest.Options) {
				o.Switch.Refuses, o.Switch.Unreachable = test.first.Refuses, test.first.Unreachable
				if !test.sip {
					o.Environment["NODES"] = fmt.Sprintf("[{name: one, address: %q, password: ClueCon}, {name: two, address: '127.0.0.1:8022', password: ClueCon}]", sitetest.SwitchAddress)
				}
			})
			document := s.Document("meeting.ccxml", meeting)
			first := s.DialFrom("101", document)
			s.WaitLog("101 in 1")
			second := s.dialSecond(s.Site, "102", document)
			s.Must(s.Trace.WaitText(s.Context(), "log 102 error.conference.join: "))
			if !s.Trace.Has(test.want) {
				t.Errorf("seen:\n%s", strings.Join(s.Trace.Lines(), "\n"))
			}
			if _, members := roomOf(s.Site); members != 1 || s.cascadeLegs() > 0 {
				t.Errorf("%d members, %d legs", members, s.cascadeLegs())
			}
			second.Hangup()
			first.Hangup()
			s.waitNoCalls()
			rosterIsEmpty(s.Site)
		})
	}
}

// A caller who goes while the cascade is made for him leaves nothing behind, whether
// FreeSWITCH makes it in time or too late; who joins next has one.
func TestCallerGoesWhileACascadeIsMade(t *testing.T) {
	t.Parallel()
	for name, after := range map[string]time.Duration{"in time": time.Second, "too late": 20 * time.Second} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newFarSite(t)
			asked := sitetest.NewQueue[string](s.Clock)
			s.job = func(name, argument string) switchsim.JobFate {
				if name == "originate" {
					asked.Put(argument)
					return switchsim.JobKept
				}
				return switchsim.JobDone
			}
			document := s.Document("meeting.ccxml", meeting)
			first := s.DialFrom("101", document)
			s.WaitLog("101 in 1")
			second := s.dialSecond(s.Site, "102", document)
			s.Next(asked)
			second.Hangup()
			s.Sleep(after)
			s.job = nil
			s.second.ReleaseJobs()
			s.Sleep(time.Second)
			if _, members := roomOf(s.Site); members != 1 || s.cascadeLegs() != 0 {
				t.Errorf("%d members, %d legs of cascades", members, s.cascadeLegs())
			}
			third := s.dialSecond(s.Site, "103", document)
			s.hear(first, third)
			third.Hangup()
			first.Hangup()
			s.waitNoCalls()
			rosterIsEmpty(s.Site)
		})
	}
}
