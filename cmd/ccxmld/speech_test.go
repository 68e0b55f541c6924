package main

import (
	"strings"
	"testing"

	"ccxmld/switchsim"
)

// A caller says what a menu offers, breaks its prompt off by that, and answers the
// next question by a key. The legs of others do not hear of speech.
func TestSpeech(t *testing.T) {
	t.Parallel()
	h := newHouse(t, with("DIALOG_ASR", "test"))
	h.sw.AddASR("test")
	h.sw.AddSound("/sounds/long.wav", 3600e9)
	page := "vxml:" + h.document("menu.vxml", `<vxml version="2.1" xmlns="http://www.w3.org/2001/vxml">
<menu><prompt><audio src="file:///sounds/long.wav"/></prompt><choice next="#sales">Sales</choice><choice next="#support">Support</choice></menu>
<form id="sales"><field name="sure" type="boolean"><prompt>Sales, by <value expr="application.lastresult$.inputmode"/>. Sure?</prompt>
<filled><prompt>You said <value expr="sure$.inputmode + ' ' + sure"/>.</prompt></filled></field></form>
<form id="support"><block>Support.</block></form></vxml>`)
	caller, err := h.sw.Dial(switchsim.Call{To: "8010", Sockets: []string{h.daemon.ESLAddress()}, Variables: map[string]string{"ccxml_uri": page}})
	h.must(err)
	h.must(caller.WaitHeard(h.ctx, "long.wav"))
	caller.Say("sales")
	h.must(caller.WaitHeard(h.ctx, "Sure?"))
	caller.Press("2")
	h.must(caller.WaitHeard(h.ctx, "You said"))
	if _, err := caller.WaitEnded(h.ctx); err != nil {
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
