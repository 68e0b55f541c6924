package main

import (
	"bytes"
	"encoding/json"
	"maps"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// ccxmld runs the command line and returns what it printed.
func ccxmld(t *testing.T, args ...string) (status int, out, errors string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	status = run(t.Context(), args, &stdout, &stderr)
	return status, stdout.String(), stderr.String()
}

func TestCheck(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := "../../examples/outbound-calls-with-tokens/outbound-calls-with-tokens.ccxml"
	bad := write("bad.ccxml", `<ccxml version="1.0">
  <eventprocessor>
    <transition event="ccxml.loaded">
      <createcal dest="'tel:1'"/>
      <log expr="1 +"/>
    </transition>
  </eventprocessor>
</ccxml>`)
	broken := write("broken.ccxml", "<ccxml version=\"1.0\">\n<eventprocessor>\n</ccxml>")
	scripted := write("scripted.ccxml", `<ccxml version="1.0"><script src="functions.js"/><eventprocessor/></ccxml>`)
	write("functions.js", "function f( {}")
	foreign := write("foreign.ccxml", `<ccxml version="1.0"><eventprocessor><transition event="a"><x:y xmlns:x="urn:x"/></transition></eventprocessor></ccxml>`)
	goodPage := "../../examples/conference/get_conference_code.vxml"
	badPage := write("page.vxml", `<vxml version="2.1">
  <form>
    <block><if cond="1 &amp;&amp; +"/></block>
    <blok/>
  </form>
</vxml>`)
	notice := write("notice.vxml", `<vxml version="2.1">
  <form><block colour="red">Hello</block></form>
</vxml>`)
	mistaken := write("mistaken.vxml", `<vxml version="2.1">
  <form><block><if cond="1 +"/><log expr=""/></block></form>
  <menu><choice next="#a">One</choice></menu>
</vxml>`)
	digits := write("digits.grxml", `<grammar xmlns="http://www.w3.org/2001/06/grammar" version="1.0" mode="dtmf" root="r"><rule id="r"><ruleref uri="pin.gram"/></rule></grammar>`)
	pin := write("pin.gram", "#ABNF 1.0;\nmode dtmf;\nroot $r;\nmeta 'description' is 'the menu (main)';\npublic $r = 1 2;\n")
	badGrammar := write("bad.grxml", "<grammar version=\"1.0\" mode=\"dtmf\" root=\"r\">\n<rule id=\"r\">fourteen</rule></grammar>")
	badABNF := write("bad.gram", "#ABNF 1.0; mode dtmf; root $r;\n$r = 1")
	headless := write("headless.gram", "mode dtmf; root $r;\n$r = 1;")
	jsgf := write("jsgf.gram", "#JSGF V1.0; grammar a; public <a> = 1 | 2;")
	starred := write("starred.gram", "#ABNF 1.0; mode dtmf; root $r;\n$r = 1 *;")
	hasty := write("hasty.vxml", "<vxml version=\"2.1\" xmlns=\"http://www.w3.org/2001/vxml\">\n<property name=\"timeout\" value=\"3\"/><property name=\"termtimeout\" value=\"0\"/>\n"+
		`<form><record name="m" maxtime="20" finalsilence="2s"><prompt timeout="5000">Go<break time="300"/></prompt></record></form></vxml>`)
	spoken := write("spoken.grxml", `<grammar xmlns="http://www.w3.org/2001/06/grammar" version="1.0" root="r"><rule id="r">one</rule></grammar>`)
	calling := write("calling.ccxml", `<ccxml version="1.0"><eventprocessor><transition event="error.*"/><transition event="connection.connected">
<dialogstart src="'page.vxml'"/>
<dialogstart src="'nowhere.vxml'"/>
<dialogstart src="'page.wav'" type="'audio/wav'"/></transition></eventprocessor></ccxml>`)
	based := write("based.ccxml", `<ccxml version="1.0" xml:base="deep/"><eventprocessor><transition event="error.*"/><transition event="connection.connected">
<dialogstart xml:base="../" src="'page.vxml'"/>
<dialogstart src="'page.vxml'"/></transition></eventprocessor></ccxml>`)
	for name, test := range map[string]struct {
		document string
		status   int
		want     []string
	}{
		"pages of a document with xml:base": {based, 1, []string{badPage + ":4:5: error: ",
			based + ":3:19: warning: the page cannot be read: file://" + filepath.Join(dir, "deep", "page.vxml")}},
		"a page that loads":       {goodPage, 0, nil},
		"an element in a page":    {badPage, 1, []string{badPage + ":4:5: error: <blok> is not an element of VoiceXML [document]"}},
		"an expression in a page": {badPage, 1, []string{badPage + ":3:22: error: <if cond", "[expression]"}},
		"a notice about a page":   {notice, 0, []string{notice + ":2:24: warning: the attribute colour", "[unknown-attribute]"}},
		"a page as configured":    {"vxml:" + badPage, 1, []string{badPage + ":4:5: error: "}},
		"CCXML where a page is":   {"vxml:" + good, 1, []string{"is not the root of a VoiceXML page"}},
		"pages of a document": {calling, 1, []string{badPage + ":4:5: error: ",
			calling + ":3:19: warning: the page cannot be read: ", "[missing-page]"}},
		"what is told when it is reached": {mistaken, 1, []string{mistaken + ":2:26: error: <if cond=\"1 +\">", "[expression]",
			mistaken + ":2:43: note: <log expr=\"\"> is empty; it is read as if it were not there [empty-expression]",
			mistaken + ":3:3: warning: nothing of <menu> can be chosen by keys", "[speech-only]"}},
		"times without a unit": {hasty, 0, []string{hasty + ":2:33: note: timeout has no unit: 3 are milliseconds; write \"3ms\", or \"3s\" if seconds are meant [bare-time]\n",
			hasty + ":3:33: note: maxtime has no unit", hasty + ":3:72: note: timeout has no unit: 5000", hasty + ":3:93: note: time has no unit: 300"}},
		"a grammar that refers to another":         {digits, 0, nil},
		"a grammar in the ABNF form":               {pin, 0, nil},
		"a grammar that is wrong":                  {badGrammar, 1, []string{badGrammar + ":2:14: error: \"fourteen\" is no key", "[grammar]"}},
		"a grammar in the ABNF form that is wrong": {badABNF, 1, []string{badABNF + ":2:7: error: expected \";\"", "[grammar]"}},
		"one of another form":                      {jsgf, 1, []string{jsgf + ":1: error: the grammar is of the form JSGF, which is not read; in SRGS's ABNF form it is #ABNF 1.0; mode dtmf; root $r; $r = 1 | 2;"}},
		"one without its first line":               {headless, 1, []string{headless + ":1:1: error: expected #ABNF 1.0; at the beginning"}},
		"a notice about a grammar":                 {starred, 0, []string{starred + ":2:8: warning: \"*\" stands without quotes", "[grammar]"}},
		"a grammar of speech":                      {spoken, 0, []string{spoken + ":1: note: the grammar is for speech", "[speech-only]"}},
		"a document that loads":                    {good, 0, nil},
		"an unknown element":                       {bad, 1, []string{bad + ":4:7: error: <createcal> is not an element of CCXML (did you mean createcall?)"}},
		"an expression":                            {bad, 1, []string{bad + ":5:18: ", "ends too early"}},
		"not well-formed":                          {broken, 1, []string{broken + ":3:1: "}},
		"a script beside it":                       {scripted, 1, []string{"functions.js:1:15: ", "SyntaxError"}},
		"an unregistered element":                  {foreign, 0, []string{foreign + ":1:60: warning: ", "error.unsupported"}},
		"no such file":                             {filepath.Join(dir, "none.ccxml"), 1, []string{"none.ccxml"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			status, out, _ := ccxmld(t, "check", test.document)
			if status != test.status {
				t.Errorf("exit status %d, want %d; printed:\n%s", status, test.status, out)
			}
			for _, want := range test.want {
				if !strings.Contains(out, want) {
					t.Errorf("printed\n%swithout %q", out, want)
				}
			}
		})
	}
}

// TestCheckForCI: --strict and --format json are what a pipeline goes by.
func TestCheckForCI(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "app.ccxml")
	text := `<ccxml version="1.0"><eventprocessor>
<transition event="send.successfull"/>
<transition event="error.*"/></eventprocessor></ccxml>`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if status, out, _ := ccxmld(t, "check", file); status != 0 || out != file+":2:20: warning: no event is called send.successfull (did you mean send.successful?) [unknown-event]\n" {
		t.Errorf("exit status %d, printed %s", status, out)
	}
	status, out, _ := ccxmld(t, "check", "--strict", "--format", "json", file)
	var list []map[string]any
	if err := json.Unmarshal([]byte(out), &list); err != nil || len(list) != 1 || status != 1 {
		t.Fatalf("exit status %d, printed %s: %v", status, out, err)
	}
	want := map[string]any{"document": file, "line": 2.0, "column": 20.0, "severity": "warning", "code": "unknown-event",
		"message": "no event is called send.successfull (did you mean send.successful?)"}
	if !maps.Equal(list[0], want) {
		t.Errorf("printed %v, want %v", list[0], want)
	}
	if status, out, _ := ccxmld(t, "check", "--strict", "--format", "json", "../../examples/conference-cgi/cgi/pages/getConferenceCode.ccxml"); status != 0 || out != "[]\n" {
		t.Errorf("exit status %d, printed %s", status, out)
	}
	if status, _, errors := ccxmld(t, "check", "--format", "yaml", file); status != 1 || !strings.Contains(errors, "--format") {
		t.Errorf("exit status %d, printed %s", status, errors)
	}
}

func TestVersion(t *testing.T) {
	t.Parallel()
	if status, out, _ := ccxmld(t, "version"); status != 0 || !strings.HasPrefix(out, "ccxmld ") {
		t.Errorf("exit status %d, printed %q", status, out)
	}
}

// An address that cannot be opened keeps the daemon from starting, in words.
func TestServeRefusesTakenAddresses(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, c := range []struct{ esl, http, want string }{
		{taken.Addr().String(), "127.0.0.1:0", "esl.listen: "},
		{"127.0.0.1:0", taken.Addr().String(), "http.listen: "},
		{"192.0.2.1:0", "127.0.0.1:0", "an address of this machine"},
	} {
		status, _, errors := ccxmld(t, "serve", "--esl-listen", c.esl, "--esl-allow", "127.0.0.1", "--http-listen", c.http)
		if status != 1 || !strings.Contains(errors, c.want) || strings.Count(errors, "\n") != 1 {
			t.Errorf("%v: exit status %d, printed %s", c, status, errors)
		}
	}
}

// A configuration that cannot be meant keeps the daemon from starting, with the
// file and line.
func TestServeRefusesBadConfiguration(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "ccxmld.yaml")
	if err := os.WriteFile(file, []byte("log:\n  level: loud\nhtp:\n  listen: 127.0.0.1:0\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	status, _, errors := ccxmld(t, "serve", "--config", file)
	if status != 1 || !strings.Contains(errors, file+":2: log.level") || !strings.Contains(errors, file+":3: htp") {
		t.Errorf("exit status %d, printed:\n%s", status, errors)
	}
}

// The document that runs pages is one that people could have written.
func TestVoiceXMLDocumentIsChecked(t *testing.T) {
	t.Parallel()
	if status, out, _ := ccxmld(t, "check", "--strict", "../../callcontrol/documents/voicexml.ccxml"); status != 0 || out != "" {
		t.Errorf("exit status %d, printed:\n%s", status, out)
	}
}
