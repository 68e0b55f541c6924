package vxml_test

import (
	"strings"
	"testing"
)

// TestLenientValues: values that other platforms take keep no page from loading, and a
// notice says how they are read.
func TestLenientValues(t *testing.T) {
	tests := []struct{ page, want string }{
		{"<form><block><prompt bargein='TRUE'>a</prompt></block></form>", `<prompt bargein="TRUE"> is read as "true"`},
		{"<form><block><prompt timeout='10 s'>a</prompt></block></form>", `<prompt timeout="10 s"> is read as "10s"`},
		{"<form><block><prompt>a<break time='2sec'/></prompt></block></form>", `<break time="2sec"> is read as "2s"`},
		{"<form><block><prompt bargeintype='recognition'>a</prompt></block></form>", `<prompt bargeintype="recognition"> is read as "hotword"`},
		{"<form><block><prompt bargeintype='loud'>a</prompt></block></form>", `"loud" is neither speech nor hotword; it is ignored`},
		{"<form><record name='r' beep='True' maxtime='10S' finalsilence='' dtmfterm=' true '/></form>", `<record maxtime="10S"> is read as "10s"`},
		{"<form><record name='r' maxtime=''/></form>", ""},
		{"<form scope='DOCUMENT'/>", `<form scope="DOCUMENT"> is read as "document"`},
		{"<form><field name='a' type='digits' modal='TRUE'/></form>", `<field modal="TRUE"> is read as "true"`},
		{"<menu dtmf='True'><choice next='#a'>A</choice></menu>", `<menu dtmf="True"> is read as "true"`},
		{"<form><field name='a'><option dtmf='1' accept='Exact'>A</option></field></form>", `<option accept="Exact"> is read as "exact"`},
		{"<form><transfer dest='tel:1' type='BRIDGE'/></form>", `<transfer type="BRIDGE"> is read as "bridge"`},
		{"<form><transfer dest='tel:1' bridge='TRUE'/></form>", `<transfer bridge="TRUE"> is read as "true"`},
		{"<form><block><goto next='#a' fetchtimeout='5 s'/></block></form>", `<goto fetchtimeout="5 s"> is read as "5s"`},
		{"<property name='timeout' value='5 s'/><form/>", `<property name="timeout" value="5 s"> is read as "5s"`},
		{"<property name='timeout' value=''/><form/>", `<property name="timeout" value=""> is empty`},
		{"<property name='timeout' value='soon'/><form/>", `<property name="timeout">: "soon" is not a time: write a number with ms or s, such as '500ms' or '1.5s'; it is ignored`},
		{"<property name='termchar' value='##'/><form/>", `<property name="termchar">: "##" is not a digit`},
		{"<property name='bargein' value='TRUE'/><form/>", `<property name="bargein" value="TRUE"> is read as "true"`},
		{"<property name='bargeintype' value='energy'/><form/>", `<property name="bargeintype" value="energy"> is read as "speech"`},
		{"<property name='confidencelevel' value='50'/><form/>", `<property name="confidencelevel" value="50"> is read as "0.5"`},
		{"<property name='sensitivity' value='0,5'/><form/>", `<property name="sensitivity" value="0,5"> is read as "0.5"`},
		{"<property name='maxnbest' value='many'/><form/>", `"many" is not a number from 1; it is ignored`},
		{"<property name='inputmodes' value='DTMF,voice'/><form/>", `<property name="inputmodes" value="DTMF,voice"> is read as "dtmf voice"`},
		{"<form><field name='continue' type='digits'/></form>", `<field name="continue">: a word of ECMAScript`},
		{"<link event='a'><grammar src='builtin:amd'/></link><form/>", `there is no builtin grammar "builtin:amd"`},
		{"<form><block><submit next='x' namelist='a, b'/></block></form>", `<submit namelist="a, b">: names are separated by spaces; commas are read as such`},
		{"<form><block><exit namelist='a,b'/></block></form>", `<exit namelist="a,b">: names are separated`},
		{"<form><block><return namelist='a , b,'/></block></form>", `<return namelist="a , b,">: names are separated`},
		{"<form><block><clear namelist='a, b'/></block></form>", `<clear namelist="a, b">: names are separated`},
		{"<form><block><disconnect namelist='a, b'/></block></form>", `<disconnect namelist="a, b">: names are separated`},
		{"<form><block><data src='x' namelist='a, b'/></block></form>", `<data namelist="a, b">: names are separated`},
		{"<form><subdialog src='x' namelist='a, b'/></form>", `<subdialog namelist="a, b">: names are separated`},
		{"<form><field name='a' type='digits'/><field name='b' type='digits'/><filled namelist='a, b'/></form>", `<filled namelist="a, b">: names are separated`},
		{"<catch event='noinput, nomatch'/><form/>", `<catch event="noinput, nomatch">: names are separated`},
		{"<form><block><script><!--\nvar a = 1;\n//--></script></block></form>", "put it into <![CDATA["},
	}
	for _, test := range tests {
		loads(t, test.page, test.want)
	}
}

// TestEmptyBesideOthers: an empty attribute is none where another one stands in its place.
func TestEmptyBesideOthers(t *testing.T) {
	for _, page := range []string{
		"<form><block><goto next='#a' expr='' nextitem=''/></block></form>",
		"<form><block><submit next='' expr=\"'x'\"/></block></form>",
		"<form><block><submit next='' expr=''/></block></form>",
		"<form><block><exit expr='' namelist=''/></block></form>",
		"<form><block><exit expr='1' namelist=''/></block></form>",
		"<form><block><throw event='a' eventexpr='' message='m' messageexpr=''/></block></form>",
		"<form><block><return event='' namelist='a'/></block></form>",
		"<form><block><prompt><audio src='' expr=\"'x'\"/></prompt></block></form>",
		"<form><block><data src='x' srcexpr=''/></block></form>",
		"<form><subdialog src='x' srcexpr=''><param name='a' value='' expr='1'/></subdialog></form>",
		"<form><transfer dest='tel:1' destexpr='' type='' bridge='true' aai='' aaiexpr=''/></form>",
		"<form><field name='a'><grammar src='' mode='dtmf' version='1.0' root='r'><rule id='r'>1</rule></grammar></field></form>",
		"<menu><choice dtmf='1' next='#a' event='' expr=''>A</choice></menu>",
		"<script src=''/><form/>",
	} {
		loads(t, page, "is empty; it is read as if it were not there")
	}
}

// TestOlderPages: what VoiceXML 1.0 calls otherwise, and markup where it cannot stand.
func TestOlderPages(t *testing.T) {
	for page, want := range map[string]string{
		"<form><block><prompt><sayas class='digits'>12</sayas><sayas class='time'>1</sayas></prompt></block></form>": "<sayas> is of VoiceXML 1.0; it is read as <say-as>",
		"<form><block><prompt><emp level='strong'>a</emp></prompt></block></form>":                                   "<emp> is of VoiceXML 1.0; it is read as <emphasis>",
		"<form><block><prompt><pros rate='160' vol='0.5'>a</pros></prompt></block></form>":                           "<pros> is of VoiceXML 1.0; it is read as <prosody>",
		"<form><block><prompt><div type='sentence'>a</div></prompt></block></form>":                                  "<div> is of VoiceXML 1.0; it is read as <s>",
		"<form><field name='a'><dtmf type='application/x-jsgf'>1</dtmf></field></form>":                              "<dtmf> is of VoiceXML 1.0; it is read as <grammar>",
		"<form><block><prompt><audio>a</audio></prompt></block></form>":                                              "<audio> has neither src nor expr; its content is said",
		"<form><block><prompt><value expr='1' class='digits'/></prompt></block></form>":                              "<value class=\"digits\"> is of VoiceXML 1.0",
		"<catch event='telephone.disconnect.hangup'><exit/></catch><form/>":                                          `is read as "connection.disconnect.hangup"`,
		"<form><block><prompt>a<prompt>b</prompt></prompt></block></form>":                                           "<prompt> cannot stand in <prompt>; its content is said",
		"<form><block><prompt>a<br/><b>c</b></prompt></block></form>":                                                "<br> cannot stand in <prompt>; its content is said",
		"<form><block><prompt><foreach item='i' array='[1]'><prompt>b</prompt></foreach></prompt></block></form>":    "<prompt> cannot stand in <foreach>; its content is said",
		"<menu><choice dtmf='1' next='#a'><prompt>A</prompt></choice></menu>":                                        "<prompt> cannot stand in <choice>; its content is the choice's",
		"<form><block><property name='timeout' value='1s'/>a</block></form>":                                         "<property> cannot stand in <block>, and is ignored there",
		"<form><block>a<catch event='b'>c</catch></block></form>":                                                    "<catch> cannot stand in <block>, and is ignored there",
	} {
		loads(t, page, want)
	}
}

// loads compiles a page that has to load, with a notice.
func loads(t *testing.T, page, want string) {
	t.Helper()
	compiled, err := compile(t, whole(page))
	if err != nil {
		t.Errorf("%s\n\tdoes not load: %v", page, err)
		return
	}
	if got := compiled.Notices.Error(); !strings.Contains(got, want) {
		t.Errorf("%s\n\tgave %v\n\twant %s", page, got, want)
	}
}
