package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// inOrder checks that texts are in the output, one after the other.
func inOrder(t *testing.T, out string, texts ...string) {
	t.Helper()
	rest := out
	for _, text := range texts {
		_, after, found := strings.Cut(rest, text)
		if !found {
			t.Errorf("not shown, or not in this order: %q in\n%s", text, out)
			return
		}
		rest = after
	}
}

func TestSimulate(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	page := write("menu.vxml", `<vxml version="2.1"><form>
<field name="who" type="digits?length=2"><prompt>Press 01 for sales.</prompt><nomatch>Two digits, please.</nomatch></field>
<transfer name="t" destexpr="'tel:14' + who" type="bridge">Please hold.</transfer>
<block><log label="outcome" expr="t"/>Goodbye.<exit namelist="who t"/></block></form></vxml>`)
	spoken := write("spoken.vxml", `<vxml version="2.1"><form>
<field name="who"><prompt>Sales or support?</prompt><option value="sales">sales</option><option value="support">support</option>
<nomatch>Pardon?</nomatch><filled><log expr="who$.inputmode + ' ' + who"/></filled></field>
<field name="key" type="digits?length=1"><prompt timeout="60s">Press a key.</prompt><filled><log expr="key$.inputmode + ' ' + key"/><exit/></filled></field>
</form></vxml>`)
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `<text>text of the other</text>`)
	}))
	t.Cleanup(other.Close)
	host := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/start.vxml" {
			fmt.Fprint(w, `<vxml version="2.1"><form><block><goto next="next.vxml"/></block></form></vxml>`)
			return
		}
		fmt.Fprintf(w, `<vxml version="2.1"><form><block><data name="d" src="%s/text"/><log expr="d.documentElement.firstChild.data"/></block></form></vxml>`, other.URL)
	}))
	t.Cleanup(host.Close)
	write("dials.vxml", `<vxml version="2.1"><form><field name="k" type="digits?length=1"><prompt>Press a key.</prompt><filled><exit namelist="k"/></filled></field></form></vxml>`)
	for name, c := range map[string]struct {
		args   []string
		status int
		shows  []string
	}{
		"digits, events, a transfer and what the page returns": {[]string{page, "--digits", "1#,01", "--callee", "1401=answers:5s"}, 0, []string{
			"4075550100   dials      8001 [caller = ", "hears      speech: Press 01 for sales.", "4075550100   presses    1#\n", "page         event      nomatch",
			"hears      speech: Two digits, please.", "4075550100   presses    01\n", "[caller, dialog 1]", "1401         is called  [callee 1 = ", "connection.connected → voicexml.ccxml:108 [callee 1]", "4075550100   hears      bridge: 1401", "[send 1 = ",
			"page         log        outcome far_end_disconnect",
			`values     {"t":"far_end_disconnect","who":"01"}`, "session 1    ends"}},
		"keys at times": {[]string{page, "--digits", "1s:0,1500ms:1", "--callee", "1401=busy", "--from", "4075550199", "--to", "8002"}, 0, []string{
			"4075550199   dials      8002", "4075550199   presses    0\n", "4075550199   presses    1\n", "page         log        outcome busy", "session 1    ends"}},
		"words and keys": {[]string{spoken, "--says", "3s:good morning,support", "--digits", "20s:1"}, 0, []string{
			"hears      speech: Sales or support?", "says       good morning\n", "page         event      nomatch", "says       support\n",
			"page         log        voice support", "hears      speech: Press a key.", "presses    1\n", "page         log        dtmf 1", "session 1    ends"}},
		"a caller who hangs up": {[]string{page, "--hangup", "1s"}, 0, []string{
			"hangs up", "page         event      connection.disconnect.hangup", "session 1    ends"}},
		"a page on a private host, and another that is allowed": {[]string{host.URL + "/start.vxml", "--allow", other.URL + "/"}, 0, []string{
			"http         GET        " + host.URL + "/start.vxml → 200, ", "http         GET        " + other.URL + "/text → 200, 30 bytes", "page         log        text of the other", "session 1    ends"}},
		"a session without a call": {[]string{"../../examples/outbound-calls-with-tokens/outbound-calls-with-tokens.ccxml",
			"--value", "number=4072223333", "--callee", "4072223333=busy"}, 0, []string{
			"4072223333   is called", "event      connection.failed (busy)", "session 1    ends"}},
		"keys of who is called by a session without a call": {[]string{write("dials.ccxml",
			`<ccxml version="1.0"><eventprocessor><transition event="ccxml.loaded"><createcall dest="'tel:' + session.values.number"/></transition>
<transition event="connection.connected"><dialogstart src="'dials.vxml'" connectionid="event$.connectionid"/></transition>
<transition event="dialog.exit"><log expr="'pressed ' + event$.values.k"/></transition>
<transition event="connection.disconnected"><send target="'`+host.URL+`/gone'" targettype="'basichttp'" name="'gone'"/></transition>
<transition event="send.successful"><exit/></transition></eventprocessor></ccxml>`),
			"--value", "number=14", "--digits", "3s:7", "--hangup", "9s", "--allow", host.URL + "/"}, 0, []string{
			"14           is called  [callee 1 = ", "14           presses    7\n", "dials.ccxml:3 [callee 1, dialog 1]", "log        pressed 7", " 11.00s  14           hangs up", "http         GET        " + host.URL + "/gone?name=gone&sessionid=",
			"send.successful → dials.ccxml:5 [send 1 = ", "session 1    ends"}},
		"a session that ends with a value": {[]string{write("exits.ccxml",
			`<ccxml version="1.0"><eventprocessor><transition event="connection.alerting"><exit expr="'pass'"/></transition></eventprocessor></ccxml>`)}, 0,
			[]string{"session 1    ends       pass"}},
		"a number that is none": {[]string{write("number.ccxml",
			`<ccxml version="1.0"><eventprocessor><transition event="ccxml.loaded"><createcall dest="'fax:nobody'"/></transition>
<transition event="connection.failed"><exit/></transition></eventprocessor></ccxml>`), "--value", "a=b"}, 0,
			[]string{`warns      call not placed: not a destination that can be dialled: "fax:nobody" is neither`, "connection.failed (badnumber)"}},
		"a session that dies": {[]string{write("dies.ccxml",
			`<ccxml version="1.0"><eventprocessor><transition event="connection.alerting"><log expr="nobody"/></transition></eventprocessor></ccxml>`)}, 1,
			[]string{"event      error.semantic", "session 1    dies"}},
		"a document that does not load": {[]string{write("bad.vxml", `<vxml version="2.1"><form><blok/></form></vxml>`)}, 1,
			[]string{"bad.vxml:1:27: error: <blok> is not an element of VoiceXML [document]"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			status, out, errors := ccxmld(t, append([]string{"simulate"}, c.args...)...)
			if status != c.status {
				t.Errorf("exit status %d, want %d; %s", status, c.status, errors)
			}
			inOrder(t, out, c.shows...)
		})
	}
}

func TestSimulateRefusesFlags(t *testing.T) {
	t.Parallel()
	const page = "../../examples/conference/get_conference_code.vxml"
	for want, args := range map[string][]string{
		`"1x" are no keys`:                          {page, "--digits", "2,1x"},
		`--digits: "soon" is no time`:               {page, "--digits", "soon:1"},
		`--says: "now" is no time`:                  {page, "--says", "now:sales"},
		`--says: nothing comes after "2s:"`:         {page, "--says", "2s:"},
		`--callee is "1=foo"`:                       {page, "--callee", "1=foo"},
		`--callee is "1=busy:2s"`:                   {page, "--callee", "1=busy:2s"},
		`--value is "number"`:                       {page, "--value", "number"},
		"--from and --to are of somebody who calls": {page, "--value", "a=b", "--from", "1"},
		"with --value nobody does":                  {page, "--value", "a=b", "--to", "1"},
		"there is no such file":                     {"nowhere.ccxml"},
		"documents.allow":                           {page, "--allow", "https://example.org"},
		"accepts 1 arg(s), received 0":              {},
	} {
		if status, out, errors := ccxmld(t, append([]string{"simulate"}, args...)...); status != 1 || !strings.Contains(errors, want) {
			t.Errorf("%v: exit status %d, %q, printed:\n%s", args, status, errors, out)
		}
	}
}

// TestSimulateIsTheSameEveryTime: the trace is byte for byte the same, however busy the
// machine is and on however many processors, with ids, Math.random, calls that cross
// and a long wait in it.
func TestSimulateIsTheSameEveryTime(t *testing.T) {
	dir := t.TempDir()
	document := filepath.Join(dir, "busy.ccxml")
	if err := os.WriteFile(document, []byte(`<ccxml version="1.0"><var name="n" expr="0"/><eventprocessor>
<transition event="connection.alerting"><accept/></transition>
<transition event="connection.connected" cond="n == 0"><assign name="n" expr="1"/><log expr="Math.random() + ' ' + new Date().getTime()"/>
<createconference confname="'meeting'" conferenceid="conf"/><createcall dest="'tel:1'"/><createcall dest="'tel:2'"/><createcall dest="'tel:3'"/>
<dialogstart src="'busy.vxml'" connectionid="event$.connectionid"/><send target="session.id" targettype="'ccxml'" name="'late'" delay="'600s'"/></transition>
<transition event="connection.connected"><log expr="event$.connectionid"/><dialogstart src="'busy.vxml'" connectionid="event$.connectionid"/></transition>
<transition event="dialog.exit"><log expr="event$.values.r"/></transition>
<transition event="late"><exit expr="Math.random()"/></transition>
<transition event="connection.disconnected"/><transition event="error.*"><log expr="event$.reason"/></transition>
</eventprocessor></ccxml>`), 0o600); err != nil {
		t.Fatal(err)
	}
	page := `<vxml version="2.1"><form><block><var name="r" expr="Math.random()"/>Hello <value expr="r"/>.<exit namelist="r"/></block></form></vxml>`
	if err := os.WriteFile(filepath.Join(dir, "busy.vxml"), []byte(page), 0o600); err != nil {
		t.Fatal(err)
	}
	trace := func() string {
		status, out, errors := ccxmld(t, "simulate", document, "--longest", "2h", "--callee", "2=busy")
		if status != 0 {
			t.Errorf("exit status %d; %s", status, errors)
		}
		return out
	}
	first := trace()
	inOrder(t, first, "call ends", "600.00s  session 1    event      late", "session 1    ends       0.")
	busy, stop := context.WithCancel(t.Context())
	var spinning sync.WaitGroup
	for range 2 * runtime.NumCPU() {
		spinning.Go(func() {
			for busy.Err() == nil {
			}
		})
	}
	second := trace()
	stop()
	spinning.Wait()
	before := runtime.GOMAXPROCS(1)
	third := trace()
	runtime.GOMAXPROCS(before)
	for name, other := range map[string]string{"a busy machine": second, "one processor": third} {
		if other != first {
			t.Errorf("with %s:\n%s\nwhere the first run had:\n%s", name, other, first)
		}
	}
}
