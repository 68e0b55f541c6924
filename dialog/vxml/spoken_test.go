package vxml_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ccxmld/dialog"
	"ccxmld/dialog/dialogtest"
)

// listening starts a page with an engine for speech.
func listening(t *testing.T, page string) *call {
	return start(t, page, func(_ *dialog.Request, s *server, _ *dialogtest.Leg) { s.ears = "test" })
}

// says is what FreeSWITCH tells of words: that the party has begun, and a result.
func (x *call) says(result string) {
	x.Recognition("begin-speaking", "")
	x.Pass(time.Second)
	x.Recognition("detected-speech", result)
}

// grammarOf gives the grammar of the last detect_speech, as it was before it was quoted.
func (x *call) grammarOf() string {
	var last string
	x.Call(func() {
		for _, argument := range x.Recognized {
			if argument != "pause" && argument != "stop" {
				last = argument
			}
		}
	})
	// What FreeSWITCH does: variables are expanded, then words taken apart.
	return strings.NewReplacer(`\s`, " ", `\'`, "'").Replace(strings.ReplaceAll(last, `\\`, `\`))
}

const menuOfSpeech = `<menu><property name="maxnbest" value="2"/><prompt>Sales or support?</prompt>
	<choice next="#sales">Sales</choice><choice next="#support" accept="approximate">Technical support</choice><catch event="nomatch">What?<reprompt/></catch></menu>
	<form id="sales"><block>Sales it is <value expr="application.lastresult$.inputmode"/> <value expr="application.lastresult$.length"/></block></form>
	<form id="support"><block>Support it is</block></form>`

const fieldOfSpeech = `<form><field name="f" type="boolean"><prompt>Sure?</prompt><noinput>Hello?<reprompt/></noinput><nomatch>What?</nomatch>
	<catch event="maxspeechtimeout">Too long<exit namelist="f"/></catch>
	<filled><assign name="f" expr="typeof f + ' ' + f + ' ' + f$.inputmode + ' ' + f$.confidence + ' ' + f$.utterance"/><exit namelist="f"/></filled></field></form>`

func nlsmlOf(confidence, instance, input string) string {
	return `<?xml version="1.0" encoding="utf-8"?><result grammar="session:ccxmld"><interpretation grammar="session:ccxmld" confidence="` + confidence + `"><instance>` +
		instance + `</instance><input mode="speech">` + input + `</input></interpretation></result>`
}

func TestSpeech(t *testing.T) {
	tests := []struct {
		name, page string
		act        func(*call)
		values     map[string]any
		heard      []string
	}{
		{"a choice by its text, which breaks the prompt off", menuOfSpeech, func(x *call) { x.says("sales") }, nil,
			[]string{"say Sales or support?…", "say Sales it is voice1"}},
		{"several results", menuOfSpeech, func(x *call) {
			x.says(`{"alternatives": [{"text": "sales", "confidence": 0.9}, {"text": "support", "confidence": 0.7}, {"text": "technical", "confidence": 0.6}]}`)
		}, nil, []string{"say Sales or support?…", "say Sales it is voice2"}},
		{"some of a choice's words", menuOfSpeech, func(x *call) { x.says("Support.") }, nil, []string{"say Sales or support?…", "say Support it is"}},
		{"no choice", menuOfSpeech, func(x *call) { x.says("weather") }, nil, []string{"say Sales or support?…", "say What?"}},
		{"a builtin type", fieldOfSpeech, func(x *call) { x.says(nlsmlOf("0.8", "true", "yes of course")) },
			map[string]any{"f": "boolean true voice 0.8 yes of course"}, []string{"say Sure?…"}},
		{"in percent", fieldOfSpeech, func(x *call) { x.says(nlsmlOf("80", "false", "no")) }, map[string]any{"f": "boolean false voice 0.8 no"}, []string{"say Sure?…"}},
		{"digits in place of words", fieldOfSpeech, func(x *call) { x.press("1") }, map[string]any{"f": "boolean true dtmf 1 1"}, []string{"say Sure?…"}},
		{"digits while words are spoken", fieldOfSpeech, func(x *call) {
			x.Recognition("begin-speaking", "")
			x.press("2")
			x.Recognition("detected-speech", "yes")
		},
			map[string]any{"f": "boolean false dtmf 1 2"}, []string{"say Sure?…"}},
		{"not sure enough", fieldOfSpeech, func(x *call) { x.says(nlsmlOf("0.3", "true", "yes")) }, nil, []string{"say Sure?…", "say What?"}},
		{"no match", fieldOfSpeech, func(x *call) {
			x.says(`<result><interpretation><instance/><input><nomatch/></input></interpretation></result>`)
		}, nil, []string{"say Sure?…", "say What?"}},
		{"garbage", fieldOfSpeech, func(x *call) { x.says(`<result><interp`) }, nil, []string{"say Sure?…", "say What?"}},
		{"nothing said", fieldOfSpeech, func(x *call) { x.Pass(6 * time.Second) }, nil, []string{"say Sure?", "say Hello?", "say Sure?"}},
		{"said for too long", fieldOfSpeech, func(x *call) { x.Recognition("begin-speaking", ""); x.Pass(61 * time.Second) }, nil, []string{"say Sure?…", "say Too long"}},
		{"an engine that ends leaves digits", fieldOfSpeech, func(x *call) { x.Recognition("closed", ""); x.press("1") }, map[string]any{"f": "boolean true dtmf 1 1"}, []string{"say Sure?…"}},
		{"an engine that ends where there are only words", menuOfSpeech, func(x *call) { x.Recognition("closed", "") }, nil, []string{"say Sales or support?…"}},
		{"options", `<form><field name="f"><option value="8">rare</option><option>well done</option><filled><exit namelist="f"/></filled></field></form>`,
			func(x *call) { x.says("rare") }, map[string]any{"f": "8"}, nil},
		{"an instance of several slots", `<form><grammar version="1.0" root="r"><rule id="r">it</rule></grammar><initial>Go on and on</initial><field name="a"/><field name="b"/>
			<filled><exit namelist="a b"/></filled></form>`,
			func(x *call) { x.says(nlsmlOf("1", "<a>1</a><b>two words</b>", "it")) }, map[string]any{"a": "1", "b": "two words"}, []string{"say Go on and on…"}},
		{"a prompt that must be heard", `<form><field name="f" type="boolean"><prompt bargein="false">A question longer than an answer</prompt><filled><exit namelist="f"/></filled></field></form>`,
			func(x *call) { x.says("yes"); x.Pass(time.Second); x.says("no") }, map[string]any{"f": false}, []string{"say A question longer than an answer"}},
		{"a hotword", `<form><field name="f" type="boolean"><property name="bargeintype" value="hotword"/><prompt>A very, very, very long question</prompt>
			<filled><exit namelist="f"/></filled></field></form>`,
			func(x *call) { x.says(nlsmlOf("0.1", "", "er")); x.Pass(time.Second); x.says("yes") }, map[string]any{"f": true},
			[]string{"say A very, very, very long question"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				x := listening(t, test.page)
				x.Pass(100 * time.Millisecond)
				test.act(x)
				x.Pass(100 * time.Millisecond)
				if got := x.Heard(); strings.Join(got, "|") != strings.Join(test.heard, "|") {
					t.Errorf("heard %q, want %q", got, test.heard)
				}
				if test.values != nil {
					x.want("started, exit", test.values, x.Heard()...)
				}
				x.HangUp()
				x.Call(x.dialog.HungUp)
				x.Close()
			})
		})
	}
}

// TestSpeechGrammars: what the engine is given.
func TestSpeechGrammars(t *testing.T) {
	const settings = "test {start-input-timers=false,speech-language=en-US,confidence-threshold=0.5,n-best-list-length=1,recognition-timeout=60000}"
	tests := []struct{ name, field, want string }{
		{"builtin", `<field name="f" type="digits?length=4"/>`, settings + "builtin:grammar/digits?length=4 ccxmld"},
		{"in the page", `<field name="f"><grammar version="1.0" root="r"><rule id="r">it's a ${word}</rule></grammar></field>`,
			settings + `inline:<grammar xmlns="http://www.w3.org/2001/06/grammar" version="1.0" root="r"><rule id="r">it&#39;s a \${word}</rule></grammar> ccxmld`},
		{"elsewhere", `<field name="f"><grammar mode="voice" src="cities.grxml"/></field>`, settings + "http://host/cities.grxml ccxmld"},
		{"elsewhere, seen when it is fetched", `<field name="f"><grammar src="cities.grxml"/></field>`, settings + "http://host/cities.grxml ccxmld"},
		{"several", `<field name="f"><grammar mode="voice" src="cities.grxml"/><option accept="approximate">new york</option></field>`,
			settings + `inline:<?xml version='1.0'?><grammar version='1.0' mode='voice' root='any' xmlns='http://www.w3.org/2001/06/grammar' xml:lang='en-US'><rule id='any' scope='public'><one-of>` +
				`<item><ruleref uri='http://host/cities.grxml'/></item><item>new <item repeat='0-1'>york</item></item><item>york</item></one-of></rule></grammar> ccxmld`},
		{"properties", `<field name="f" type="boolean"><property name="confidencelevel" value="0.4"/><property name="completetimeout" value="1s"/><property name="maxspeechtimeout" value="2s"/></field>`,
			"test {start-input-timers=false,speech-language=en-US,confidence-threshold=0.4,n-best-list-length=1,speech-complete-timeout=1000,recognition-timeout=2000}builtin:grammar/boolean ccxmld"},
		{"turned off", `<field name="f" type="boolean"><property name="inputmodes" value="dtmf"/></field>`, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				x := start(t, "<form>"+test.field+"</form>", func(_ *dialog.Request, s *server, _ *dialogtest.Leg) {
					s.ears = "test"
					s.pages["cities.grxml"] = `<grammar version="1.0" root="r" xmlns="http://www.w3.org/2001/06/grammar"><rule id="r">Rome</rule></grammar>`
				})
				x.Pass(100 * time.Millisecond)
				if got := x.grammarOf(); got != test.want {
					t.Errorf("detect_speech\n%s, want\n%s", got, test.want)
				}
				x.HangUp()
				x.Call(x.dialog.HungUp)
				x.Close()
			})
		})
	}
}
