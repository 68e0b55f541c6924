package vxml_test

import (
	"strings"
	"testing"

	"ccxmld/dialog/vxml"
	"ccxmld/fetch"
)

func compile(t testing.TB, text string) (*vxml.Page, error) {
	t.Helper()
	root, err := fetch.ParseXML([]byte(text), "file:///p.vxml", fetch.XMLLimits{})
	if err != nil {
		t.Fatal(err)
	}
	return vxml.NewCompiler().Compile(root, "file:///p.vxml")
}

// TestProblems: what keeps a page from loading, with its line.
func TestProblems(t *testing.T) {
	tests := []struct{ page, want string }{
		{"<ccxml/>", "1: <ccxml> is not the root of a VoiceXML page; expected <vxml> of the namespace http://www.w3.org/2001/vxml"},
		{"<ccxml xmlns='http://www.w3.org/2002/09/ccxml'/>", "1: <ccxml> of the namespace http://www.w3.org/2002/09/ccxml is not the root of a VoiceXML page"},
		{"<form><field name='a'>\n<grammar src='a.grxml'><rule/></grammar></field></form>", "2: <grammar> has either src, srcexpr or content"},
		{"<form><field name='a'>\n<grammar srcexpr='a'>1</grammar></field></form>", "2: <grammar> has either src, srcexpr or content"},
		{"<form><field name='a'>\n<grammar src='builtin:dtmf/digits'>1</grammar></field></form>", "2: <grammar> has either src, srcexpr or content"},
		{"<form><field name='a'>\n<grammar src='a' srcexpr='b'/></field></form>", "2: <grammar> needs exactly one of src and srcexpr"},
		{"<form><field name='a'>\n<grammar mode='dtmf'> <!-- x --> </grammar></field></form>", "2: <grammar> needs one of src, srcexpr and content"},
		{"<link next='#a'>\n<grammar/></link>", "2: <grammar> needs one of src, srcexpr and content"},
		{"<form><block><exit namelist='" + strings.Repeat("a ", 1001) + "'/></block></form>", "1: <exit namelist> has more than 1000 names"},
		{"<menu>\n</menu>", "1: <menu> has no <choice>"},
		{"<menu>\n<choice dtmf='x' next='#a'>A</choice></menu>", `2: <choice dtmf>: "x": expected keys`},
		{"<menu>\n<choice dtmf='1' next='#a' event='b'>A</choice></menu>", "2: <choice> needs exactly one of next, expr, event, eventexpr"},
		{"<form>\n<subdialog/></form>", "2: <subdialog> needs exactly one of src and srcexpr"},
		{"<form><record\nmaxtime='0s'/></form>", "1: <record maxtime=\"0s\">: expected a time to record in"},
		{"<form scope='page'/>", `1: <form scope="page">: expected dialog or document`},
		{"<form><block>\n<foreach item='x'/></block></form>", "2: <foreach> needs the attribute array"},
		{"<form><block>\n<return event='a' namelist='b'/></block></form>", "2: <return> takes one of event, eventexpr, namelist"},
		{"<form><field name='a' type='digits'/>\n<field name='a' type='digits'/></form>", `2: there are two form items with the name "a"`},
		{"<form id='a'/>\n<form id='a'/>", `2: there are two dialogs with the id "a"`},
		{"<form>\n<filled namelist='x'/></form>", `2: namelist has "x", which is no input item of this form`},
		{"<form><block>\n<if/></block></form>", `2: <if> needs the attribute cond`},
		{"<form><block><if cond='1'><else/>\n<elseif cond='2'/></if></block></form>", `2: <elseif> comes after <else/>`},
		{"<form><block>\n<goto/></block></form>", "2: <goto> needs exactly one of next, expr, nextitem, expritem"},
		{"<form><block>\n<submit next='a' method='put'/></block></form>", `2: method is "put"; expected get or post`},
		{"<form><block>\n<filled/></block></form>", "2: <filled> cannot stand in <block>"},
		{"<form><block><prompt>\n<goto/></prompt></block></form>", "2: <goto> cannot stand in <prompt>"},
		{"<form><block>\n<audio/></block></form>", "2: <audio> needs exactly one of src and expr"},
		{"<form>\n<field name='a b' type='digits'/></form>", `2: <field name="a b">: not a variable name`},
		{"<form><block>\n<var name='1x'/></block></form>", `2: <var name="1x">: not a variable name`},
		{"<form><block>\n<data name='a.1' src='x'/></block></form>", `2: <data name="a.1">: not a variable name`},
		{"<form>\n<field type='digits?length=0'/></form>", `2: the grammar digits?length=0: "length=0": expected a number from 1 to 100`},
		{"<form>\n<field type='digits?length=3;maxlength=2'/></form>", `2: the grammar digits?length=3;maxlength=2: length contradicts minlength or maxlength`},
		{"<form>\n<property name='timeout'/></form>", "2: <property> needs the attribute value"},
		{"<form><record\nbeep='no'/></form>", `1: <record beep="no">: expected true or false`},
		{"<form>\n<noinput count='0'/></form>", `2: <noinput count="0">: expected a number from 1`},
	}
	for _, test := range tests {
		if !strings.HasPrefix(test.page, "<ccxml") && !strings.HasPrefix(test.page, "<vxml") {
			test.page = whole(test.page)
		}
		_, err := compile(t, test.page)
		if err == nil || !strings.HasPrefix(err.Error(), "file:///p.vxml:"+test.want) {
			t.Errorf("%s\n\tgave %v\n\twant %s", test.page, err, test.want)
		}
	}
}

// TestNotices: what is passed over, said when the page is loaded.
func TestNotices(t *testing.T) {
	page, err := compile(t, `<vxml version="2.0">
		<x:y xmlns:x="urn:x"/><exit/><form><object/><field name="f"><grammar mode="voice">a</grammar></field><block><log labl="a"/></block></form></vxml>`)
	if err != nil {
		t.Fatal(err)
	}
	var notices []string
	for _, n := range page.Notices {
		notices = append(notices, n.Error())
	}
	all := strings.Join(notices, "\n")
	for _, want := range []string{
		":2: <object> is not supported; it throws error.unsupported.objectname", ":2: a grammar of speech is listened to only with an engine",
		"<y> is not of VoiceXML", "<exit> cannot stand in <vxml>, where nothing executes it", "the attribute labl of <log>",
	} {
		if !strings.Contains(all, want) {
			t.Errorf("no notice says %q:\n%s", want, all)
		}
	}
}

// TestMistakes: what does not compile, anywhere, does not keep the page from loading.
func TestMistakes(t *testing.T) {
	const one = `<grammar mode="dtmf" version="1.0" root="r"><rule id="r">`
	tests := []struct{ page, want string }{
		{"<var name='a' expr='1 +'/><form/>", `<var expr="1 +">: SyntaxError: `},
		{"<form><var name='a' expr='n + 1;'/></form>", `<var expr="n + 1;">: SyntaxError: `},
		{"<form><block expr='1 +' cond='2 +'/></form>", `<block expr="1 +">: SyntaxError: `},
		{"<form><block><if cond='a ='/></block></form>", `<if cond="a =">: SyntaxError: `},
		{"<form><block><if cond='a'><elseif cond='a ='/></if></block></form>", `<elseif cond="a =">: SyntaxError: `},
		{"<form><block><assign name='1' expr='1'/></block></form>", `<assign name="1">: SyntaxError: `},
		{"<form><block><assign name='a' expr='+'/></block></form>", `<assign expr="+">: SyntaxError: `},
		{"<form><block><var name='document.a'/></block></form>", `<var name="document.a">: a variable is declared without a scope`},
		{"<form><block><var name='class'/></block></form>", `<var name="class">: a word of ECMAScript cannot be the name`},
		{"<form><block><data name='document.a' src='x'/></block></form>", `<data name="document.a">: a variable is declared without a scope`},
		{"<form><block><script>\nvar a = ;</script></block></form>", `2: <script>: SyntaxError: `},
		{"<script>if (</script><form/>", `<script>: SyntaxError: `},
		{"<catch cond='+'/><form/>", `<catch cond="+">: SyntaxError: `},
		{"<form><block><prompt cond='+'/></block></form>", `<prompt cond="+">: SyntaxError: `},
		{"<form><block><value expr='+'/><audio expr='-'/></block></form>", `<value expr="+">: SyntaxError: `},
		{"<form><block><prompt><foreach item='a' array='+'/></prompt></block></form>", `<foreach array="+">: SyntaxError: `},
		{"<form><block><foreach item='a' array='+'/></block></form>", `<foreach array="+">: SyntaxError: `},
		{"<form><block><log expr='+'/></block></form>", `<log expr="+">: SyntaxError: `},
		{"<form><block><exit expr='+'/></block></form>", `<exit expr="+">: SyntaxError: `},
		{"<form><block><exit namelist='a b+'/></block></form>", `<exit namelist="a b+">: SyntaxError: `},
		{"<form><block><clear namelist='1'/></block></form>", `<clear namelist="1">: SyntaxError: `},
		{"<form><block><submit next='a' namelist='1a'/></block></form>", `<submit namelist="1a">: SyntaxError: `},
		{"<form><block><goto expr='+'/></block></form>", `<goto expr="+">: SyntaxError: `},
		{"<form><block><goto expritem='+'/></block></form>", `<goto expritem="+">: SyntaxError: `},
		{"<form><block><throw eventexpr='+' messageexpr='-'/></block></form>", `<throw eventexpr="+">: SyntaxError: `},
		{"<form><subdialog srcexpr='+'><param name='a' expr='-'/></subdialog></form>", `<param expr="-">: SyntaxError: `},
		{"<form><transfer destexpr='+'/></form>", `<transfer destexpr="+">: SyntaxError: `},
		{"<form><transfer dest='tel:1' aaiexpr='+'/></form>", `<transfer aaiexpr="+">: SyntaxError: `},
		{"<form><field name='a'><grammar srcexpr='+'/></field></form>", `<grammar srcexpr="+">: SyntaxError: `},
		{"<menu><choice dtmf='1' expr='+'>A</choice></menu>", `<choice expr="+">: SyntaxError: `},
		{"<link dtmf='1' eventexpr='+'/><form/>", `<link eventexpr="+">: SyntaxError: `},
		{"<form><block><mark nameexpr='+'/></block></form>", `<mark nameexpr="+">: SyntaxError: `},
		{"<form><field name='a'>\n" + one + "fourteen</rule></grammar></field></form>", `2: "fourteen" is no key`},
		{"<form><grammar mode='dtmf' version='1.0' root='r'><rule id='r'>1 <tag>out = ;</tag></rule></grammar></form>", `<tag>: SyntaxError: `},
		{"<form><grammar mode='dtmf'>#ABNF 1.0; mode dtmf; root $r; $r = ;</grammar></form>", `expected keys`},
	}
	for _, test := range tests {
		page, err := compile(t, whole(test.page))
		if err != nil {
			t.Errorf("%s\n\tdoes not load: %v", test.page, err)
			continue
		}
		if got := page.Mistakes.Error(); !strings.Contains(got, test.want) {
			t.Errorf("%s\n\tgave %v\n\twant %s", test.page, got, test.want)
		}
	}
}

func FuzzCompile(f *testing.F) {
	for _, page := range []string{
		`<form><field name="f" type="digits?length=3">Go<filled><if cond="f==1">a<else/>b</if></filled></field></form>`,
		`<form><block><prompt count="2"><audio expr="a"><break/></audio><emphasis>x</emphasis></prompt><script>var a = 1</script></block></form>`,
		`<catch event="a b" count="2"><submit next="x" namelist="a.b"/></catch><menu/><form id="x"><initial/></form>`,
	} {
		f.Add(whole(page))
	}
	compiler := vxml.NewCompiler()
	f.Fuzz(func(t *testing.T, text string) {
		root, err := fetch.ParseXML([]byte(text), "file:///p.vxml", fetch.XMLLimits{})
		if err != nil {
			return
		}
		page, err := compiler.Compile(root, "file:///p.vxml")
		if (page == nil) == (err == nil) {
			t.Errorf("page %v, error %v", page, err)
		}
	})
}
