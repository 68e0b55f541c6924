package callcontrol_test

import (
	"testing"

	"ccxmld/sessionstore/redistest"
	"ccxmld/sitetest"
)

// Two controllers meet over a redis-server and TCP as over the Redis in memory that
// other tests have: a conference is found by its name, and mail comes to a session of
// the other. Every wait is for what is told, or looked at until it holds.
func TestTwoControllersOverARedisServer(t *testing.T) {
	t.Parallel()
	one := sitetest.NewOverTCP(t, messengers, sitetest.WithTimeout(sitetest.Timeout), sitetest.With("REDIS_URL", redistest.Real(t).URL))
	other := one.AddDaemon()
	other.WaitLinks()

	document := one.Document("meeting.ccxml", meeting)
	first := one.DialFrom("101", document)
	one.WaitLog("101 new: true")
	one.WaitLog("101 in 1")
	second := other.DialFrom("102", document)
	other.WaitLog("102 new: false")
	other.WaitLog("102 in 1")
	room, _ := roomOf(one)
	one.WaitUntil("both are in the room", func() bool {
		_, members := roomOf(one)
		return members == 2 && len(one.Switch.Conference(room)) == 2
	})
	first.Hangup()
	second.Hangup()

	one.Document("sender.ccxml", sender)
	one.Transitions("receiver.ccxml", receiver)
	to := startReceiver(other) // which Redis may not know of yet
	from := one.StartToken("target=" + to)
	one.WaitLog("sent true")
	other.WaitLog("hello|a & b, 1 = 1|nested|ccxml|" + from)
	for _, s := range []*sitetest.Site{one, other} {
		s.Must(s.Daemon.Controller.WaitIdle(s.Context()))
	}
	one.Stop()
	other.Stop()
}
