package callcontrol_test

import (
	"testing"

	"ccxmld/conference"
	"ccxmld/sessionstore"
	"ccxmld/sitetest"
	"ccxmld/switchsim"
)

// destroyed meets a dead controller's session in a conference.
const destroyed = `
<transition event="connection.alerting"><assign name="application.leg" expr="event$.connectionid"/><accept/></transition>
<transition event="connection.connected"><createconference conferenceid="application.room" confname="'meet'"/></transition>
<transition event="conference.created"><log expr="'isnew ' + event$.isnew"/><join id1="application.room" id2="application.leg"/></transition>
<transition event="conference.joined"><log expr="'members ' + event$.members"/></transition>
<transition event="conference.unjoined"><log expr="'unjoined ' + (event$.id1 == application.room)"/></transition>
<transition event="connection.disconnected"><log expr="'disconnected'"/><exit/></transition>
<transition event="user.stop"><exit/></transition>
<transition event="error.*"><log expr="event$.reason"/></transition>`

// TestARoomDestroyedByOthers: an operator or a script ends the room while another
// controller that has a member there is dead. The living one's document hears of it,
// nothing stays in Redis once the dead one's lease is over, and the name is free.
func TestARoomDestroyedByOthers(t *testing.T) {
	t.Parallel()
	for how, command := range map[string]string{"hup": "hup all", "kick": "kick all", "hup-one": "hup last"} {
		t.Run(how, func(t *testing.T) {
			s := sitetest.New(t)
			document := s.Transitions("destroyed.ccxml", destroyed)
			caller := s.DialFrom("101", document)
			s.WaitLog("members 1")
			room, _ := roomOf(s)
			dead := deadMember(s, room)
			if _, members := roomOf(s); members != 2 || len(s.Switch.Conference(room)) != 2 {
				t.Fatalf("%d members by the registry, %v in the room", members, s.Switch.Conference(room))
			}
			s.Switch.API("conference " + room + " " + command)
			if how == "hup-one" {
				s.Switch.API("conference " + room + " " + command)
			}
			s.WaitLog("unjoined true")
			caller.Hangup()
			s.WaitLog("disconnected")
			s.WaitIdle()
			_, err := dead.WaitEnded(s.Context())
			s.Must(err)
			s.WaitUntil("nothing is left in redis", func() bool {
				for _, err := range s.Daemon.Conferences.List(s.Context()) {
					s.Must(err)
					return false
				}
				return true
			})
			s.Trace.Reset()
			second := s.DialFrom("102", document)
			s.WaitLog("isnew true")
			s.WaitLog("members 1")
			if again, _ := roomOf(s); again == room {
				t.Errorf("the room has the name of the one before: %s", again)
			}
			second.Hangup()
			s.WaitIdle()
		})
	}
}

// deadMember has a controller that has died meanwhile put a call of its own into the
// conference "meet", whose room is given.
func deadMember(s *sitetest.Site, room string) *switchsim.Party {
	s.Helper()
	store, err := sessionstore.Open(s.Context(), sessionstore.Options{Embedded: s.Redis, Clock: s.Clock, Lease: s.Daemon.Store.Lease()})
	s.Must(err)
	s.Must(store.Register(s.Context(), sessionstore.Controller{ID: "dead", Started: s.Clock.Now()}))
	registry, err := conference.NewRegistry(store, conference.Options{Controller: "dead"})
	s.Must(err)
	held, err := registry.Attach(s.Context(), "conference:meet", "its session")
	s.Must(err)
	party, err := s.Switch.Dial(switchsim.Call{From: "999", Dialplan: []switchsim.Action{{Application: "answer"}, {Application: "conference", Data: room + "@ccxmld"}}})
	s.Must(err)
	s.WaitUntil("its call is in the room", func() bool { return len(s.Switch.Conference(room)) == 2 })
	_, err = registry.Join(s.Context(), held.ID, conference.Member{
		Connection: party.UUID(), Session: "its session", Controller: "dead", Node: held.Node, Joined: s.Clock.Now(),
	})
	s.Must(err)
	s.Must(store.Close())
	return party
}
