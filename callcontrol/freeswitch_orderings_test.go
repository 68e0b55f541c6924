//go:build freeswitch

package callcontrol_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"ccxmld/sitetest"
)

var realOrderings = flag.Int("real", 5, "how many random orderings TestFreeSWITCHOrderings runs")

// TestFreeSWITCHOrderings is TestOrderings on a real FreeSWITCH, which has its own
// ideas of what comes first.
func TestFreeSWITCHOrderings(t *testing.T) {
	for i := range *realOrderings {
		seed := *orderingFirst + uint64(i)
		t.Run(fmt.Sprint(seed), func(t *testing.T) { runRealOrdering(t, seed) })
	}
}

func runRealOrdering(t *testing.T, seed uint64) {
	random := rand.New(rand.NewPCG(seed, 0))
	var routes []string
	inline := func(number, dialplan string) {
		routes = append(routes, fmt.Sprintf("{match: 'tel:%s', dial: 'loopback/m:^:%s/default/inline'}", number, dialplan))
	}
	inline("200", "answer^park")
	inline("201", "sleep:300^answer^park")
	inline("202", "answer^sleep:600^hangup")
	inline("203", "pre_answer^sleep:200^answer^park")
	inline("204", "sleep:5000")
	inline("205", "hangup:USER_BUSY")
	s := newRealSite(t, sitetest.With("DIAL_ROUTES", "["+strings.Join(routes, ", ")+"]"))
	orderings(s.Site, random, "incoming.ccxml", func() *ordering {
		return &ordering{
			callees: []string{"200", "200", "201", "202", "203", "203", "204", "205"},
			short:   "tone_stream://%(200,0,440)", long: "tone_stream://%(60000,0,440)",
		}
	})
	caller := s.caller()
	for range random.IntN(3) {
		after, hangsUp := random.IntN(30), random.IntN(3) == 0
		within(s.Site, "some events", func() bool {
			lines := s.Trace.Lines()
			return len(lines) >= after || slices.ContainsFunc(lines, func(line string) bool { return strings.HasPrefix(line, "log asked all ") })
		})
		if hangsUp {
			s.Trace.Add("caller hangs up")
			s.api("uuid_kill", caller)
		} else {
			s.Trace.Add("caller presses 5")
			s.api("uuid_send_dtmf", caller, "5")
		}
	}
	finish(s.Site, random)
	s.api("uuid_kill", caller)
	for _, c := range read(s.Trace.Lines()).sessions {
		for _, id := range c.connections() {
			if c.count(func(e happening) bool { return e.Connection == id && e.Name == "connection.merged" }) > 0 {
				s.api("uuid_kill", id) // nobody's any more
			}
			s.gone(id)
		}
	}
}
