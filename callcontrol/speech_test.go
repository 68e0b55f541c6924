package callcontrol_test

import (
	"strings"
	"testing"

	"ccxmld/sitetest"
	"ccxmld/switchsim"
)

// A caller says what a menu offers, breaks its prompt off by that, and answers the
// next question by a key. The legs of others do not hear of speech.
func TestSpeech(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t, sitetest.With("DIALOG_ASR", "test"))
	s.Switch.AddASR("test")
	s.Switch.AddSound("/sounds/long.wav", 3600e9)
	page := "vxml:" + s.Document("menu.vxml", `<vxml version="2.1" xmlns="http://www.w3.org/2001/vxml">
<menu><prompt><audio src="file:///sounds/long.wav"/></prompt><choice next="#sales">Sales</choice><choice next="#support">Support</choice></menu>
<form id="sales"><field name="sure" type="boolean"><prompt>Sales, by <value expr="application.lastresult$.inputmode"/>. Sure?</prompt>
<filled><prompt>You said <value expr="sure$.inputmode + ' ' + sure"/>.</prompt></filled></field></form>
<form id="support"><block>Support.</block></form></vxml>`)
	caller, err := s.Switch.Dial(switchsim.Call{To: "8010", Sockets: []string{s.Daemon.ESLAddress()}, Variables: map[string]string{"ccxml_uri": page}})
	s.Must(err)
	s.Must(caller.WaitHeard(s.Context(), "long.wav"))
	caller.Say("sales")
	s.Must(caller.WaitHeard(s.Context(), "Sure?"))
	caller.Press("2")
	s.Must(caller.WaitHeard(s.Context(), "You said"))
	if _, err := caller.WaitEnded(s.Context()); err != nil {
		t.Fatal(err)
	}
	var detect int
	for _, command := range caller.Commands() {
		if strings.Contains(command, "detect_speech") {
			detect++
		}
	}
	if detect < 4 {
		t.Errorf("%d commands detect_speech, want at least those that begin and end two turns:\n%s", detect, strings.Join(caller.Commands(), "\n"))
	}
}
