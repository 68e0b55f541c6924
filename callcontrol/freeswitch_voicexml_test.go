//go:build freeswitch

package callcontrol_test

import (
	"fmt"
	"testing"

	"ccxmld/sitetest"
)

// withPage routes calls to a VoiceXML page of the site's directory.
func withPage(name string) sitetest.Option {
	return func(o *sitetest.Options) {
		o.Environment["DOCUMENTS_ROUTES"] = fmt.Sprintf("[{uri: 'vxml:file://%s/%s'}]", o.Dir, name)
	}
}

// A page without CCXML has its caller transferred, and goes on when the callee has
// hung up.
func TestFreeSWITCHVoiceXMLTransfer(t *testing.T) {
	for _, c := range []struct{ name, attributes, to, want string }{
		{"maxtime", `bridge="true" maxtime="1s"`, "tel:1", "maxtime_disconnect"},
		{"busy", `bridge="true"`, "tel:2", "busy"},
		{"noanswer", `bridge="true" connecttimeout="1s"`, "tel:4", "noanswer"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newRealSite(t, withPage("page.vxml"))
			s.Document("page.vxml", `<vxml version="2.1"><form><transfer name="t" dest="`+c.to+`" `+c.attributes+`/>
<block><audio src="tone_stream://%(300,0,440)"/><log>outcome <value expr="t"/></log></block></form></vxml>`)
			caller := s.caller()
			s.Must(s.DaemonLog.WaitText(s.Context(), c.want))
			s.gone(caller)
			s.WaitIdle()
		})
	}
}

// A caller who is handed over talks on without the page.
func TestFreeSWITCHVoiceXMLHandOver(t *testing.T) {
	for _, kind := range []string{"blind", "consultation"} {
		t.Run(kind, func(t *testing.T) {
			s := newRealSite(t, withPage("page.vxml"))
			s.Document("page.vxml", `<vxml version="2.1"><form><transfer name="t" dest="tel:1" type="`+kind+`"/></form></vxml>`)
			caller := s.caller()
			s.Must(s.Trace.Wait(s.Context(), "event conference.joined"))
			s.Must(s.Trace.Wait(s.Context(), "event dialog.exit"))
			if exists := s.api("uuid_exists", caller); exists != "true" {
				t.Errorf("the caller was hung up: %s", exists)
			}
			s.api("uuid_kill", caller)
			s.WaitIdle()
		})
	}
}
