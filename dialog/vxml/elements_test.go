package vxml_test

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestMenus (VoiceXML 2.0, 2.2).
func TestMenus(t *testing.T) {
	const choices = `<choice next="#news">news</choice><choice event="com.weather">the weather</choice><choice dtmf="0" expr="'other.vxml'"/></menu>
		<form id="news"><block>News</block></form>`
	runPages(t, []pageTest{
		{"numbered", `<menu dtmf="true"><prompt>Say <enumerate/></prompt>` + choices, nil, "1", nil, "",
			[]string{"say Say For news, press 1. For the weather, press 2. Press 0.…", "say News"}},
		{"in the page's words", `<menu dtmf="true"><prompt><enumerate><value expr="_dtmf"/> <value expr="_prompt"/>; </enumerate></prompt>` + choices, nil, "1", nil, "",
			[]string{"say 1 news; 2 the weather; 0 ;…", "say News"}},
		{"an event, and again", `<catch event="com.weather">Rain<reprompt/></catch><menu dtmf="true">Menu` + choices, nil, "2,1", nil, "",
			[]string{"say Menu", "say Rain", "say Menu", "say News"}},
		{"to another page", `<menu dtmf="true">Menu` + choices, map[string]string{"other.vxml": `<form><block>Other</block></form>`}, "0", nil, "",
			[]string{"say Menu", "say Other"}},
		{"what nobody can choose", `<menu dtmf="true">Menu<nomatch>No<exit/></nomatch>` + choices, nil, "9", nil, "", []string{"say Menu", "say No"}},
		{"no answer", `<menu dtmf="true">Menu<noinput>Hello?<exit/></noinput>` + choices, nil, "", nil, "", []string{"say Menu", "say Hello?"}},
		{"active everywhere", `<form><field name="f" type="digits?length=2">Go<filled><exit/></filled></field></form>
			<menu scope="document">Menu<choice dtmf="*" next="#news">news</choice></menu><form id="news"><block>News</block></form>`,
			nil, "*", nil, "", []string{"say Go", "say News"}},
		{"only words", `<menu>Menu<catch event="error.unsupported.language"><exit expr="_event"/></catch><choice next="#a"><grammar mode="voice">a</grammar></choice></menu>`,
			nil, "", map[string]any{"expr": "error.unsupported.language"}, "", []string{"say Menu"}},
	})
}

// TestChoices: options of a field (2.3.1.3) and links (2.5).
func TestChoices(t *testing.T) {
	const options = `<form><field name="f">Fish or meat?<option dtmf="1" value="fish">some fish</option><option dtmf="2">meat</option><option dtmf="3"/>
		<filled><exit namelist="f f$.utterance"/></filled></field></form>`
	runPages(t, []pageTest{
		{"option with a value", options, nil, "1", map[string]any{"f": "fish", "f$.utterance": "1"}, "", []string{"say Fish or meat?…"}},
		{"option with its text", options, nil, "2", map[string]any{"f": "meat", "f$.utterance": "2"}, "", []string{"say Fish or meat?…"}},
		{"option with its digit", options, nil, "3", map[string]any{"f": "3", "f$.utterance": "3"}, "", []string{"say Fish or meat?…"}},
		{"a link to an event", `<link dtmf="*" event="help"/><form><help>Help<reprompt/></help><field name="f" type="digits">Go<filled><exit namelist="f"/></filled></field></form>`,
			nil, "*,7", map[string]any{"f": "7"}, "", []string{"say Go", "say Help", "say Go"}},
		{"a link of a form leads away", `<form><link dtmf="*" next="#b"/><field name="f" type="digits">Go</field></form><form id="b"><block>There</block></form>`,
			nil, "*", nil, "", []string{"say Go", "say There"}},
		{"a modal field has no links", `<link dtmf="*" event="help"/><form><field name="f" modal="true" type="digits">Go<nomatch><exit expr="'none'"/></nomatch></field></form>`,
			nil, "*", map[string]any{"expr": "none"}, "", []string{"say Go"}},
		{"the field's grammar before a link's", `<link dtmf="1" event="help"/><form><field name="f" type="digits?length=1">Go<filled><exit namelist="f"/></filled></field></form>`,
			nil, "1", map[string]any{"f": "1"}, "", []string{"say Go"}},
	})
}

// TestLateTermchar: the # behind a number that was complete without it comes when the
// next field listens already.
func TestLateTermchar(t *testing.T) {
	for wait, want := range map[time.Duration]string{time.Second: "34", 3 * time.Second: "none"} {
		synctest.Test(t, func(t *testing.T) {
			x := start(t, `<form><field name="a" type="digits?length=2"/><field name="b" type="digits"><nomatch><exit expr="'none'"/></nomatch></field>
				<block><exit expr="b"/></block></form>`, nil)
			x.Pass(time.Second)
			x.press("12")
			x.Pass(wait)
			x.press("#34#")
			x.Pass(time.Second)
			x.want("started, exit", map[string]any{"expr": want})
		})
	}
}

// TestSubdialogs (2.3.4, 5.3.10).
func TestSubdialogs(t *testing.T) {
	const call = `<form><var name="secret" expr="'mine'"/><subdialog name="s" src="#sub"><param name="who" expr="'you'"/><param name="n" value="2"/>
		<filled><exit namelist="s.said s.n"/></filled><catch event="com.none"><exit expr="_event + _message"/></catch></subdialog></form>`
	runPages(t, []pageTest{
		{"values come back", call + `<form id="sub"><var name="who" expr="'me'"/><var name="n"/><var name="said"/>
			<block><assign name="said" expr="who + typeof secret"/><return namelist="said n"/></block></form>`,
			nil, "", map[string]any{"s.said": "youundefined", "s.n": "2"}, "", nil},
		{"an event comes back", call + `<form id="sub"><var name="who"/><var name="n"/><block><return event="com.none" message="!"/></block></form>`,
			nil, "", map[string]any{"expr": "com.none!"}, "", nil},
		{"a parameter that it does not know", call + `<form id="sub"><catch event="error.semantic"><return event="com.none" messageexpr="_message"/></catch><var name="who"/></form>`,
			nil, "", map[string]any{"expr": "com.nonethe parameter n is no <var> of the subdialog's form"}, "", nil},
		{"another page, with its own root and digits", `<form><subdialog name="s" src="sub.vxml"><filled><exit namelist="s.f"/></filled></subdialog></form>`,
			map[string]string{"sub.vxml": `<form><field name="f" type="digits?length=2">Sub<filled><return namelist="f"/></filled></field></form>`},
			"42", map[string]any{"s.f": "42"}, "", []string{"say Sub"}},
		{"an exit ends it all", `<form><subdialog name="s" src="#sub"/><block>no</block></form><form id="sub"><block><exit expr="1"/></block></form>`,
			nil, "", map[string]any{"expr": int64(1)}, "", nil},
		{"without end", `<form id="a"><subdialog name="s" src="#a"/></form>`, nil, "", nil, "more than 20 deep", nil},
		{"that is not there", `<form><catch event="error.badfetch"><exit expr="_event"/></catch><subdialog name="s" src="gone.vxml"/></form>`,
			nil, "", map[string]any{"expr": "error.badfetch"}, "", nil},
		{"prompts before it", `<form><block>One</block><subdialog name="s" src="#sub"/><block>Three<exit/></block></form>
			<form id="sub"><block>Two<return/></block></form>`, nil, "", nil, "", []string{"say One", "say Two", "say Three"}},
	})
}

// TestApplications: root documents (1.5.2).
func TestApplications(t *testing.T) {
	root := map[string]string{
		"root.vxml": `<vxml version="2.1" xmlns="http://www.w3.org/2001/vxml"><var name="n" expr="1"/><property name="timeout" value="1s"/>
			<catch event="com.a">Root<exit expr="n"/></catch><link dtmf="*" event="com.a"/><noinput>Root hears nothing<exit/></noinput></vxml>`,
		"next.vxml":  `<vxml version="2.1" application="root.vxml" xmlns="http://www.w3.org/2001/vxml"><form><block><exit expr="application.n"/></block></form></vxml>`,
		"other.vxml": `<vxml version="2.1" xmlns="http://www.w3.org/2001/vxml"><form><block><exit expr="typeof n"/></block></form></vxml>`,
	}
	page := func(content string) string {
		return `<vxml version="2.1" application="root.vxml" xmlns="http://www.w3.org/2001/vxml">` + content + `</vxml>`
	}
	runPages(t, []pageTest{
		{"its handlers, with what has changed", page(`<form><block><assign name="n" expr="n + 1"/><throw event="com.a.b"/></block></form>`), root, "",
			map[string]any{"expr": int64(2)}, "", []string{"say Root"}},
		{"its links", page(`<form><field name="f" type="digits">Go</field></form>`), root, "*", map[string]any{"expr": int64(1)}, "", []string{"say Go", "say Root"}},
		{"its properties", page(`<form><field name="f" type="digits">Go</field></form>`), root, "", nil, "", []string{"say Go", "say Root hears nothing"}},
		{"its variables stay", page(`<form><block><assign name="application.n" expr="7"/><goto next="next.vxml"/></block></form>`), root, "", map[string]any{"expr": int64(7)}, "", nil},
		{"and go with it", page(`<form><block><goto next="other.vxml"/></block></form>`), root, "", map[string]any{"expr": "undefined"}, "", nil},
		{"of its own", `<var name="n" expr="3"/><form><block><exit expr="application.n + document.n"/></block></form>`, nil, "", map[string]any{"expr": int64(6)}, "", nil},
		{"that is not there", `<catch event="error.badfetch"><exit expr="_event"/></catch><form><block><goto next="next.vxml"/></block></form>`,
			map[string]string{"next.vxml": root["next.vxml"]}, "", map[string]any{"expr": "error.badfetch"}, "", nil},
	})
}

// TestExecutable: foreach, data, script and rethrow (VoiceXML 2.1, 3, 5 and 6).
func TestExecutable(t *testing.T) {
	runPages(t, []pageTest{
		{"foreach", `<form><var name="list" expr="['a','b']"/><block><foreach item="x" array="list">Item <value expr="x"/>.</foreach></block></form>`,
			nil, "", nil, "", []string{"say Item a.", "say Item b."}},
		{"foreach in a prompt", `<form><block><prompt>All: <foreach item="x" array="[1,2]"><audio expr="'file:///b.wav'"/><value expr="x"/></foreach></prompt></block></form>`,
			nil, "", nil, "", []string{"say All:", "/b.wav", "say 1", "/b.wav", "say 2"}},
		{"foreach over what is no array", `<form><error><exit expr="_event"/></error><block><foreach item="x" array="5"/></block></form>`,
			nil, "", map[string]any{"expr": "error.semantic"}, "", nil},
		{"data", `<form><block><data name="d" src="d.xml"/><var name="root" expr="d.documentElement"/>
			<exit expr="root.nodeName + root.getElementsByTagName('b').item(1).firstChild.nodeValue + root.getAttribute('id') + (root.parentNode === d) + root.childNodes.length"/></block></form>`,
			map[string]string{"d.xml": `<a id="i"><b>one</b><b>two</b></a>`}, "", map[string]any{"expr": "atwoitrue2"}, "", nil},
		{"data that is not there", `<form><error><exit expr="_event"/></error><block><data name="d" src="gone.xml"/></block></form>`,
			nil, "", map[string]any{"expr": "error.badfetch"}, "", nil},
		{"a script of its own", `<script src="s.js"/><form><block><exit expr="twice(4)"/></block></form>`,
			map[string]string{"s.js": `function twice(n) { return 2 * n }`}, "", map[string]any{"expr": int64(8)}, "", nil},
		{"rethrow", `<catch event="com">page<exit expr="_event"/></catch><form><catch event="com">form<rethrow/></catch><block><throw event="com.a"/></block></form>`,
			nil, "", map[string]any{"expr": "com.a"}, "", []string{"say form", "say page"}},
		{"return to nobody", `<form><error><exit expr="_event"/></error><block><return/></block></form>`, nil, "", map[string]any{"expr": "error.semantic"}, "", nil},
		{"names with commas", `<form><var name="a" expr="1"/><var name="b" expr="2"/><var name="c"/><catch event="com.x, com.y"><clear namelist="a, c"/><exit namelist="a, b"/></catch>
			<block><throw event="com.y"/></block></form>`, nil, "", map[string]any{"a": nil, "b": int64(2)}, "", nil},
		{"submitted objects", `<form><var name="o" expr="({a: 1, b: {c: 'x'}, n: undefined})"/><block><submit next="next.vxml" namelist="o"/></block></form>`,
			map[string]string{"next.vxml": `<form><block>Thanks</block></form>`}, "", nil, "", []string{"say Thanks"}},
	})
}

// TestGrammars: builtin ones, those of SRGS in the page and elsewhere, and forms that
// several fields are filled of at once (2.0, 3.1).
func TestGrammars(t *testing.T) {
	const (
		yes  = `<grammar mode="dtmf" version="1.0" root="r" tag-format="semantics/1.0-literals" xmlns="http://www.w3.org/2001/06/grammar"><rule id="r" scope="public"><one-of><item>1<tag>yes</tag></item><item>2<tag>no</tag></item></one-of></rule></grammar>`
		both = `<grammar mode="dtmf" version="1.0" root="r" tag-format="semantics/1.0" xmlns="http://www.w3.org/2001/06/grammar"><rule id="r" scope="public">
			<item repeat="1-3">7</item><tag>out.a = 'seven'; out.b = rules.latest ? 2 : 3</tag></rule></grammar>`
		ask = `<field name="f">Go<filled><exit namelist="f"/></filled>`
	)
	runPages(t, []pageTest{
		{"boolean", `<form><field name="f" type="boolean?y=7;n=9">Go<filled><exit namelist="f"/></filled></field></form>`, nil, "9", map[string]any{"f": false}, "", []string{"say Go"}},
		{"in the page", `<form>` + ask + yes + `</field></form>`, nil, "2", map[string]any{"f": "no"}, "", []string{"say Go"}},
		{"elsewhere", `<form>` + ask + `<grammar src="yes.grxml#r"/></field></form>`, map[string]string{"yes.grxml": yes}, "1", map[string]any{"f": "yes"}, "", []string{"say Go"}},
		{"that refers elsewhere", `<form>` + ask + `<grammar mode="dtmf" version="1.0" root="r"><rule id="r">0<ruleref uri="yes.grxml"/></rule></grammar></field></form>`,
			map[string]string{"yes.grxml": yes}, "01", map[string]any{"f": "yes"}, "", []string{"say Go"}},
		{"that is not there", `<form><error><exit expr="_event"/></error>` + ask + `<grammar srcexpr="'gone' + '.grxml'"/></field></form>`,
			nil, "", map[string]any{"expr": "error.badfetch"}, "", []string{"say Go"}},
		{"of a form fills several fields", `<form>` + both + `<initial>Press</initial><field name="a" type="digits">A</field><field name="b" type="digits">B</field>
			<filled mode="all"><exit namelist="a b b$.utterance"/></filled></form>`, nil, "77#", map[string]any{"a": "seven", "b": int64(2), "b$.utterance": "77"}, "", []string{"say Press…"}},
		{"of a form, by slots", `<form>` + both + `<field name="x" slot="a" type="digits?length=2">X</field><filled><exit namelist="x"/></filled></form>`,
			nil, "7#", map[string]any{"x": "seven"}, "", []string{"say X"}},
		{"of another form, active everywhere", `<form><field name="f" type="digits?length=2">Go</field></form>
			<form scope="document"><grammar mode="dtmf" version="1.0" root="r" tag-format="semantics/1.0"><rule id="r">* 1<tag>out.b = 'there'</tag></rule></grammar>
			<field name="b" type="digits">B</field><filled><exit namelist="b"/></filled></form>`, nil, "*1", map[string]any{"b": "there"}, "", []string{"say Go"}},
		{"of words and digits", `<form>` + ask + `<grammar mode="voice">yes</grammar>` + yes + `</field></form>`, nil, "1", map[string]any{"f": "yes"}, "", []string{"say Go"}},
		{"of words alone", `<form><error><exit expr="_event"/></error>` + ask + `<grammar mode="voice">yes</grammar></field></form>`,
			nil, "", map[string]any{"expr": "error.unsupported.language"}, "", []string{"say Go"}},
	})
}

func runPages(t *testing.T, tests []pageTest) {
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { test.run(t) })
		})
	}
}
