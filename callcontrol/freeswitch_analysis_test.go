//go:build freeswitch

package callcontrol_test

import (
	"strings"
	"testing"

	"ccxmld/sitetest"
)

// What has answered, on a real FreeSWITCH: the callee's half of a loopback call
// says what such machines say.
func TestFreeSWITCHAnalysis(t *testing.T) {
	const sentence = "speak:flite|kal|Please leave a message after the tone."
	for _, c := range []struct{ name, attributes, says, want string }{
		{"a fax that calls", "", "playback:tone_stream://%(500,1500,1100);loops=4", "faxtone"},
		{"a fax that answers", "", "playback:tone_stream://%(2600,0,2100)", "faxtone"},
		{"number not in service", "", "playback:tone_stream://%(330,0,950);%(330,0,1400);%(330,0,1800)^playback:tone_stream://%(330,1000,985.2);%(330,0,1428.5);%(330,0,1776.7)", "sit"},
		{"an answering machine", `voxeo-cpa-maskevent="'human,machine,beep'"`, sentence + "^sleep:300^playback:tone_stream://%(600,200,440);loops=2", "machine beep"},
		{"a human", "", "speak:flite|kal|hello", "human"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newRealSite(t, sitetest.WithToken("out.ccxml"), sitetest.With("DIAL_ROUTES", "[{match: 'tel:200', dial: 'loopback/app=conference:answers-200@ccxmld'}]"))
			s.Document("out.ccxml", analysed("200", c.attributes))
			s.StartToken("")
			s.WaitLog("up ")
			var call string
			for _, line := range s.Trace.Lines() {
				if id, ok := strings.CutPrefix(line, "log up "); ok {
					call = id
				}
			}
			callee := s.farEnd(call)
			s.api("uuid_transfer", callee, "'m:^:"+c.says+"^park:' inline")
			for result := range strings.FieldsSeq(c.want) {
				s.WaitLog("200 is " + result)
			}
			s.api("uuid_kill", callee)
			s.WaitIdle()
			if got := results(s.Site, "200"); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}
