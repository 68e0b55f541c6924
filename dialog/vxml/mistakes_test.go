package vxml_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ccxmld/dialog"
	"ccxmld/dialog/dialogtest"
)

// TestReachedMistakes: what does not compile is an error where it is reached, which a page
// catches, and nothing where it is not.
func TestReachedMistakes(t *testing.T) {
	const caught = `<catch event="error.semantic error.badfetch"><exit expr="_event"/></catch>`
	semantic, bad := map[string]any{"expr": "error.semantic"}, map[string]any{"expr": "error.badfetch"}
	fine := map[string]any{"expr": "fine"}
	const broken = `<grammar mode="dtmf" version="1.0" root="r"><rule id="r">fourteen</rule></grammar>`
	tests := []pageTest{
		{"not reached", caught + `<form><block cond="false"><value expr="1 +"/><script>var a = ;</script><assign name="1" expr="+"/><clear namelist="1"/></block>
			<block><if cond="false"><exit expr="n + 1;"/><elseif cond="false"/><submit next="a" namelist="1a"/></if><exit expr="'fine'"/></block></form>
			<form><block expr="1 +"/><field name="f">` + broken + `</field></form>`, nil, "", fine, "", nil},
		{"a condition", caught + `<form><block><if cond="a ="/><exit/></block></form>`, nil, "", semantic, "", nil},
		{"a semicolon", caught + `<form><var name="n" expr="1"/><block><assign name="n" expr="n + 1;"/><exit/></block></form>`, nil, "", semantic, "", nil},
		{"a script", caught + `<form><block><script>var a = ;</script><exit/></block></form>`, nil, "", semantic, "", nil},
		{"a script of the page", caught + `<script>var a = ;</script><form><block><exit/></block></form>`, nil, "", semantic, "", nil},
		{"a script that is fetched", caught + `<form><block><script src="a.js"/><exit/></block></form>`, map[string]string{"a.js": "var a = ;"}, "", semantic, "", nil},
		{"a name with a scope", caught + `<form><block><var name="document.a"/><exit/></block></form>`, nil, "", semantic, "", nil},
		{"a namelist", caught + `<form><block><exit namelist="1a"/></block></form>`, nil, "", semantic, "", nil},
		{"what is cleared", caught + `<form><block><clear namelist="1a"/><exit/></block></form>`, nil, "", semantic, "", nil},
		{"a target", caught + `<form><block><assign name="a b" expr="1"/><exit/></block></form>`, nil, "", semantic, "", nil},
		{"the condition of an item", caught + `<form><block cond="+"/></form>`, nil, "", semantic, "", nil},
		{"a parameter", caught + `<form><subdialog src="#b"><param name="a" expr="+"/></subdialog></form><form id="b"/>`, nil, "", semantic, "", nil},
		{"a grammar", caught + `<form><field name="f">` + broken + `</field></form>`, nil, "", bad, "", nil},
		{"a grammar of the form", caught + `<form>` + broken + `<field name="f" type="digits"/></form>`, nil, "", bad, "", nil},
		{"a tag of a grammar", caught + `<form><field name="f"><grammar mode="dtmf" version="1.0" root="r"><rule id="r">1<tag>out = ;</tag></rule></grammar></field></form>`, nil, "", bad, "", nil},
		{"the grammar of another form", caught + `<form><block><goto next="#b"/></block></form><form><field name="f">` + broken + `</field></form><form id="b"><block><exit expr="'fine'"/></block></form>`, nil, "", fine, "", nil},
		{"a handler", `<catch event="help" cond="+"/><catch event="error"><exit expr="_event"/></catch><form><block><throw event="help"/></block></form>`, nil, "", semantic, "", nil},
		{"where to go", caught + `<form><block><goto expr="undefined"/></block></form>`, nil, "", semantic, "", nil},
		{"which event", caught + `<form><block><throw eventexpr="undefined"/></block></form>`, nil, "", semantic, "", nil},
		{"nobody catches", `<form><block><value expr="1 +"/></block></form>`, nil, "", map[string]any{}, "nothing catches error.semantic: http://host/start.vxml:1:83: SyntaxError: the expression ends too early", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { test.run(t) })
		})
	}
}

// TestEmptyExpressions: an empty expression is undefined, and where it may be left out as
// good as left out.
func TestEmptyExpressions(t *testing.T) {
	const caught = `<catch event="error"><exit expr="_event"/></catch>`
	fine := map[string]any{"expr": "fine"}
	tests := []pageTest{
		{"var", `<var name="a" expr=""/><form><var name="b" expr=" "/><block><exit expr="a === undefined &amp;&amp; b === undefined ? 'fine' : a"/></block></form>`, nil, "", fine, "", nil},
		{"assign", `<form><var name="a" expr="1"/><block><assign name="a" expr=""/><exit expr="a === undefined ? 'fine' : a"/></block></form>`, nil, "", fine, "", nil},
		{"items and handlers", `<catch event="help" cond=""><exit expr="'fine'"/></catch><form><block cond="" expr=""><throw event="help" messageexpr=""/></block></form>`, nil, "", fine, "", nil},
		{"if", `<form><block><if cond=""><exit/><elseif cond=""/><exit/><else/><exit expr="'fine'"/></if></block></form>`, nil, "", fine, "", nil},
		{"prompts", `<form><block><prompt cond="">One <audio expr="">no</audio></prompt><log expr=""/><exit expr=""/></block></form>`, nil, "", map[string]any{}, "", []string{"say One"}},
		{"values", `<form><block>One <value expr=""/> two</block></form>`, nil, "", map[string]any{}, "", []string{"say One two"}},
		{"param", `<form><subdialog src="#b"><param name="a" expr=""/><filled><exit expr="'no'"/></filled></subdialog></form>
			<form id="b"><var name="a" expr="1"/><block><exit expr="a === undefined ? 'fine' : a"/></block></form>`, nil, "", fine, "", nil},
		{"goto", caught + `<form><block><goto expr=""/></block></form>`, nil, "", map[string]any{"expr": "error.semantic"}, "", nil},
		{"foreach", caught + `<form><block><foreach item="a" array=""/></block></form>`, nil, "", map[string]any{"expr": "error.semantic"}, "", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { test.run(t) })
			page, err := compile(t, whole(test.page))
			if err != nil || !strings.Contains(page.Notices.Error(), `=""> is empty`) {
				t.Errorf("%v, notices %v", err, page.Notices)
			}
		})
	}
}

// TestOtherPlatforms: pages that ran elsewhere, and what they have that VoiceXML has not.
func TestOtherPlatforms(t *testing.T) {
	fine := map[string]any{"expr": "fine"}
	tests := []pageTest{
		{"another namespace", `<vxml version="2.1" xmlns="http://www.w3.org/2001/06/vxml"><form><field name="a"><grammar mode="dtmf" root="r" version="1.0"><rule id="r">1</rule></grammar>Go
			<filled><exit expr="a == '1' ? 'fine' : a"/></filled></field></form></vxml>`, nil, "1", fine, "", []string{"say Go"}},
		{"a prefix of another namespace", `<!-- <vxml> --><v:vxml version="2.1" xmlns:v="urn:v"><v:form><v:block>Go<v:exit expr="'fine'"/></v:block></v:form></v:vxml>`, nil, "", fine, "", []string{"say Go"}},
		{"a grammar of another namespace", `<form><field name="a"><grammar xmlns="http://www.w3.org/2001/06/grammar/" mode="dtmf" root="r" version="1.0"><rule id="r">1</rule></grammar>Go
			<filled><exit expr="a == '1' ? 'fine' : a"/></filled></field></form>`, nil, "1", fine, "", []string{"say Go"}},
		{"executable content where none can stand", `<exit/>text<form>text<prompt>no</prompt><if cond="+"><blok/></if><block>Go</block><exit/>
			<field name="a" type="digits"><goto next="#x"/><assign name="b" expr="1"/><filled><exit expr="'fine'"/></filled></field></form>`, nil, "1#", fine, "", []string{"say Go"}},
		{"and in a menu", `<menu><prompt>Go</prompt><submit next="x"/><choice dtmf="1" next="#b">A</choice></menu><form id="b"><block><exit expr="'fine'"/></block></form>`, nil, "1", fine, "", []string{"say Go"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { test.run(t) })
			page, err := compile(t, whole(test.page))
			if err != nil || !strings.Contains(page.Notices.Error(), "is ignored; put it into a") && !strings.Contains(page.Notices.Error(), "is read as one of") {
				t.Errorf("%v, notices %v", err, page.Notices)
			}
		})
	}
}

// TestSubmitToItself: a <submit> to a dialog of the page fetches the page again, and
// begins it anew.
func TestSubmitToItself(t *testing.T) {
	const page = `<var name="n" expr="0"/><form><var name="a" expr="7"/><block><assign name="n" expr="n + 1"/><submit %s namelist="a" method="post"/></block></form>
		<form id="two"><block><exit expr="n"/></block></form>`
	for _, next := range []string{`next="#two"`, `expr="'#' + 'two'"`} {
		synctest.Test(t, func(t *testing.T) {
			x := start(t, fmt.Sprintf(page, next), nil)
			x.Pass(time.Second)
			x.want("started, exit", map[string]any{"expr": int64(0)})
			if got := strings.Join(x.server.asked, ", "); got != "http://host/start.vxml, post http://host/start.vxml a=7" {
				t.Errorf("asked %s", got)
			}
		})
	}
}

// TestOwnSession: a page knows whose dialog it is, and cannot change that.
func TestOwnSession(t *testing.T) {
	const page = `<var name="c" expr="session.connection.ccxml"/><form><block><script>c.sessionid = 'x'; c.ioprocessors.basichttp = 'x'</script>
		<exit expr="[c.sessionid, c.dialogid, c.connectionid, c.ioprocessors['basichttp']].join()"/></block></form>`
	for connection, want := range map[string]string{"c1": "s1,d1,c1,http://here/events", "": "s1,d1,,http://here/events"} {
		synctest.Test(t, func(t *testing.T) {
			x := start(t, page, func(r *dialog.Request, _ *server, _ *dialogtest.Leg) {
				r.Session, r.Connection, r.IOProcessors = "s1", connection, map[string]string{"basichttp": "http://here/events"}
			})
			x.Pass(time.Second)
			x.want("started, exit", map[string]any{"expr": want})
		})
	}
}

// TestSpeechOnly: what no key chooses is told when the page is loaded.
func TestSpeechOnly(t *testing.T) {
	const nothing = "can be chosen by keys: without an engine under dialog.asr, error.unsupported.language is thrown"
	const one = "can be chosen by speech alone"
	tests := []struct{ page, want string }{
		{`<menu><choice next="#a">One</choice><choice next="#b">Two</choice></menu>`, "nothing of <menu> " + nothing},
		{`<form><field name="f"><option>One</option><option>Two</option></field></form>`, "nothing of <field> " + nothing},
		{`<menu><choice dtmf="1" next="#a">One</choice><choice next="#b">Two</choice></menu>`, "this <choice> " + one},
		{`<form><field name="f"><option dtmf="1">One</option><option>Two</option></field></form>`, "this <option> " + one},
		{`<menu dtmf="true"><choice next="#a">One</choice><choice next="#b">Two</choice></menu>`, ""},
		{`<menu><choice dtmf="1" next="#a">One</choice></menu>`, ""},
		{`<menu><choice next="#a"><grammar mode="dtmf" version="1.0" root="r"><rule id="r">1</rule></grammar>One</choice></menu>`, ""},
		{`<menu><choice next="#a"><grammar src="a.grxml"/>One</choice></menu>`, ""},
		{`<menu><choice next="#a"><grammar src="a.grxml" mode="voice"/>One</choice></menu>`, "nothing of <menu> " + nothing},
		{`<form><field name="f" type="digits"><option>One</option></field></form>`, ""},
	}
	for _, test := range tests {
		page, err := compile(t, whole(test.page))
		if err != nil {
			t.Errorf("%s: %v", test.page, err)
			continue
		}
		switch got := page.Notices.Error(); {
		case test.want == "" && (strings.Contains(got, nothing) || strings.Contains(got, one)), !strings.Contains(got, test.want):
			t.Errorf("%s\n\tnotices %q, want %q", test.page, got, test.want)
		}
	}
}

// TestGrammarNotices: attributes of grammars with content mean nothing for one that is
// named, and are not warned of.
func TestGrammarNotices(t *testing.T) {
	page, err := compile(t, whole(`<form><field name="a"><grammar src="a.grxml" version="1.0" root="r" tag-format="semantics/1.0" mode="dtmf" type="application/srgs+xml" xml:lang="en-US"/></field></form>`))
	if err != nil || len(page.Notices) > 0 {
		t.Errorf("%v, notices %v", err, page.Notices)
	}
}

// TestMistakesAreShort: what is said of a page is not many times as long as the page.
func TestMistakesAreShort(t *testing.T) {
	list := strings.Repeat(strings.Repeat("a", 150)+"+ ", 900)
	for _, element := range []string{"exit namelist", "clear namelist", "submit next='x' namelist", "disconnect namelist", "data src='x' namelist", "if cond", "assign name='a' expr"} {
		page, err := compile(t, "<vxml version='2.1'><form><block><"+element+`="`+list+`"/></block></form></vxml>`)
		if err != nil {
			t.Fatal(err)
		}
		said := 0
		for _, mistake := range page.Mistakes {
			said += len(mistake.Error())
		}
		if said == 0 || said > 4*len(list) {
			t.Errorf("<%s>: of a list of %d bytes %d bytes are said", element, len(list), said)
		}
	}
}
