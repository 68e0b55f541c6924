//go:build growth

package main

import (
	"fmt"
	"html"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

// each writes a text n times, with a number in it.
func each(n int, format string) string {
	var b strings.Builder
	for i := range n {
		if strings.Contains(format, "%") {
			fmt.Fprintf(&b, format, i)
		} else {
			b.WriteString(format)
		}
	}
	return b.String()
}

// growingKinds are documents that have n of something, or something n deep. most is the
// largest n for which the document is within the limits on its size.
var growingKinds = []struct {
	name  string
	most  int
	write func(n int) string
}{
	// XML
	{"elements", 24_000, ccxmlOf("<log/>")},
	{"elements, nested", 60, func(n int) string {
		return "<ccxml>" + strings.Repeat("<a>", n) + strings.Repeat("</a>", n) + "</ccxml>"
	}},
	{"elements of another namespace", 20_000, ccxmlOf(`<x:a%d xmlns:x="urn:x"/>`)},
	{"namespaces", 12_000, ccxmlOf(`<x%[1]d:a xmlns:x%[1]d="urn:x%[1]d"/>`)},
	{"attributes", 60, func(n int) string { return ccxml("<log" + each(n, ` a%d="'x'"`) + "/>") }},
	{"attributes, long", 60, func(n int) string { return ccxml("<log" + each(n, ` a%d="`+strings.Repeat("x", 15000)+`"`) + "/>") }},
	{"comments", 24_000, ccxmlOf("<!-- -->")},
	{"comments in a script", 24_000, func(n int) string { return ccxml("<script>" + each(n, "a;<!-- -->") + "</script>") }},
	{"sections in a script", 24_000, func(n int) string { return ccxml("<script>" + each(n, "a;<![CDATA[b;]]>") + "</script>") }},
	{"instructions", 24_000, ccxmlOf("<?x?>")},
	{"character references", 12_000, func(n int) string { return ccxml(`<var name="x" expr="'` + each(n, "&#65;") + `' + nope"/>`) }},
	{"character references in a script", 80_000, func(n int) string { return ccxml("<script>'" + each(n, "&#65;") + "' + nope</script>") }},
	{"lines", 200_000, func(n int) string { return ccxml(strings.Repeat("\n", n) + "<log/>") }},
	{"texts", 24_000, ccxmlOf("x<log/>")},
	// CCXML
	{"transitions", 20_000, transitionsOf(`<transition event="a%d"/>`)},
	{"transitions of one event", 20_000, transitionsOf(`<transition event="a" cond="a"/>`)},
	{"transitions of patterns", 20_000, transitionsOf(`<transition event="a%d.*"/>`)},
	{"transitions of patterns with stars", 10_000, transitionsOf(`<transition event="*a*%d*"/>`)},
	{"transitions of many stars", 8, func(n int) string {
		return processor(each(16*n, `<transition event="`+strings.Repeat("*a", 2000)+`"/>`))
	}},
	{"transitions of states", 15_000, transitionsOf(`<transition state="s%d" event="error.*"/>`)},
	{"transitions of states that are set", 8_000, transitionsOf(`<transition state="s%[1]d" event="a%[1]d"><assign name="state" expr="'t%[1]d'"/></transition>`)},
	{"states", 100_000, func(n int) string { return processor(`<transition state="` + each(n, "s%d ") + `" event="error.*"/>`) }},
	{"states of two transitions", 50_000, func(n int) string {
		return processor(`<transition state="` + each(n, "s%d ") + `" event="error.*"/><transition state="` + each(n, "t%d ") + `" event="error.*"/>`)
	}},
	{"assigned states", 20_000, contentOf(`<assign name="state" expr="'s%d'"/>`)},
	{"assignments to what is not declared", 20_000, contentOf(`<assign name="v%d" expr="1"/>`)},
	{"assignments beside transitions", 8_000, transitionsOf(`<transition event="a%[1]d"><assign name="s" expr="1"/></transition>`)},
	{"sent events", 12_000, contentOf(`<send name="'e%d'" target="'a'" targettype="'ccxml'"/>`)},
	{"sent and awaited events", 6_000, transitionsOf(`<transition event="a%[1]d"><send name="'e%[1]d'" target="'a'" targettype="'ccxml'"/></transition>`)},
	{"delayed sends and exits", 10_000, contentOf(`<send name="'e'" target="'a'" targettype="'ccxml'" delay="'1s'"/><exit/>`)},
	{"exits", 20_000, contentOf(`<exit/>`)},
	{"exits in ifs", 10_000, contentOf(`<if cond="a"><exit/></if>`)},
	{"exits in nested ifs", 60, func(n int) string {
		return transition(strings.Repeat(`<if cond="a"><send name="'e'" target="'a'" targettype="'ccxml'" delay="'1s'"/>`, n) + strings.Repeat("<exit/></if>", n))
	}},
	{"ifs, nested", 60, func(n int) string { return transition(strings.Repeat(`<if cond="a">`, n) + strings.Repeat("</if>", n)) }},
	{"elseifs", 24_000, func(n int) string { return transition(`<if cond="a">` + each(n, `<elseif cond="a == %d"/>`) + "</if>") }},
	{"elses", 24_000, func(n int) string { return transition(`<if cond="a">` + each(n, `<else/>`) + "</if>") }},
	{"loops, nested", 60, func(n int) string {
		return transition(strings.Repeat(`<foreach item="a" array="b">`, n) + strings.Repeat("</foreach>", n))
	}},
	{"names of a list", 1_000, func(n int) string { return transition(`<exit namelist="` + each(n, "a%d ") + `"/>`) }},
	{"lists of names", 900, contentOf(`<exit namelist="` + each(100, "a%d ") + `"/>`)},
	{"names of a list that do not parse", 1_000, func(n int) string { return transition(`<exit namelist="` + each(n, "a%d+ ") + `"/>`) }},
	{"names of a page's list that do not parse", 1_000, formOf(`<block><exit namelist="` + each(50, "a%d+ ") + `"/></block>`)},
	{"variables", 20_000, ccxmlOf(`<var name="v%d"/>`)},
	{"variables of one name", 20_000, ccxmlOf(`<var name="v"/>`)},
	{"variables that are not declared", 20_000, ccxmlOf(`<var name="x" expr="u%d"/>`)},
	{"variables of transitions", 8_000, transitionsOf(`<transition event="a%[1]d"><var name="v%[1]d" expr="v0"/></transition>`)},
	{"receivers", 20_000, func(n int) string { // without the namespace, which lets them be undeclared
		return `<ccxml version="1.0"><eventprocessor><transition event="error.*">` + each(n, `<createconference conferenceid="c%d"/>`) + `</transition></eventprocessor></ccxml>`
	}},
	{"calls", 15_000, contentOf(`<createcall dest="'tel:%d'"/>`)},
	{"dialogs", 15_000, contentOf(`<dialogstart connectionid="a" src="'p%d.wav'" type="'audio/wav'"/>`)},
	{"dialogs of pages", 4_000, contentOf(`<dialogstart connectionid="a" src="'p%d.vxml'"/>`)},
	{"fetches", 15_000, contentOf(`<fetch next="'p%d'"/>`)},
	{"scripts", 15_000, contentOf(`<script>var v%d = 1</script>`)},
	{"scripts by src", 4_000, ccxmlOf(`<script src="s%d.js"/>`)},
	{"metas", 15_000, ccxmlOf(`<meta name="a%d" content="b"/>`)},
	{"expressions that do not parse", 15_000, contentOf(`<log expr="1 +"/>`)},
	{"attributes that there are not", 15_000, contentOf(`<log labl="a" expr="1"/>`)},
	{"elements that there are not", 20_000, contentOf(`<lag%d/>`)},
	{"bases", 15_000, contentOf(`<log xml:base="a/"/>`)},
	{"bases, nested", 60, func(n int) string {
		return transition(strings.Repeat(`<if cond="a" xml:base="abcdefgh/">`, n) + strings.Repeat("</if>", n))
	}},
	{"what sends hold", 12_000, func(n int) string {
		return transition(`<send name="'a'" target="'a'" targettype="'ccxml'">` + each(n, "<a>b</a>") + "</send>")
	}},
	// VoiceXML
	{"forms", 15_000, voiceXMLOf(`<form id="f%d"/>`)},
	{"blocks", 20_000, formOf(`<block/>`)},
	{"fields", 10_000, formOf(`<field name="f%d" type="digits"/>`)},
	{"fields with grammars", 5_000, formOf(`<field name="f%d"><grammar mode="dtmf" version="1.0" root="r"><rule id="r">1</rule></grammar></field>`)},
	{"fields with ABNF", 5_000, formOf(`<field name="f%d"><grammar mode="dtmf" type="application/srgs">#ABNF 1.0; mode dtmf; root $r; $r = 1;</grammar></field>`)},
	{"fields and a filled", 5_000, func(n int) string {
		return voiceXML("<form>" + each(n, `<field name="f%d" type="digits"/>`) + `<filled namelist="` + each(n, "f%d ") + `"/></form>`)
	}},
	{"fields and filleds", 5_000, func(n int) string {
		return voiceXML("<form>" + each(n, `<field name="f%d" type="digits"/>`) + each(n, `<filled namelist="f%d"/>`) + `</form>`)
	}},
	{"fields and handlers", 5_000, func(n int) string {
		return voiceXML("<form>" + each(n, `<catch event="e%d"/>`) + each(n, `<field name="f%d" type="digits"/>`) + `</form>`)
	}},
	{"fields and links", 3_000, func(n int) string {
		return voiceXML(each(n, `<link next="#a" dtmf="1"/>`) + "<form>" + each(n, `<field name="f%d" type="digits"/>`) + `</form>`)
	}},
	{"fields and properties", 5_000, func(n int) string {
		return voiceXML("<form>" + each(n, `<property name="p%d" value="x"/>`) + each(n, `<field name="f%d" type="digits"/>`) + `</form>`)
	}},
	{"options", 15_000, func(n int) string {
		return voiceXML(`<form><field name="f">` + each(n, `<option dtmf="1">a%d</option>`) + "</field></form>")
	}},
	{"options of many keys", 4_000, func(n int) string {
		return voiceXML(`<form><field name="f">` + each(n, `<option dtmf="1 2 3 4 5 6 7 8 9">a%d</option>`) + "</field></form>")
	}},
	{"choices", 15_000, func(n int) string { return voiceXML(`<menu>` + each(n, `<choice dtmf="1" next="#a%d"/>`) + "</menu>") }},
	{"choices without keys", 15_000, func(n int) string {
		return voiceXML(`<menu dtmf="true">` + each(n, `<choice next="#a%d"/>`) + "</menu>")
	}},
	{"ifs of a page, nested", 55, func(n int) string {
		return voiceXML("<form><block>" + strings.Repeat(`<if cond="a">`, n) + strings.Repeat("</if>", n) + "</block></form>")
	}},
	{"elseifs of a page", 20_000, func(n int) string {
		return voiceXML(`<form><block><if cond="a">` + each(n, `<elseif cond="a == %d"/>`) + "</if></block></form>")
	}},
	{"prompts", 15_000, formOf(`<block><prompt count="%d">a</prompt></block>`)},
	{"prompts of a field", 15_000, func(n int) string {
		return voiceXML(`<form><field name="f" type="digits">` + each(n, `<prompt count="%d">a</prompt>`) + "</field></form>")
	}},
	{"audio, nested", 55, func(n int) string {
		return voiceXML("<form><block>" + strings.Repeat(`<audio src="a">`, n) + strings.Repeat("</audio>", n) + "</block></form>")
	}},
	{"markup, nested", 55, func(n int) string {
		return voiceXML("<form><block><prompt>" + strings.Repeat(`<emphasis>`, n) + strings.Repeat("</emphasis>", n) + "</prompt></block></form>")
	}},
	{"markup", 20_000, func(n int) string {
		return voiceXML("<form><block><prompt>" + each(n, `a<break time="%dms"/>`) + "</prompt></block></form>")
	}},
	{"subdialogs", 10_000, formOf(`<subdialog name="s%d" src="a"/>`)},
	{"params", 15_000, func(n int) string {
		return voiceXML(`<form><subdialog name="s" src="a">` + each(n, `<param name="p%d" expr="1"/>`) + "</subdialog></form>")
	}},
	{"names of a submit", 1_000, func(n int) string {
		return voiceXML(`<form><block><submit next="a" namelist="` + each(n, "a%d ") + `"/></block></form>`)
	}},
	{"events of a catch", 50_000, func(n int) string { return voiceXML(`<catch event="` + each(n, "e%d ") + `"/><form/>`) }},
	{"catches", 15_000, voiceXMLOf(`<catch event="e%d"/>`)},
	{"variables of a page", 15_000, voiceXMLOf(`<var name="v%d" expr="1"/>`)},
	{"scripts of a page", 10_000, voiceXMLOf(`<script>var v%d = 1</script>`)},
	{"texts of a page", 15_000, voiceXMLOf(`x<form/>`)},
	{"gotos", 10_000, formOf(`<block><goto next="#f%d"/></block>`)},
	{"metas of a page", 15_000, voiceXMLOf(`<meta http-equiv="a%d" content="b"/>`)},
	// SRGS
	{"rules", 1_900, grammarOf(`<rule id="r%d">1</rule>`)},
	{"rules that refer forwards", 1_900, func(n int) string { return referring(n, 1, `<rule id="r%d"><ruleref uri="#r%d"/></rule>`) }},
	{"rules that refer backwards", 1_900, func(n int) string { return referring(n, -1, `<rule id="r%d"><ruleref uri="#r%d"/></rule>`) }},
	{"rules that refer forwards and take", 1_900, func(n int) string { return referring(n, 1, `<rule id="r%d">1 <ruleref uri="#r%d"/></rule>`) }},
	{"rules of one name", 20_000, grammarOf(`<rule id="r0">1</rule>`)},
	{"items", 15_000, func(n int) string { return oneRule(each(n, "<item>1</item>")) }},
	{"alternatives", 15_000, func(n int) string { return oneRule("<one-of>" + each(n, "<item>1</item>") + "</one-of>") }},
	{"alternatives with weights", 15_000, func(n int) string {
		return oneRule("<one-of>" + each(n, `<item weight="%d.5">1 2</item>`) + "</one-of>")
	}},
	{"items, nested", 48, func(n int) string { return oneRule(strings.Repeat("<item>", n) + "1" + strings.Repeat("</item>", n)) }},
	{"alternatives, nested", 24, func(n int) string {
		return oneRule(strings.Repeat("<one-of><item>1</item><item>", n) + "1" + strings.Repeat("</item></one-of>", n))
	}},
	{"repeats, nested", 45, func(n int) string {
		return oneRule(strings.Repeat(`<item repeat="2">`, n) + "1" + strings.Repeat("</item>", n))
	}},
	{"repeats of nothing, nested", 45, func(n int) string {
		return oneRule(strings.Repeat(`<item repeat="0-9">`, n) + strings.Repeat("</item>", n))
	}},
	{"repeats", 100, func(n int) string { return oneRule(each(n, `<item repeat="100">1</item>`)) }},
	{"references", 15_000, func(n int) string { return oneRule(each(n, `<ruleref uri="#r1"/>`)) }},
	{"references to what is not there", 15_000, func(n int) string { return oneRule(each(n, `<ruleref uri="#x%d"/>`)) }},
	{"references to what is not there, many rules", 1_900, func(n int) string {
		return grammarOf(`<rule id="r%d"><ruleref uri="#x0"/><ruleref uri="#x0"/><ruleref uri="#x0"/></rule>`)(n)
	}},
	{"references to other documents", 10_000, func(n int) string { return oneRule(each(n, `<ruleref uri="g%d.grxml"/>`)) }},
	{"references to oneself", 15_000, func(n int) string { return oneRule(each(n, `<ruleref uri="#r0"/>`)) }},
	{"tags", 10_000, func(n int) string { return oneRule(each(n, "1<tag>out = %d</tag>")) }},
	{"tags of one rule, long", 50, func(n int) string { return oneRule(each(n, "1<tag>out = '"+strings.Repeat("x", 10000)+"'</tag>")) }},
	{"tokens", 100_000, func(n int) string { return oneRule(each(n, "1 ")) }},
	{"tokens that are none", 50_000, func(n int) string { return oneRule(each(n, "xy ")) }},
	{"keys in one token", 40_000, func(n int) string { return oneRule(each(n, "1")) }},
	{"lines of tokens that are none", 50_000, func(n int) string { return oneRule(each(n, "xy\n")) }},
	{"ABNF rules", 1_900, func(n int) string { return abnf(each(n, "$r%d = 1;\n")) }},
	{"ABNF references", 15_000, func(n int) string { return abnf("$r0 = " + each(n, "$r1 ") + ";$r1 = 1;") }},
	{"ABNF references to what is not there", 15_000, func(n int) string { return abnf("$r0 = " + each(n, "$x%d ") + ";") }},
	{"ABNF alternatives", 20_000, func(n int) string { return abnf("$r0 = 1" + each(n, "| 2") + ";") }},
	{"ABNF alternatives with weights", 20_000, func(n int) string { return abnf("$r0 = /1/ 1 2" + each(n, "| /%d.5/ 2 3") + ";") }},
	{"ABNF brackets, nested", 49, func(n int) string {
		return abnf("$r0 = " + strings.Repeat("(", n) + "1" + strings.Repeat(")", n) + ";")
	}},
	{"ABNF optional brackets, nested", 49, func(n int) string {
		return abnf("$r0 = " + strings.Repeat("[", n) + "1" + strings.Repeat("]", n) + ";")
	}},
	{"ABNF repeats, nested", 45, func(n int) string {
		return abnf("$r0 = " + strings.Repeat("(", n) + "1" + strings.Repeat(")<2>", n) + ";")
	}},
	{"ABNF brackets, open", 200_000, func(n int) string { return abnf("$r0 = " + strings.Repeat("(", n)) }},
	{"ABNF tokens", 200_000, func(n int) string { return abnf("$r0 = " + each(n, "1 ") + ";") }},
	{"ABNF tags", 15_000, func(n int) string { return abnf("$r0 = 1" + each(n, "{out = %d}") + ";") }},
	{"ABNF lines", 200_000, func(n int) string { return abnf("$r0 = 1" + each(n, "\n 1") + ";") }},
	{"ABNF comments", 100_000, func(n int) string { return abnf("$r0 = 1" + each(n, "/* */") + ";") }},
	{"ABNF comments, open", 300_000, func(n int) string { return abnf("$r0 = 1" + each(n, "/*")) }},
	{"ABNF declarations", 15_000, func(n int) string { return abnf(each(n, `meta "a" is "b";`) + "$r0 = 1;") }},
	{"ABNF quotes", 20_000, func(n int) string { return abnf("$r0 = " + each(n, `"1" `) + ";") }},
	// ECMAScript, in a <script>
	{"statements", 60_000, scriptOf("a;")},
	{"statements in lines", 60_000, scriptOf("a;\n")},
	{"lines without semicolons", 60_000, scriptOf("a\n")},
	{"var", 40_000, scriptOf("var v%d;")},
	{"let", 40_000, scriptOf("let v%d;")},
	{"const", 30_000, scriptOf("const v%d = 1;")},
	{"let in a block", 40_000, func(n int) string { return inScript("{" + each(n, "let v%d;") + "}") }},
	{"let in a function", 40_000, func(n int) string { return inScript("function f() {" + each(n, "let v%d; v%[1]d;") + "}") }},
	{"let in blocks, nested", 900, func(n int) string { return inScript(each(n, "{let v%d;") + "v0" + strings.Repeat("}", n)) }},
	{"let in functions, nested", 450, func(n int) string {
		return inScript(each(n, "function f%[1]d(){let v%[1]d;") + "v0" + strings.Repeat("}", n))
	}},
	{"uses of a variable of functions, nested", 200, func(n int) string {
		return inScript("function f(){let v;" + strings.Repeat("(function(){", n) + each(20*n, "v;") + strings.Repeat("})();", n) + "}")
	}},
	{"var in one statement", 40_000, func(n int) string { return inScript("var a" + each(n, ",v%d")) }},
	{"functions", 15_000, scriptOf("function f%d(){}")},
	{"functions of one name", 15_000, scriptOf("function f(){}")},
	{"functions in a function", 15_000, func(n int) string { return inScript("function g() {" + each(n, "function f%d(){}") + "}") }},
	{"functions, nested", 900, func(n int) string { return inScript(strings.Repeat("function f(){", n) + strings.Repeat("}", n)) }},
	{"parameters", 50_000, func(n int) string { return inScript("function f(a" + each(n, ",p%d") + "){}") }},
	{"parameters with values", 40_000, func(n int) string { return inScript("function f(a" + each(n, ",p%d=1") + "){}") }},
	{"parameters of one name", 40_000, func(n int) string { return inScript("function f(a" + each(n, ",a") + "){}") }},
	{"arguments", 60_000, func(n int) string { return inScript("f(a" + each(n, ",a") + ")") }},
	{"arguments, spread", 40_000, func(n int) string { return inScript("f(a" + each(n, ",...a") + ")") }},
	{"calls of calls", 900, func(n int) string { return inScript("f" + each(n, "()")) }},
	{"calls, nested", 450, func(n int) string { return inScript(strings.Repeat("f(", n) + strings.Repeat(")", n)) }},
	{"labels", 30_000, scriptOf("a%d:1;")},
	{"labels, nested", 900, func(n int) string { return inScript(each(n, "a%d:") + "1") }},
	{"labels and breaks", 900, func(n int) string { return inScript(each(n, "a%d:") + "for(;;){" + each(40*n, "break a0;") + "}") }},
	{"breaks", 40_000, func(n int) string { return inScript("for(;;){" + each(n, "break;") + "}") }},
	{"breaks in blocks with variables, nested", 450, func(n int) string {
		return inScript("for(;;){" + strings.Repeat("{let a; (function(){a});", n) + each(n, "if(b)break;") + strings.Repeat("}", n) + "}")
	}},
	{"blocks, nested", 900, func(n int) string { return inScript(strings.Repeat("{", n) + strings.Repeat("}", n)) }},
	{"ifs, nested in a script", 450, func(n int) string { return inScript(strings.Repeat("if(a)", n) + "b") }},
	{"else ifs", 450, func(n int) string { return inScript(strings.Repeat("if(a)b;else ", n) + "c") }},
	{"loops in loops", 450, func(n int) string { return inScript(strings.Repeat("for(;;)", n) + "c") }},
	{"do loops", 450, func(n int) string { return inScript(strings.Repeat("do ", n) + "c" + strings.Repeat(";while(a)", n)) }},
	{"tries, nested", 450, func(n int) string {
		return inScript(strings.Repeat("try{", n) + strings.Repeat("}catch(e){}finally{}", n))
	}},
	{"tries in finallies", 450, func(n int) string { return inScript(strings.Repeat("try{}finally{", n) + strings.Repeat("}", n)) }},
	{"returns in finallies", 300, func(n int) string {
		return inScript("(function(){" + strings.Repeat("try{return 1}finally{", n) + strings.Repeat("}", n) + "})")
	}},
	{"with, nested", 450, func(n int) string { return inScript(strings.Repeat("with(a)", n) + "c") }},
	{"cases", 40_000, func(n int) string { return inScript("switch(a){" + each(n, "case %d:") + "}") }},
	{"cases with variables", 30_000, func(n int) string { return inScript("switch(a){" + each(n, "case %[1]d:let v%[1]d;") + "}") }},
	{"switches, nested", 450, func(n int) string { return inScript(strings.Repeat("switch(a){case 1:", n) + strings.Repeat("}", n)) }},
	{"classes", 10_000, scriptOf("class C%d{}")},
	{"methods", 30_000, func(n int) string { return inScript("class C{" + each(n, "m%d(){}") + "}") }},
	{"fields of a class", 30_000, func(n int) string { return inScript("class C{" + each(n, "m%d=1;") + "}") }},
	{"private fields of a class", 30_000, func(n int) string { return inScript("class C{" + each(n, "#m%d=1;") + "}") }},
	{"private fields that are not there", 30_000, func(n int) string { return inScript("class C{m(){" + each(n, "this.#m%d;") + "}}") }},
	{"static blocks", 20_000, func(n int) string { return inScript("class C{" + each(n, "static{}") + "}") }},
	{"classes, nested", 300, func(n int) string {
		return inScript(strings.Repeat("class C extends (", n) + "a" + strings.Repeat("){}", n))
	}},
	// expressions
	{"a string", 400_000, func(n int) string { return inScript("'" + strings.Repeat("x", n) + "'") }},
	{"a string of escapes", 80_000, func(n int) string { return inScript("'" + strings.Repeat(`\u0061`, n) + "'") }},
	{"a string that is not closed", 400_000, func(n int) string { return inScript("'" + strings.Repeat("x", n)) }},
	{"strings", 40_000, scriptOf("'a%d';")},
	{"strings that are added", 450, func(n int) string { return inScript(strings.Repeat("'a'+", n) + "'b'") }},
	{"long strings that are added", 100, func(n int) string { return inScript(strings.Repeat("'"+strings.Repeat("x", 5000)+"'+", n) + "'b'") }},
	{"a number", 400_000, func(n int) string { return inScript(strings.Repeat("1", n)) }},
	{"a hexadecimal number", 400_000, func(n int) string { return inScript("0x" + strings.Repeat("f", n)) }},
	{"a binary number", 400_000, func(n int) string { return inScript("0b" + strings.Repeat("1", n)) }},
	{"an octal number", 400_000, func(n int) string { return inScript("0" + strings.Repeat("7", n)) }},
	{"a fraction", 400_000, func(n int) string { return inScript("0." + strings.Repeat("7", n)) }},
	{"a big number", 100_000, func(n int) string { return inScript(strings.Repeat("7", n) + "n") }},
	{"numbers", 40_000, scriptOf("%d;")},
	{"numbers of an expression", 450, func(n int) string { return inScript(each(n, "%d.5+") + "1") }},
	{"constants that are folded", 450, func(n int) string { return inScript(strings.Repeat("1+", n) + "1") }},
	{"operators", 450, func(n int) string { return inScript(strings.Repeat("a*", n) + "1") }},
	{"powers", 450, func(n int) string { return inScript(strings.Repeat("a**", n) + "1") }},
	{"ands", 450, func(n int) string { return inScript(strings.Repeat("a&&", n) + "1") }},
	{"ors in ands", 450, func(n int) string { return inScript(strings.Repeat("(a||", n) + "1" + strings.Repeat(")&&b", n)) }},
	{"an array", 100_000, func(n int) string { return inScript("[" + each(n, "1,") + "]") }},
	{"an array of holes", 400_000, func(n int) string { return inScript("[" + each(n, ",") + "]") }},
	{"arrays, nested", 450, func(n int) string { return inScript(strings.Repeat("[", n) + strings.Repeat("]", n)) }},
	{"an object", 40_000, func(n int) string { return inScript("({" + each(n, "a%d:1,") + "})") }},
	{"an object of one name", 80_000, func(n int) string { return inScript("({" + each(n, "a:1,") + "})") }},
	{"an object of accessors", 20_000, func(n int) string { return inScript("({" + each(n, "get a%d(){},") + "})") }},
	{"an object of computed names", 40_000, func(n int) string { return inScript("({" + each(n, "[a]:1,") + "})") }},
	{"an object of short names", 80_000, func(n int) string { return inScript("({" + each(n, "a,") + "})") }},
	{"objects, nested", 450, func(n int) string {
		return inScript("(" + strings.Repeat("{a:", n) + "1" + strings.Repeat("}", n) + ")")
	}},
	{"a regular expression", 16_000, func(n int) string { return inScript("/" + strings.Repeat("a", n) + "/") }},
	{"a regular expression of groups", 190, func(n int) string { return inScript("/" + strings.Repeat("(", n) + strings.Repeat(")", n) + "/") }},
	{"a regular expression of classes", 4_000, func(n int) string { return inScript("/" + strings.Repeat("[a]", n) + "/") }},
	{"a regular expression of lookaheads", 2_000, func(n int) string { return inScript("/" + strings.Repeat("(?=a)", n) + "/") }},
	{"a regular expression of backreferences", 5_000, func(n int) string { return inScript("/(a)" + strings.Repeat(`\1`, n) + "/") }},
	{"a regular expression of repetitions", 3_000, func(n int) string { return inScript("/" + strings.Repeat(`a{2}`, n) + "/") }},
	{"a regular expression that is not closed", 400_000, func(n int) string { return inScript("/" + strings.Repeat("a", n)) }},
	{"regular expressions", 40_000, scriptOf("/a%d/;")},
	{"regular expressions with lookaheads", 20_000, scriptOf("/(?=a)%d/;")},
	{"regular expressions that are long", 20, func(n int) string { return inScript(each(n, "/%d"+strings.Repeat("a", 16000)+"/;")) }},
	{"regular expressions of classes that are long", 20, func(n int) string { return inScript(each(n, "/%d"+strings.Repeat(`\w`, 8000)+"/;")) }},
	{"regular expressions of many kinds", 20, func(n int) string { return inScript(each(n, "/%d"+strings.Repeat(`\pL`, 5000)+"/u;")) }},
	{"regular expressions without case", 20, func(n int) string { return inScript(each(n, "/%d"+strings.Repeat(`[^a-zA-Z]`, 1600)+"/i;")) }},
	{"a template", 40_000, func(n int) string { return inScript("`" + each(n, "${a}") + "`") }},
	{"a template of texts", 40_000, func(n int) string { return inScript("`" + each(n, "x${a}") + "`") }},
	{"templates, nested", 450, func(n int) string { return inScript(strings.Repeat("`${", n) + strings.Repeat("}`", n)) }},
	{"templates, tagged", 450, func(n int) string { return inScript("a" + strings.Repeat("`b`", n)) }},
	{"a template that is not closed", 400_000, func(n int) string { return inScript("`" + strings.Repeat("x", n)) }},
	{"conditions", 450, func(n int) string { return inScript(strings.Repeat("a?b:", n) + "c") }},
	{"conditions in conditions", 450, func(n int) string { return inScript(strings.Repeat("a?", n) + "c" + strings.Repeat(":b", n)) }},
	{"conditions of literals", 450, func(n int) string { return ccxml(`<var name="x" expr="` + each(n, "a ? 'l%d' : ") + `'c'"/>`) }},
	{"commas", 100_000, func(n int) string { return inScript(strings.Repeat("a,", n) + "c") }},
	{"commas in brackets", 100_000, func(n int) string { return inScript("(" + strings.Repeat("a,", n) + "c)") }},
	{"commas before an arrow", 50_000, func(n int) string { return inScript("(" + each(n, "p%d,") + "c)=>1") }},
	{"assignments", 450, func(n int) string { return inScript(strings.Repeat("a=", n) + "c") }},
	{"assignments by patterns", 450, func(n int) string { return inScript(strings.Repeat("[a]=", n) + "c") }},
	{"patterns", 40_000, func(n int) string { return inScript("var [" + each(n, "v%d,") + "] = a") }},
	{"patterns, nested", 300, func(n int) string {
		return inScript("var " + strings.Repeat("[", n) + "v" + strings.Repeat("]", n) + " = a")
	}},
	{"patterns of objects, nested", 300, func(n int) string {
		return inScript("var " + strings.Repeat("{a:", n) + "v" + strings.Repeat("}", n) + " = a")
	}},
	{"patterns of objects", 40_000, func(n int) string { return inScript("var {" + each(n, "v%d,") + "} = a") }},
	{"arrows", 450, func(n int) string { return inScript(strings.Repeat("a=>", n) + "1") }},
	{"arrows with brackets", 450, func(n int) string { return inScript(strings.Repeat("(a)=>", n) + "1") }},
	{"arrows with blocks", 300, func(n int) string { return inScript(strings.Repeat("a=>{", n) + strings.Repeat("}", n)) }},
	{"arrows in brackets", 300, func(n int) string { return inScript(strings.Repeat("(a=>", n) + "1" + strings.Repeat(")", n)) }},
	{"arrows in values of parameters", 12, func(n int) string { return inScript(strings.Repeat("(a=", n) + "1" + strings.Repeat(")=>1", n)) }},
	{"arrows that use what is outside", 300, func(n int) string { return inScript("let v;" + each(n, "p%d=>") + "v+p0") }},
	{"asynchronous arrows", 300, func(n int) string { return inScript(strings.Repeat("async(a)=>", n) + "1") }},
	{"generators, nested", 200, func(n int) string {
		return inScript(strings.Repeat("function*g(){yield ", n) + "1" + strings.Repeat("}", n))
	}},
	{"yields", 450, func(n int) string { return inScript("function*g(){" + strings.Repeat("yield ", n) + "}") }},
	{"awaits", 450, func(n int) string { return inScript("async function g(){" + strings.Repeat("await ", n) + "1}") }},
	{"nots", 450, func(n int) string { return inScript(strings.Repeat("!", n) + "1") }},
	{"minuses", 450, func(n int) string { return inScript(strings.Repeat("- ", n) + "1") }},
	{"typeofs", 450, func(n int) string { return inScript(strings.Repeat("typeof ", n) + "1") }},
	{"typeofs of a chain", 4_000, scriptOf("typeof a.b.c.d.e.f.g.h;")},
	{"news", 450, func(n int) string { return inScript(strings.Repeat("new ", n) + "a") }},
	{"news with arguments", 450, func(n int) string { return inScript(strings.Repeat("new ", n) + "a" + strings.Repeat("()", n)) }},
	{"brackets", 450, func(n int) string { return inScript(strings.Repeat("(", n) + "a" + strings.Repeat(")", n)) }},
	{"brackets with commas", 450, func(n int) string { return inScript(strings.Repeat("(1,", n) + "a" + strings.Repeat(")", n)) }},
	{"brackets that are not closed", 900, func(n int) string { return inScript(strings.Repeat("(", n)) }},
	{"members", 900, func(n int) string { return inScript("a" + strings.Repeat(".b", n)) }},
	{"members by index", 900, func(n int) string { return inScript("a" + strings.Repeat("[b]", n)) }},
	{"members by index, nested", 450, func(n int) string { return inScript(strings.Repeat("a[", n) + "b" + strings.Repeat("]", n)) }},
	{"members, optional", 900, func(n int) string { return inScript("a" + strings.Repeat("?.b", n)) }},
	{"members that are called", 450, func(n int) string { return inScript("a" + strings.Repeat(".b()", n)) }},
	{"chains", 5_000, scriptOf("a.b.c.d.e.f.g.h;")},
	{"comments of a script", 100_000, scriptOf("/**/")},
	{"comments in lines", 100_000, scriptOf("//\n")},
	{"comments of HTML", 80_000, scriptOf("--&gt;\n")},
	{"a comment that is not closed", 400_000, func(n int) string { return inScript("/*" + strings.Repeat("x", n)) }},
	{"open comments", 200_000, func(n int) string { return inScript(strings.Repeat("/*", n)) }},
	{"what is lacking", 30_000, scriptOf("java;")},
	{"what does not parse", 60_000, scriptOf(") ")},
	{"semicolons", 400_000, scriptOf(";")},
	{"escaped names", 40_000, scriptOf(`\u0061;`)},
	{"directives", 30_000, scriptOf("'use strict';")},
	// One text that is long, and many that come to it.
	{"tabs among character references", 10_000, func(n int) string {
		return ccxml(`<var name="x" expr="'` + strings.Repeat("&#65;\t", n) + `' + nope"/>`)
	}},
	{"elements of a long namespace", 10_000, func(n int) string {
		return `<ccxml version="1.0" xmlns="http://www.w3.org/2002/09/ccxml" xmlns:x="urn:` + strings.Repeat("x", 50*n) + `"><eventprocessor><transition event="error.*">` +
			strings.Repeat("<x:a/>", n) + "</transition></eventprocessor></ccxml>"
	}},
	{"elements of a long prefix", 60, func(n int) string {
		prefix := strings.Repeat("x", 100*n)
		return transition(`<send name="'a'" target="'a'" targettype="'ccxml'" xmlns:` + prefix + `="urn:x">` + strings.Repeat("<"+prefix+":a>", n/2) + strings.Repeat("</"+prefix+":a>", n/2) + "</send>")
	}},
	{"sends below a long prefix", 5_000, func(n int) string {
		return `<ccxml version="1.0" xmlns="http://www.w3.org/2002/09/ccxml" xmlns:` + strings.Repeat("x", 50*n) + `="urn:x" xmlns:y="urn:y"><eventprocessor><transition event="error.*">` +
			strings.Repeat(`<send name="'a'" target="'a'" targettype="'ccxml'"><y:a/></send>`, n) + "</transition></eventprocessor></ccxml>"
	}},
	{"bases on a long one", 10_000, func(n int) string {
		return `<ccxml version="1.0" xml:base="http://a/` + strings.Repeat("x", 50*n) + `/">` + strings.Repeat(`<log xml:base="a" expr="1"/>`, n) + "</ccxml>"
	}},
	{"scripts on a long base", 2_000, func(n int) string {
		return `<ccxml version="1.0" xml:base="file:///a/` + strings.Repeat("x", 250*n) + `/">` + strings.Repeat(`<script src="a"/>`, n) + "</ccxml>"
	}},
	{"dialogs on a long base", 4_000, func(n int) string {
		return `<ccxml version="1.0" xml:base="file:///a/` + strings.Repeat("x", 100*n) + `/">` + "<eventprocessor><transition>" + strings.Repeat(`<dialogstart connectionid="a" src="'a.vxml'"/>`, n) + "</transition></eventprocessor></ccxml>"
	}},
	{"variables of names alike, declared and not", 8_000, func(n int) string {
		return ccxml(each(n, `<var name="a%d"/>`) + each(n, `<assign name="b" expr="A%d"/>`))
	}},
	{"states alike", 4_000, func(n int) string {
		return processor(each(n, `<transition state="s%d" event="a"/>`) + `<transition event="a">` + each(n, `<assign name="state" expr="'S%d'"/>`) + "</transition>")
	}},
	{"transitions of one event and many states", 400, func(n int) string {
		return processor(strings.Repeat(`<transition event="a" state="`+each(n, "s%d ")+`"/>`, n/2))
	}},
	{"transitions of one event and one condition", 8_000, transitionsOf(`<transition event="a" state="s%d t%[1]d u" cond="x == 1"/>`)},
	{"grammars of a long namespace", 10_000, func(n int) string {
		return `<vxml version="2.1" xmlns="http://www.w3.org/2001/vxml" xmlns:x="urn:` + strings.Repeat("x", 50*n) + `">` + `<form><field name="f">` + strings.Repeat("<x:grammar/>", n) + "</field></form></vxml>"
	}},
	{"parts of a long namespace", 10_000, func(n int) string {
		return `<vxml version="2.1" xmlns="http://www.w3.org/2001/vxml" xmlns:x="urn:` + strings.Repeat("x", 50*n) + `">` + `<form><block>` + strings.Repeat("<x:a/>", n) + "</block></form></vxml>"
	}},
	{"filleds of many names", 80, func(n int) string {
		return voiceXML("<form>" + each(10*n, `<field name="f%d" type="digits"/>`) + strings.Repeat(`<filled namelist="`+each(10*n, "f%d ")+`"/>`, n) + "</form>")
	}},
	{"filleds of names of no item", 80, func(n int) string {
		return voiceXML("<form>" + strings.Repeat(`<filled namelist="`+each(10*n, "f%d ")+`"/>`, n) + "</form>")
	}},
	{"forms of one name", 10_000, voiceXMLOf(`<form id="f"/>`)},
	{"choices that come to one key", 5_000, func(n int) string {
		return voiceXML(`<menu>` + strings.Repeat(`<choice dtmf="1" next="#a"/>`, n) + strings.Repeat(`<enumerate/>`, n) + "</menu>")
	}},
	{"links with handlers", 3_000, func(n int) string {
		return voiceXML(strings.Repeat(`<link next="#a" dtmf="1"/>`, n) + strings.Repeat(`<catch event="a"><enumerate/></catch>`, n) + strings.Repeat("<form/>", n))
	}},
	{"references on a long base", 10_000, func(n int) string {
		return `<grammar mode="dtmf" version="1.0" root="r0" xmlns="http://www.w3.org/2001/06/grammar" xml:base="http://a/` + strings.Repeat("x", 20*n) + `/"><rule id="r0">` + strings.Repeat(`<ruleref uri="a#b"/>`, n) + "</rule></grammar>"
	}},
	{"references of ABNF on a long base", 10_000, func(n int) string {
		return "#ABNF 1.0;\nmode dtmf;\nbase <http://a/" + strings.Repeat("x", 20*n) + "/>;\nroot $r;\n$r = " + strings.Repeat("$<a#b> ", n) + ";"
	}},
	{"references to a long root", 10_000, func(n int) string {
		return `<grammar mode="dtmf" version="1.0" root="` + strings.Repeat("x", 20*n) + `" xmlns="http://www.w3.org/2001/06/grammar" xml:base="http://a/b"><rule id="r0">` + strings.Repeat(`<ruleref uri="http://a/b#"/>`, n) + "</rule></grammar>"
	}},
	{"references to rules that there are not", 1_500, func(n int) string {
		return grammar(each(n, `<rule id="r%d">1 <ruleref uri="#R%[1]d"/><ruleref uri="#q%[1]d"/></rule>`))
	}},
	{"tags of a long rule", 5_000, func(n int) string {
		return oneRule(strings.Repeat("1 ", n) + strings.Repeat("<tag>out.a = 1;</tag>", n))
	}},
	{"what is lacking, assigned", 30_000, scriptOf("java=java;")},
	{"what is lacking, in a condition", 20_000, scriptOf("if(java)java;else java;")},
	{"what is lacking, in loops", 10_000, scriptOf("for(;;java)java;")},
	{"what is lacking, in loops with ends", 10_000, scriptOf("do java;while(java)\n")},
	{"what is lacking, in functions", 8_000, scriptOf("(function f(a=java){java})(java);")},
	{"what is lacking, in switches", 8_000, scriptOf("switch(java){case java:java;default:java}")},
	{"what is lacking, in blocks", 8_000, scriptOf("try{java}catch(e){java}finally{java}")},
	{"what is lacking, in calls", 15_000, scriptOf("java.a(java)[java];")},
	{"what is lacking, in classes", 6_000, scriptOf("(class extends java{[java](){java}});")},
	{"what is lacking, in patterns", 6_000, scriptOf("var {[java]:a=java}=java;")},
	{"what is lacking, in objects", 6_000, scriptOf("({[java]:java,a:java});")},
	{"what is lacking, in templates", 8_000, scriptOf("java`${java}`;")},
	{"what is lacking, in arrows", 8_000, scriptOf("(a=java)=>java;")},
	{"properties that are lacking", 15_000, scriptOf("a.toSource().watch();")},
	{"names that are read in functions", 8_000, scriptOf("function f%d(){return g%[1]d}")},
	{"functions in blocks", 8_000, scriptOf("{function f(){}}")},
	{"blanks", 400_000, scriptOf(" ")},
}

func ccxml(content string) string {
	return `<ccxml version="1.0" xmlns="http://www.w3.org/2002/09/ccxml">` + content + `</ccxml>`
}

func ccxmlOf(format string) func(int) string {
	return func(n int) string { return ccxml(each(n, format)) }
}

func processor(transitions string) string {
	return ccxml(`<var name="state" expr="'init'"/><eventprocessor statevariable="state">` + transitions + `</eventprocessor>`)
}

func transitionsOf(format string) func(int) string {
	return func(n int) string { return processor(each(n, format)) }
}

func transition(content string) string {
	return processor(`<transition event="error.*">` + content + `</transition>`)
}

func contentOf(format string) func(int) string {
	return func(n int) string { return transition(each(n, format)) }
}

func inScript(src string) string { return ccxml("<script>" + html.EscapeString(src) + "</script>") }

func scriptOf(format string) func(int) string {
	return func(n int) string { return inScript(html.UnescapeString(each(n, format))) }
}

func voiceXML(content string) string {
	return `<vxml version="2.1" xmlns="http://www.w3.org/2001/vxml">` + content + `</vxml>`
}

func voiceXMLOf(format string) func(int) string {
	return func(n int) string { return voiceXML(each(n, format)) }
}

func formOf(format string) func(int) string {
	return func(n int) string { return voiceXML("<form>" + each(n, format) + "</form>") }
}

// referring writes n rules, each of which refers to the one after or before it.
func referring(n, towards int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i, min(max(i+towards, 0), n-1))
	}
	return grammar(b.String())
}

func grammar(rules string) string {
	return `<grammar mode="dtmf" version="1.0" root="r0" xmlns="http://www.w3.org/2001/06/grammar" tag-format="semantics/1.0">` + rules + `</grammar>`
}

func grammarOf(format string) func(int) string {
	return func(n int) string { return grammar(each(n, format)) }
}

func oneRule(content string) string {
	return grammar(`<rule id="r0">` + content + `</rule><rule id="r1">1</rule>`)
}

func abnf(rules string) string {
	return "#ABNF 1.0;\nmode dtmf;\nroot $r0;\ntag-format <semantics/1.0>;\n" + rules
}

// TestGrowth: compiling and checking takes what is in proportion to a document's size:
// twice the size, about twice as much. Of what can only be so many, or so deep, each may
// cost more the more there are. What is counted is what is allocated, and the blocks of the
// program that run (TEST_GROWTH is testdata/growth, as make test-growth builds it). Seconds
// would not say it: they are the machine's.
func TestGrowth(t *testing.T) {
	directory := t.TempDir()
	client, err := reader()
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for _, g := range growingKinds {
		t.Run(g.name, func(t *testing.T) {
			most := g.most
			if most > 1000 {
				most = max(1000, most/10)
			}
			var took [3]work
			var names []string
			for i, n := range []int{max(most/4, 1), max(most/2, 1), most} {
				name := filepath.Join(directory, fmt.Sprintf("%d.xml", n))
				text := g.write(n)
				if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
				c := &checker{}
				c.prepare(client)
				took[i] = worked(func() { c.document(t.Context(), name) })
				took[i].size = len(text)
				names = append(names, name)
			}
			for i, steps := range stepsOf(t, os.Getenv("TEST_GROWTH"), names) {
				took[i].steps = steps
			}
			if g.most <= deepest {
				took[2].compareBounded(t)
			} else {
				took[2].compare(t, took[1], took[0])
			}
		})
	}
}

// work is what something took.
type work struct {
	size                      int // in bytes
	allocations, bytes, steps int64
}

func worked(f func()) work {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return work{allocations: int64(after.Mallocs - before.Mallocs), bytes: int64(after.TotalAlloc - before.TotalAlloc)}
}

// stepsOf has testdata/growth count the steps of documents.
func stepsOf(t *testing.T, program string, names []string) (list []int64) {
	t.Helper()
	command := exec.CommandContext(t.Context(), program, names...)
	command.Env = append(os.Environ(), "GOCOVERDIR="+t.TempDir())
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%s: %v", program, err)
	}
	for line := range strings.FieldsSeq(string(out)) {
		steps, err := strconv.ParseInt(line, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, steps)
	}
	if len(list) != len(names) {
		t.Fatalf("%d counts for %d documents", len(list), len(names))
	}
	return list
}

// compare reports what more than doubles where the size does. What grows a list by
// appending takes up to three times as much for twice the size, now and then.
func (w work) compare(t *testing.T, half, quarter work) {
	t.Helper()
	for _, of := range []struct {
		what                       string
		whole, half, quarter, free int64
	}{
		{"bytes", w.bytes, half.bytes, quarter.bytes, 4 << 20},
		{"allocations", w.allocations, half.allocations, quarter.allocations, 50_000},
		{"steps", w.steps, half.steps, quarter.steps, 2_000_000},
	} {
		if of.whole > of.free && ratio(of.whole, of.half, of.quarter) > 3.2 {
			t.Errorf("%s: %d for a quarter, %d for a half and %d for all of %d bytes", of.what, of.quarter, of.half, of.whole, w.size)
		}
	}
}

// deepest bounds what can only be so many, or so deep.
const deepest = 1000

// compareBounded reports what costs more than that bound times a few steps for each byte.
func (w work) compareBounded(t *testing.T) {
	t.Helper()
	const least, most = 2_000_000, 4 * deepest // for the document, and for each byte
	if w.steps > least+most*int64(w.size) {
		t.Errorf("%d steps for %d bytes", w.steps, w.size)
	}
}

// ratio is how many times more the second half takes than the second quarter: 2 where
// what is taken is in proportion.
func ratio(whole, half, quarter int64) float64 {
	if half <= quarter {
		return 1
	}
	return float64(whole-half) / float64(half-quarter)
}
