package vxml_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ccxmld/clock/clocktest"
	"ccxmld/dialog"
	"ccxmld/dialog/dialogtest"
	"ccxmld/dialog/vxml"
	"ccxmld/fetch"
)

// server answers fetches of pages by path, and remembers them.
type server struct {
	engine string // of text-to-speech; "" is flite
	ears   string // the engine for speech recognition
	pages  map[string]string
	asked  []string
}

func (s *server) Fetch(ctx context.Context, r fetch.Request) (*fetch.Response, error) {
	var form []string
	for _, p := range r.Form {
		form = append(form, p.Name+"="+p.Value)
	}
	s.asked = append(s.asked, strings.TrimSpace(r.Method+" "+r.URI+" "+strings.Join(form, "&")))
	u, err := url.Parse(r.URI)
	if err != nil {
		return nil, err
	}
	text, ok := s.pages[strings.TrimPrefix(u.Path, "/")]
	text, late := strings.CutPrefix(text, "late ")
	if late {
		time.Sleep(2 * time.Second) // of the bubble
	}
	if text == "slow" {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if !ok {
		return nil, errors.New(r.URI + ": 404 Not Found")
	}
	return &fetch.Response{URI: r.URI, Status: 200, ContentType: "application/voicexml+xml", Body: []byte(text), Version: text}, nil
}

// call is a VoiceXML dialog on a leg, with what its session was told.
type call struct {
	*dialogtest.Leg
	t      *testing.T
	server *server
	dialog dialog.Dialog
	told   []string
	result dialog.Result
}

// start runs a page, given as the content of <vxml> or whole, in a bubble.
func start(t *testing.T, page string, change func(*dialog.Request, *server, *dialogtest.Leg)) *call {
	t.Helper()
	x := &call{Leg: dialogtest.NewLeg(), t: t, server: &server{pages: map[string]string{"start.vxml": whole(page)}}}
	r := dialog.Request{
		ID: "d1", Session: "s1", Source: "start.vxml", Base: "http://host/start.ccxml", Type: "application/voicexml+xml",
		Call: dialog.Call{
			Local: "sip:1000@here", Remote: "sip:alice@there", Originator: "sip:alice@there", AAI: "account=7",
			Redirects: []dialog.Redirect{{URI: "tel:5", Reason: "user busy"}},
		},
	}
	if change != nil {
		change(&r, x.server, x.Leg)
	}
	s := dialog.New(dialog.Options{TTSEngine: cmp.Or(x.server.engine, "flite"), TTSVoice: "kal", ASREngine: x.server.ears, Clock: clocktest.Real(), Fetcher: x.server, Recordings: "/rec"})
	vxml.Register(s, vxml.Options{})
	x.Call(func() {
		x.dialog = s.Start(r, x.Leg, x.Do, dialog.Events{
			Started:           func() { x.told = append(x.told, "started") },
			NotStarted:        func(reason string) { x.told = append(x.told, "notstarted: "+reason) },
			Exited:            func(result dialog.Result) { x.told, x.result = append(x.told, "exit"), result },
			Disconnect:        func(v dialog.Values) { x.told = append(x.told, "disconnect "+v.Text("why")) },
			Transfer:          func(t dialog.Transfer) { x.told = append(x.told, fmt.Sprintf("transfer %+v", t)) },
			TerminateTransfer: func(reason string) { x.told = append(x.told, "terminatetransfer "+reason) },
			User:              func(event string, v dialog.Values) { x.told = append(x.told, event+" "+v.Text("a")) },
		})
	})
	return x
}

func whole(page string) string {
	if strings.Contains(page, "<vxml") {
		return page
	}
	return `<vxml version="2.1" xmlns="http://www.w3.org/2001/vxml">` + page + `</vxml>`
}

func (x *call) press(digits string) {
	for _, d := range digits {
		x.Call(func() { x.dialog.Digit(string(d)) })
	}
}

func (x *call) events() string {
	var told string
	x.Call(func() { told = strings.Join(x.told, ", ") })
	return told
}

func (x *call) want(events string, values map[string]any, heard ...string) {
	x.t.Helper()
	if got := x.events(); got != events {
		x.t.Errorf("told %q, want %q", got, events)
	}
	if got := x.result.Values.Object(); values != nil && !reflect.DeepEqual(got, values) {
		x.t.Errorf("values %v, want %v", got, values)
	}
	if got := x.Heard(); !reflect.DeepEqual(got, heard) {
		x.t.Errorf("heard %q, want %q", got, heard)
	}
}

// TestConferenceCode runs the dialog of the published conference application.
func TestConferenceCode(t *testing.T) {
	page, err := os.ReadFile("../../examples/conference/get_conference_code.vxml")
	if err != nil {
		t.Fatal(err)
	}
	const (
		welcome = "say Welcome. Please enter the ten digits of your conference number."
		again   = "say Please enter the ten digits of your conference number, then wait."
		sorry   = "say I still have no conference number. Please call again when you have it."
		silence = "say I have not heard any digits."
		wrong   = "say That was no conference number."
		entered = "say You have entered"
		number  = "say 4 0 7 5 5 5 0 1 0 0"
		right   = "say Press 1 if that is right, or 2 to enter it again."
	)
	found := map[string]any{"conference_code": "4075550100"}
	tests := []struct {
		name   string
		act    func(*call)
		values map[string]any
		heard  []string
	}{
		{"entered at once, and confirmed", func(x *call) { x.press("40755501001") }, found, []string{welcome + "…", entered + "…"}},
		{"confirmed when it was read back", func(x *call) { x.press("4075550100"); x.Pass(5 * time.Second); x.press("1") }, found,
			[]string{welcome + "…", entered, number, right}},
		{"entered after the prompt, with a #", func(x *call) { x.Pass(5 * time.Second); x.press("4075550100#1") }, found, []string{welcome, entered + "…"}},
		{"too few, then right", func(x *call) { x.press("407#"); x.Pass(2 * time.Second); x.press("40755501001") }, found,
			[]string{welcome + "…", wrong, again + "…", entered + "…"}},
		{"too slow, then right", func(x *call) { x.press("407"); x.Pass(8 * time.Second); x.press("40755501001") }, found,
			[]string{welcome + "…", wrong, again + "…", entered + "…"}},
		{"entered anew", func(x *call) { x.press("40755501992"); x.Pass(time.Second); x.press("40755501001") }, found,
			[]string{welcome + "…", entered + "…", again + "…", entered + "…"}},
		{"never confirmed", func(x *call) { x.press("4075550100"); x.Pass(time.Minute) }, map[string]any{},
			[]string{welcome + "…", entered, number, right, entered, number, right, entered, number, right, sorry}},
		{"never", func(x *call) { x.Pass(time.Minute) },
			map[string]any{}, []string{welcome, silence, again, silence, again, silence, sorry}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				x := start(t, string(page), nil)
				x.Pass(100 * time.Millisecond)
				test.act(x)
				x.Pass(time.Nanosecond)
				x.want("started, exit", test.values, test.heard...)
				if x.result.Reason != "" {
					t.Error(x.result.Reason)
				}
			})
		})
	}
}

// pageTest runs a page to its end.
type pageTest struct {
	name, page string
	pages      map[string]string
	digits     string // pressed 200 ms after the start; "," waits for three seconds
	values     map[string]any
	reason     string // what the exit's reason has in it
	heard      []string
}

func (test *pageTest) run(t *testing.T) {
	x := start(t, test.page, func(r *dialog.Request, s *server, l *dialogtest.Leg) {
		for name, page := range test.pages {
			if strings.HasSuffix(name, ".vxml") {
				page = whole(page)
			}
			s.pages[name] = page
		}
		l.Sounds["/b.wav"] = time.Second
		r.Parameters = []dialog.Pair{{Name: "site.code", Value: "7"}}
	})
	x.Pass(200 * time.Millisecond)
	for burst := range strings.SplitSeq(test.digits, ",") {
		x.press(burst)
		x.Pass(3 * time.Second)
	}
	x.Pass(time.Hour)
	events := "started, exit"
	if test.name == "disconnect" {
		events = "started, disconnect bye, exit"
	}
	x.want(events, test.values, test.heard...)
	if test.reason == "" && x.result.Reason != "" || !strings.Contains(x.result.Reason, test.reason) {
		t.Errorf("reason %q, want %q in it", x.result.Reason, test.reason)
	}
	if test.name == "submit" && x.server.asked[1] != "post http://host/next.vxml f=12" {
		t.Errorf("asked %q", x.server.asked)
	}
}

func TestPages(t *testing.T) {
	const field = `<field name="f" type="digits?length=2">`
	tests := []pageTest{
		{"nothing but a prompt", `<form><block>Hello,
			world.</block></form>`, nil, "", map[string]any{}, "", []string{"say Hello, world."}},
		{"values and expressions", `<var name="n" expr="20"/><form><var name="m" expr="n + 1"/>
			<block><assign name="m" expr="m * 2"/><prompt>It is <value expr="m"/>.</prompt><exit namelist="m n"/></block></form>`,
			nil, "", map[string]any{"m": int64(42), "n": int64(20)}, "", []string{"say It is 42."}},
		{"if", `<form><var name="a" expr="2"/><block><if cond="a == 1">one<elseif cond="a == 2"/>two<else/>three</if></block></form>`,
			nil, "", nil, "", []string{"say two"}},
		{"conditions of items", `<form><block cond="false">no</block><block name="b" expr="true">no</block><block>yes</block></form>`,
			nil, "", nil, "", []string{"say yes"}},
		{"audio and its alternatives", `<form><block><audio src="here.wav">no</audio> <audio src="file:///gone.wav">gone <audio src="file:///b.wav"/></audio>
			<audio expr="undefined">no</audio><audio expr="'file:///b.wav'"/></block></form>`,
			nil, "", nil, "", []string{"say no", "say gone", "/b.wav", "/b.wav"}},
		{"audio that is not there is passed over, and told", `<form><block><audio src="file:///gone.wav"/>Hello</block></form>`,
			nil, "", map[string]any{}, "/gone.wav could not be played: FILE NOT FOUND", []string{"say Hello"}},
		{"speech markup", `<form><block>One <emphasis>two</emphasis><break time="250ms"/> &amp; three</block></form>`,
			nil, "", nil, "", []string{"say One two", "silence_stream://250", "say & three"}},
		{"a pause inside of markup", `<form><block><prosody rate="slow">One<break/>two</prosody></block></form>`,
			nil, "", nil, "", []string{"say One", "silence_stream://500", "say two"}},
		{"digits", `<form>` + field + `Two digits<filled>You said <value expr="f"/> <exit namelist="f"/></filled></field></form>`,
			nil, "12", map[string]any{"f": "12"}, "", []string{"say Two digits…", "say You said 12"}},
		{"builtin grammar", `<form><field name="f"><grammar src="builtin:dtmf/digits?minlength=1;maxlength=3"/>Go</field>
			<filled><exit namelist="f f$.inputmode application.lastresult$[0].utterance"/></filled></form>`,
			nil, "1#", map[string]any{"f": "1", "f$.inputmode": "dtmf", "application.lastresult$[0].utterance": "1"}, "", []string{"say Go"}},
		{"two fields, typed ahead", `<form><field name="a" type="digits?length=2">A</field><field name="b" type="digits?length=3">B</field>
			<filled mode="all"><exit namelist="a b"/></filled></form>`,
			nil, "12345", map[string]any{"a": "12", "b": "345"}, "", []string{"say A", "say B…"}},
		{"a # too many is not the next answer", `<form><field name="a" type="digits?length=2">A</field><field name="b" type="digits?length=2">B</field>
			<filled mode="all"><exit namelist="a b"/></filled></form>`,
			nil, "12#34", map[string]any{"a": "12", "b": "34"}, "", []string{"say A", "say B…"}},
		{"prompts of blocks can be barged into", `<form><block>A long introduction to it all.</block>` + field + `Go<filled><exit namelist="f"/></filled></field></form>`,
			nil, "12", map[string]any{"f": "12"}, "", []string{"say A long introduction to it all.…"}},
		{"a prompt that must be heard", `<form>` + field + `<prompt bargein="false">All of this must be heard.</prompt>
			<noinput><exit expr="'none'"/></noinput></field></form>`,
			nil, "12", map[string]any{"expr": "none"}, "", []string{"say All of this must be heard."}},
		{"prompt counts and event counts", `<form>` + field + `<prompt>1</prompt><prompt count="3">3</prompt>
			<noinput>a<reprompt/></noinput><noinput count="2">b<reprompt/></noinput><noinput count="4"><exit/></noinput></field></form>`,
			nil, "", map[string]any{}, "", []string{"say 1", "say a", "say 1", "say b", "say 3", "say b", "say 3"}},
		{"no reprompt", `<form>` + field + `<prompt timeout="1s">Go</prompt><noinput count="3"><exit/></noinput><noinput>a</noinput></field></form>`,
			nil, "", map[string]any{}, "", []string{"say Go", "say a", "say a"}},
		{"handlers from the inside out", `<noinput>page<exit/></noinput><form><noinput cond="false">no</noinput><noinput>form<exit/></noinput>` + field + `Go</field></form>`,
			nil, "", nil, "", []string{"say Go", "say form"}},
		{"a thrown event", `<form><catch event="com.example"><log>got <value expr="_event"/></log><exit expr="_event + _message"/></catch>
			<block><throw event="com.example.a" messageexpr="'!'"/></block></form>`,
			nil, "", map[string]any{"expr": "com.example.a!"}, "", nil},
		{"nobody catches", `<form><block><throw event="com.example"/></block></form>`, nil, "", map[string]any{}, "nothing catches com.example", nil},
		{"a mistake before there is a form", `<var name="x" expr="y"/><catch event="error.semantic"><goto nextitem="b"/></catch><catch event="error.badfetch"><exit expr="_event"/></catch><form><block name="b"/></form>`,
			nil, "", map[string]any{"expr": "error.badfetch"}, "", nil},
		{"turns in circles", `<form><field name="f" type="digits"><property name="timeout" value="0s"/><audio src="file:///gone.wav"/></field></form>`,
			nil, "", nil, "circles", nil},
		{"fetches in foreach may take their time", `<form><var name="n" expr="0"/><block><foreach item="i" array="[1, 2, 3]"><data src="slow.xml"/><assign name="n" expr="n + i"/></foreach><exit namelist="n"/></block></form>`,
			map[string]string{"slow.xml": "late <x/>"}, "", map[string]any{"n": int64(6)}, "", nil},
		{"submitted without end", `<form><var name="o" expr="{}"/><catch event="error.semantic"><exit expr="_message.substring(_message.length - 25)"/></catch>
			<block><script>for (var c of 'abcdefgh') o[c] = o;</script><submit next="next.vxml" namelist="o"/></block></form>`,
			nil, "", map[string]any{"expr": "an object contains itself"}, "", nil},
		{"submitted too much", `<form><var name="o" expr="{}"/><catch event="error.semantic"><exit expr="_message"/></catch>
			<block><script>for (var i = 0; i != 10; i++) o[i] = 'x'.repeat(1000000);</script><submit next="next.vxml" namelist="o"/></block></form>`,
			nil, "", map[string]any{"expr": "o.4: more than 4 MiB are submitted"}, "", nil},
		{"a mistake in an expression", "\n<form><block>\n<assign name='x' expr='1'/></block></form>", nil, "", nil, "start.vxml:3:15: x is not declared", nil},
		{"a mistake, caught", `<form><error>Sorry<exit expr="_event"/></error><block><value expr="nope"/></block></form>`,
			nil, "", map[string]any{"expr": "error.semantic"}, "", []string{"say Sorry"}},
		{"handlers in circles", `<form><catch><throw event="again"/></catch><block><throw event="again"/></block></form>`, nil, "", nil, "circles", nil},
		{"errors with turns between them", `<form><catch event="error"><assign name="f" expr="undefined"/></catch><field name="f" type="digits"><property name="timeout" value="20ms"/>
			<noinput><assign name="nowhere" expr="1"/></noinput></field></form>`, nil, "", nil, "start.vxml:1:127: 200 error events within 10s; the last was error.semantic", nil},
		{"many items between short turns", `<var name="n" expr="0"/><form id="a"><block><assign name="n" expr="n + 1"/><if cond="n % 100 != 0"><goto next="#a"/></if></block>
			<field name="f" type="digits"><property name="timeout" value="20ms"/><noinput><goto next="#a"/></noinput></field></form>`, nil, "", nil, "circles", nil},
		{"forms in circles", `<form id="a"><block><goto next="#a"/></block></form>`, nil, "", nil, "circles", nil},
		{"pages in circles", `<var name="x" expr="y"/><catch><goto next="start.vxml"/></catch><form><block/></form>`, nil, "", nil, "start.vxml: 200 error events within 10s; the last was error.semantic: http://host/start.vxml:1:77: ReferenceError", nil},
		{"pages in circles without errors", `<form><block><goto next="next.vxml"/></block></form>`, map[string]string{"next.vxml": `<form><block><goto next="start.vxml"/></block></form>`}, "", nil, "circles", nil},
		{"goto", `<form><block><goto next="#b"/></block></form><form id="b"><block><goto nextitem="d"/></block><block name="c">no</block>
			<block name="d"><goto expr="'next.vxml#two'"/></block></form>`,
			map[string]string{"next.vxml": `<form><block>no</block></form><form id="two"><block>yes</block></form>`}, "", nil, "", []string{"say yes"}},
		{"prompts go with a goto", `<form><block>One<goto next="next.vxml"/></block></form>`,
			map[string]string{"next.vxml": `<form>` + field + `Two<filled><exit/></filled></field></form>`}, "12", nil, "", []string{"say One", "say Two…"}},
		{"goto nowhere", `<form><catch event="error.badfetch"><exit expr="_event"/></catch><block><goto next="gone.vxml"/></block></form>`,
			nil, "", map[string]any{"expr": "error.badfetch"}, "", nil},
		{"submit", `<form>` + field + `Go</field><block><submit next="next.vxml" method="post"/></block></form>`,
			map[string]string{"next.vxml": `<form><block>Thanks</block></form>`}, "12", nil, "", []string{"say Go", "say Thanks"}},
		{"clear", `<form><var name="n" expr="0"/><block name="b">x<assign name="n" expr="n + 1"/></block>
			<block cond="n &lt; 3"><clear namelist="b"/></block><block name="c"><if cond="n &lt; 3"><clear/></if></block></form>`,
			nil, "", nil, "", []string{"say x", "say x", "say x"}},
		{"what the session knows", `<form><block><var name="s" expr="session.connection.local.uri + session.connection.remote.uri + session.connection.ccxml.values.site.code"/>
			<exit namelist="s"/></block></form>`, nil, "", map[string]any{"s": "sip:1000@heresip:alice@there7"}, "", nil},
		{"not supported, told when reached", `<form><catch event="error.unsupported"><exit expr="_event"/></catch><object name="r"/></form>`,
			nil, "", map[string]any{"expr": "error.unsupported.objectname"}, "", nil},
		{"callers and called, as Voxeo's pages know them", `<form><block><exit expr="session.callerid + ' ' + session.calledid"/></block></form>`,
			nil, "", map[string]any{"expr": "alice 1000"}, "", nil},
		{"disconnect", `<form><catch event="connection.disconnect"><exit expr="_event"/></catch>
			<block><var name="why" expr="'bye'"/>Bye<disconnect namelist="why"/></block></form>`,
			nil, "", map[string]any{"expr": "connection.disconnect.hangup"}, "", []string{"say Bye"}},
		{"the call, as VoiceXML 1.0 knew it", `<form><block><var name="t" expr="session.telephone"/><exit expr="[t.ani, t.dnis, t.rdnis, t.redirect_reason, session.sessionid].join()"/></block></form>`,
			nil, "", map[string]any{"expr": "alice,1000,5,user busy,s1"}, "", nil},
		{"words of VoiceXML 1.0", `<form><block><prompt><sayas sub="doctor">Dr</sayas> <emp>Who</emp><audio>, no file</audio><prompt>, inner</prompt><br/></prompt></block></form>`,
			nil, "", nil, "", []string{"say Dr Who", "say , no file", "say , inner"}},
		{"a name that is none", `<form><catch event="error.semantic"><exit expr="_event"/></catch><block><var name="class" expr="1"/></block></form>`,
			nil, "", map[string]any{"expr": "error.semantic"}, "", nil},
		{"a field whose name is none", `<form><field name="continue" type="digits?length=2">Go<filled><exit expr="dialog['continue']"/></filled></field></form>`,
			nil, "12", map[string]any{"expr": "12"}, "", []string{"say Go"}},
		{"times and truth as others write them", `<form><property name="timeout" value="2 s"/><field name="f" type="digits"><prompt bargein="FALSE">Go</prompt><noinput><exit expr="_event"/></noinput></field></form>`,
			nil, "", map[string]any{"expr": "noinput"}, "", []string{"say Go"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				test.run(t)
			})
		})
	}
}

func TestNotStarted(t *testing.T) {
	tests := []struct{ name, source, page, reason string }{
		{"no such page", "gone.vxml", "", "http://host/gone.vxml: 404 Not Found"},
		{"no such form", "start.vxml#x", "<form/>", `there is no dialog "x" in http://host/start.vxml`},
		{"not XML", "start.vxml", "<vxml><form></vxml>", "start.vxml:1:13: "},
		{"unknown elements", "start.vxml", "\n<form>\n<blok/></form><fom/>",
			"http://host/start.vxml:3:1: <blok> is not an element of VoiceXML; http://host/start.vxml:3:15: <fom> is not an element of VoiceXML"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				x := start(t, test.page, func(r *dialog.Request, _ *server, _ *dialogtest.Leg) { r.Source = test.source })
				x.Pass(time.Second)
				if got := x.events(); !strings.HasPrefix(got, "notstarted: ") || !strings.Contains(got, test.reason) {
					t.Errorf("told %q, want %q", got, test.reason)
				}
			})
		})
	}
}

func TestMissingEngine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := start(t, `<form><block>Hello</block></form>`, func(_ *dialog.Request, _ *server, l *dialogtest.Leg) { l.Engines = nil })
		x.Pass(time.Hour)
		x.want("started, exit", nil)
		if !strings.Contains(x.result.Reason, "mod_flite") {
			t.Error(x.result.Reason)
		}
		x = start(t, `<form><catch event="error.noresource"><exit expr="'none'"/></catch><field name="f" type="digits">Hello</field></form>`,
			func(_ *dialog.Request, _ *server, l *dialogtest.Leg) { l.Engines = nil })
		x.Pass(time.Hour)
		x.want("started, exit", map[string]any{"expr": "none"})
	})
}

// TestEndings: however the call or the session ends, there is one exit, and no
// goroutine is left (the bubble would not end).
func TestEndings(t *testing.T) {
	const page = `<form><catch event="connection.disconnect"><exit namelist="f g"/></catch>
		<var name="g" expr="'kept'"/><field name="f" type="digits?length=4">Please enter four digits.</field></form>`
	kept := map[string]any{"f": nil, "g": "kept"}
	tests := []struct {
		name   string
		act    func(*call)
		values map[string]any
	}{
		{"hang up in the prompt", func(x *call) { x.HangUp(); x.Call(x.dialog.HungUp) }, kept},
		{"hang up after the prompt", func(x *call) { x.Pass(4 * time.Second); x.HangUp(); x.Call(x.dialog.HungUp) }, kept},
		{"terminated", func(x *call) { x.Call(func() { x.dialog.Terminate(false) }) }, kept},
		{"terminated twice", func(x *call) {
			x.Call(func() { x.dialog.Terminate(false); x.dialog.Terminate(true); x.dialog.HungUp() })
		}, map[string]any{}},
		{"terminated at once", func(x *call) { x.Call(func() { x.dialog.Terminate(true); x.dialog.Terminate(false) }) }, map[string]any{}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				x := start(t, page, nil)
				x.Pass(time.Second)
				test.act(x)
				x.HangUp()
				x.Pass(time.Hour)
				if got := x.events(); got != "started, exit" {
					t.Errorf("told %q", got)
				}
				if got := x.result.Values.Object(); !reflect.DeepEqual(got, test.values) {
					t.Errorf("values %v, want %v", got, test.values)
				}
			})
		})
	}
	t.Run("while the page is fetched", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			slow := func(_ *dialog.Request, s *server, _ *dialogtest.Leg) { s.pages["start.vxml"] = "slow" }
			x := start(t, "", slow)
			x.Call(x.dialog.HungUp)
			x.Pass(time.Second)
			x.want("notstarted: the call has ended", nil)
			x = start(t, "", slow)
			x.Call(func() { x.dialog.Terminate(false) })
			x.Pass(time.Second)
			x.want("started, exit", map[string]any{})
		})
	})
	t.Run("the session ends", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			x := start(t, page, nil)
			x.Pass(time.Second)
			x.Call(x.dialog.HungUp)
			x.Close()
		})
	})
	t.Run("a handler that goes on", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			x := start(t, `<form id="a"><catch event="connection.disconnect"><goto next="#a"/></catch><field name="f" type="digits">Go</field></form>`, nil)
			x.Pass(time.Second)
			x.Call(x.dialog.HungUp)
			x.Pass(time.Second)
			x.want("started, exit", map[string]any{}, "say Go")
		})
	})
}
