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
		{"<ccxml/>", "1: <ccxml> is not the root of a VoiceXML page; expected <vxml>"},
		{"<menu>\n</menu>", "1: <menu> has no <choice>"},
		{"<menu>\n<choice dtmf='x' next='#a'>A</choice></menu>", `2: <choice dtmf>: "x": expected keys`},
		{"<menu>\n<choice dtmf='1' next='#a' event='b'>A</choice></menu>", "2: <choice> needs exactly one of next, expr, event, eventexpr"},
		{"<form>\n<subdialog/></form>", "2: <subdialog> needs exactly one of src and srcexpr"},
		{"<form><record\nmaxtime='0s'/></form>", "1: <record maxtime=\"0s\">: expected a time to record in"},
		{"<form scope='page'/>", `1: <form scope="page">: expected dialog or document`},
		{"<form><block>\n<foreach item='x'/></block></form>", "2: <foreach> needs the attribute array"},
		{"<form><block>\n<return event='a' namelist='b'/></block></form>", "2: <return> takes one of event, eventexpr, namelist"},
		{"<form>\n<field name='a b' type='digits'/></form>", `2: <field name="a b">: not a variable name`},
		{"<form><field name='a' type='digits'/>\n<field name='a' type='digits'/></form>", `2: there are two form items with the name "a"`},
		{"<form id='a'/>\n<form id='a'/>", `2: there are two dialogs with the id "a"`},
		{"<form>\n<filled namelist='x'/></form>", `2: namelist has "x", which is no input item of this form`},
		{"<form><block>\n<if cond='a ='/></block></form>", `2: <if cond="a =">: SyntaxError: `},
		{"<form><block>\n<if/></block></form>", `2: <if> needs the attribute cond`},
		{"<form><block><if cond='1'><else/>\n<elseif cond='2'/></if></block></form>", `2: <elseif> comes after <else/>`},
		{"<form><block>\n<assign name='1' expr='1'/></block></form>", `2: <assign name="1">: SyntaxError: `},
		{"<form><block><script>\nvar a = ;</script></block></form>", `2: <script>: SyntaxError: `},
		{"<form><block>\n<goto/></block></form>", "2: <goto> needs exactly one of next, expr, nextitem, expritem"},
		{"<form><block>\n<submit next='a' method='put'/></block></form>", `2: method is "put"; expected get or post`},
		{"<form><block>\n<filled/></block></form>", "2: <filled> cannot stand in <block>"},
		{"<form><block><prompt>\n<goto/></prompt></block></form>", "2: <goto> cannot stand in <prompt>"},
		{"<form><block>\n<audio/></block></form>", "2: <audio> needs exactly one of src and expr"},
		{"<form>\n<field type='digits?length=0'/></form>", `2: the grammar digits?length=0: "length=0": expected a number from 1 to 100`},
		{"<form>\n<field type='digits?length=3;maxlength=2'/></form>", `2: the grammar digits?length=3;maxlength=2: length contradicts minlength or maxlength`},
		{"<form>\n<property name='timeout' value='soon'/></form>", `2: <property name="timeout">: "soon" is not a time`},
		{"<form>\n<property name='termchar' value='##'/></form>", `2: <property name="termchar">: "##" is not a digit`},
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
		<x:y xmlns:x="urn:x"/><form><object/><field name="f"><grammar mode="voice">a</grammar></field><block><log labl="a"/></block></form></vxml>`)
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
		"<y> is not of VoiceXML", "the attribute labl of <log>",
	} {
		if !strings.Contains(all, want) {
			t.Errorf("no notice says %q:\n%s", want, all)
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
