package srgs_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"ccxmld/dialog"
	"ccxmld/dialog/srgs"
	"ccxmld/fetch"
	"ccxmld/script"
)

const uri = "http://host/g.grxml"

// grammar gives a whole grammar for the content of one with the root "r".
func grammar(content string) string {
	if strings.HasPrefix(content, "<grammar") {
		return content
	}
	return `<grammar version="1.0" xmlns="http://www.w3.org/2001/06/grammar" mode="dtmf" root="r">` + content + `</grammar>`
}

func xmlSource(t testing.TB, uri, text string) srgs.Source {
	t.Helper()
	root, places, err := fetch.ParsePlacedXML([]byte(text), uri, fetch.XMLLimits{})
	if err != nil {
		t.Fatal(err)
	}
	return srgs.Source{URI: uri, Root: root, Places: places}
}

// source gives a grammar of either form.
func source(t testing.TB, uri, text string) srgs.Source {
	t.Helper()
	if srgs.IsABNF(text) {
		return srgs.Source{URI: uri, Text: text}
	}
	return xmlSource(t, uri, grammar(text))
}

func compile(t testing.TB, text string) *srgs.Compiled {
	t.Helper()
	g, err := srgs.Compile(source(t, uri, text), nil)
	if err != nil {
		t.Fatalf("%s\n%v", text, err)
	}
	return g
}

// says tells what a grammar makes of digits: - for no match, … behind what may go
// on, and what they mean.
func says(g srgs.Grammar, digits string) string {
	m := g.Match(digits)
	value, err := g.Interpret(digits, script.Limits{})
	switch {
	case m == dialog.NoMatch || m == dialog.Partial:
		if err == nil {
			return fmt.Sprintf("%v, but means %v", m, value)
		}
		return map[dialog.Match]string{dialog.NoMatch: "-", dialog.Partial: "…"}[m]
	case err != nil:
		return err.Error()
	case m == dialog.Matched:
		return fmt.Sprintf("%v…", value)
	}
	return fmt.Sprint(value)
}

// check compares what a grammar makes of digits with "digits: what" for each line.
func check(t *testing.T, g srgs.Grammar, lines string) {
	t.Helper()
	for line := range strings.Lines(lines) {
		digits, want, ok := strings.Cut(strings.TrimSpace(line), ":")
		if !ok {
			continue
		}
		if got := says(g, digits); got != strings.TrimSpace(want) {
			t.Errorf("%q is %s, want %s", digits, got, want)
		}
	}
}

func TestBuiltins(t *testing.T) {
	tests := []struct{ name, lines string }{
		{"boolean", ": …\n1: true\n2: false\n3: -\n11: -"},
		{"builtin:dtmf/boolean?y=7;n=9", "7: true\n9: false\n1: -"},
		{"boolean?y=*&n=%23", "*: true\n#: false"},
		{"date", ": …\n2026: …\n20261: …\n202613: -\n20000229: 20000229\n19000229: -\n20260431: -\n2026043: …\n2026023: -\n202604301: -\n2*: -"},
		{"digits", ": …\n1: 1…\n0123: 0123…\n1*: -"},
		{"digits?length=4", "123: …\n1234: 1234\n12345: -"},
		{"digits?minlength=2;maxlength=3", "1: …\n12: 12…\n123: 123"},
		{"builtin:grammar/digits?minlength=2;what=ever", "1: …\n12: 12…"},
		{"currency", ": …\n12: 12.00…\n12*: …\n12*5: 12.50…\n12*50: 12.50\n*99: 0.99\n12*501: -\n1*2*: -"},
		{"number", ": …\n12: 12…\n12*: …\n12*5: 12.5…\n*5: .5…\n1*2*3: -\n#: -"},
		{"phone", ": …\n8005551234: 8005551234…\n8005551234*: …\n8005551234*789: 8005551234x789…\n*: -\n1*2*3: -"},
		{"time", ": …\n0930: 0930?\n1230: 1230?\n1330: 1330h\n0000: 0000h\n3: -\n24: -\n236: -\n093: …\n09301: -"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			g, err := srgs.Builtin(test.name)
			if err != nil {
				t.Fatal(err)
			}
			check(t, g, test.lines)
		})
	}
}

func TestBuiltinProblems(t *testing.T) {
	for name, want := range map[string]string{
		"digits?length=0":                `"length=0": expected a number from 1 to 100`,
		"digits?minlength=x":             `"minlength=x": expected a number from 1 to 100`,
		"digits?length=3;maxlength=2":    "length contradicts minlength or maxlength",
		"digits?minlength=3;maxlength=":  `"maxlength=": expected a number from 1 to 100`,
		"digits?minlength=3&maxlength=2": "minlength is greater than maxlength",
		"boolean?y=12":                   `"y=12": expected a key, 0 to 9, *, # or A to D`,
		"boolean?y=2":                    `"2" is the key for both yes and no; give y and n different ones`,
		"money":                          `there is no builtin grammar "money"; there are boolean, currency, date, digits, number, phone and time`,
		"builtin:digits":                 `there is no builtin grammar "builtin:digits"; expected builtin:dtmf/NAME or builtin:grammar/NAME`,
	} {
		if _, err := srgs.Builtin(name); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", name, err, want)
		}
	}
	if _, err := srgs.Builtin("builtin:voice/digits"); !errors.Is(err, srgs.ErrSpeech) {
		t.Errorf("a builtin grammar for speech: %v", err)
	}
}

func TestKeys(t *testing.T) {
	g, err := srgs.Keys(" 1 2 a", nil)
	if err != nil {
		t.Fatal(err)
	}
	check(t, g, ": …\n1: …\n12A: 12A\n2: -\n12AA: -")
	g, err = srgs.Keys("*", 7.5)
	if err != nil {
		t.Fatal(err)
	}
	check(t, g, "*: 7.5")
	for _, wrong := range []string{"", "e", " ", strings.Repeat("1", 300)} {
		if _, err := srgs.Keys(wrong, nil); err == nil {
			t.Errorf("%q is taken for keys", wrong)
		}
	}
}

// TestXML: rule expansions (SRGS 1.0, 2) with what they match.
func TestXML(t *testing.T) {
	tests := []struct{ name, grammar, lines string }{
		{"keys", `<rule id="r">1 star <token>#</token> "pound" a</rule>`, ": …\n1: …\n1*##: …\n1*##A: 1*##A\n1*##a: 1*##a\n2: -"},
		{"pin, SRGS appendix E", `<rule id="digit"><one-of> <item>0</item> <item>1</item> <item>2</item> <item>3</item> <item>4</item>
			<item>5</item> <item>6</item> <item>7</item> <item>8</item> <item>9</item> </one-of></rule>
			<rule id="r" scope="public"><one-of><item><item repeat="4"><ruleref uri="#digit"/></item>#</item><item>* 9</item></one-of></rule>`,
			"123: …\n1234: …\n1234#: 1234#\n*9: *9\n*: …\n#: -\n12345: -"},
		{"repeats", `<rule id="r"><item repeat="2-4">1</item><item repeat="0-1">2</item><item repeat="1-">3</item></rule>`,
			"1: …\n11: …\n113: 113…\n1111233: 1111233…\n11111: -\n1122: -"},
		{"never", `<rule id="r">1<item repeat="0">2</item></rule>`, "1: 1\n12: -"},
		{"nothing at all", `<rule id="r"><item repeat="0-1">1</item></rule>`, ": …\n1: 1"},
		{"special rules", `<rule id="r"><one-of><item>1<ruleref special="VOID"/></item><item>2<ruleref special="NULL"/></item><item>3<ruleref special="GARBAGE"/>4</item></one-of></rule>`,
			"1: -\n2: 2\n34: 34…\n3*#4: 3*#4…\n3*#: …"},
		{"center recursion", `<rule id="r"><one-of><item>1<ruleref uri="#r"/>2</item><item>0</item></one-of></rule>`, "0: 0\n102: 102\n11022: 11022\n1102: …\n11023: -"},
		{"right recursion", `<rule id="r">1<item repeat="0-1"><ruleref uri="#r"/></item></rule>`, "1: 1…\n111: 111…"},
		{"nullable rules", `<rule id="n"><item repeat="0-"><item repeat="0-1">1</item></item></rule><rule id="r"><ruleref uri="#n"/><ruleref uri="#n"/>2<ruleref uri="#n"/></rule>`,
			"2: 2…\n112: 112…\n1211: 1211…\n3: -"},
		{"a rule that nothing matches", `<rule id="v">1<ruleref uri="#v"/></rule><rule id="r"><one-of><item>1<ruleref uri="#v"/></item><item>2</item></one-of></rule>`, "1: -\n2: 2"},
		{"comments, examples, others", `<meta name="a" content="b"/><rule id="r"><!-- 9 -->1<example>1 2</example><x:y xmlns:x="urn:x">7</x:y>2</rule>`, "12: 12"},
		{"inline in a page", `<grammar xmlns="http://www.w3.org/2001/vxml" version="1.0" mode="dtmf" root="r"><rule id="r"><one-of><item>1</item></one-of></rule></grammar>`, "1: 1"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { check(t, compile(t, test.grammar), test.lines) })
	}
}

// TestABNF: the same in the ABNF form.
func TestABNF(t *testing.T) {
	const head = "#ABNF 1.0 ISO-8859-1;\nmode dtmf;\nroot $r;\n"
	tests := []struct{ name, grammar, lines string }{
		{"pin, SRGS appendix E", "\ufeff\n#ABNF 1.0;\n// a comment\nmode dtmf; root $r; /* another */\n$digit = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9;\npublic $r = $digit <4> \"#\" | \"*\" 9;",
			"123: …\n1234: …\n1234#: 1234#\n*9: *9\n*: …\n#: -\n12345: -"},
		{"keys", head + `$r = 1 star "#" "pound * 7" # a;`, "1*##*7#A: 1*##*7#A"},
		{"repeats", head + `$r = 1<2-4> 2<0-1 /0.6/> (3)<1-> [4 /* x */] ;`, "11: …\n113: 113…\n1111233: 1111233…\n11111: -\n1122: -\n1134: 1134"},
		{"weights and languages", head + `language en-US; private $r = /10/ 1!en-US | /2.5/ (2 3)!fr | /.1/ [ $NULL ] 4;`, "1: 1\n23: 23\n4: 4"},
		{"special rules", head + `$r = 1 $VOID | 2 $NULL () | 3 $GARBAGE 4;`, "1: -\n2: 2\n34: 34…\n3*#4: 3*#4…"},
		{"texts in quotes", "#ABNF 1.0;mode dtmf;meta 'description' is 'the menu (main); $r = \"2\" /* <';http-equiv \"it's\" is 'a \"b\"';root $r;$r=1;", "1: 1\n2: -"},
		{"a key behind a space", head + "$r = (1) * | 2 *;", "1*: 1*\n2*: 2*"},
		{"other declarations", "#ABNF 1.0;mode dtmf;lexicon <http://x/a>~<text/x>;meta \"a;\" is \"b\";http-equiv \"c\" is \"d\";language en-US;base <http://x/>;root $r;$r=1;", "1: 1"},
		{"literals", head + `tag-format <semantics/1.0-literals>; $r = 1 { a } | 2 {!{ {b} }!};`, "1: a\n2: {b}"},
		{"scripts", head + `tag-format <semantics/1.0>; {var x = 'x'}; $r = $d<2> {out = x + rules.d} ; $d = 1 | 2;`, "12: x2"},
		{"scripts with braces", head + `tag-format <semantics/1.0>; $r = 1 {!{ if (true) { out = {a: 1}.a } }!};`, "1: 1"},
		{"recursion", head + `$r = 1 $r 2 | 0;`, "102: 102\n11022: 11022\n1102: …"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if !srgs.IsABNF(test.grammar) {
				t.Error("it is not recognised")
			}
			g, err := srgs.Compile(srgs.Source{URI: uri, Text: test.grammar}, nil)
			if err != nil {
				t.Fatal(err)
			}
			check(t, g, test.lines)
		})
	}
}

// TestABNFProblems: what is wrong with a text, where, and what to do.
func TestABNFProblems(t *testing.T) {
	const head = "#ABNF 1.0; mode dtmf; root $r;\n"
	tests := []struct{ grammar, want string }{
		{"$r = 1;", `1:1: expected #ABNF 1.0; at the beginning, found "$"`},
		{head + "$r = $a*; $a = 1;", `2:8: * does not repeat what stands before it; write <0->, or for the key * a space before it`},
		{head + "$r = (1)*;", `2:9: * does not repeat what stands before it`},
		{head + "$r = [1]* 2;", `2:9: * does not repeat what stands before it`},
		{head + "$r = \"1\"*;", `2:9: * does not repeat what stands before it`},
		{"#ABNF 1.0; mode dtmf; meta 'a' is 'b; root $r;\n$r = 1;", `1:36: the text in quotes has no end; write '`},
		{"#ABNF 1.0\nmode dtmf;", `1:1: the first line must end in a semicolon: #ABNF 1.0;`},
		{head + "$r = 1", `2:7: expected ";" behind the rule, or more of it, found the end of the grammar`},
		{head + "$r = 1\n$s = 2;", `3:4: expected ";" behind the rule, or more of it, found "="`},
		{head + "$r = ;", `2:6: expected keys, a rule such as $name, or something in brackets, found ";"`},
		{head + "$r = 1 | ;", `2:10: expected keys, a rule such as $name, or something in brackets, found ";"`},
		{head + "$r = (1;", `2:8: expected ")", found ";"`},
		{head + "$r = [1;", `2:8: expected "]", found ";"`},
		{head + "$r = [];", `2:7: expected keys, a rule such as $name, or something in brackets, found "]"`},
		{head + "$ = 1;", `2:2: expected the name of a rule, such as $name, found " "`},
		{head + "$r 1;", `2:4: expected "=", found "1"`},
		{head + "r = 1;", `2:1: "r" is no declaration; expected mode, root, tag-format, base, language, lexicon, meta, http-equiv, or a rule such as $name = 1 2;`},
		{head + "$r = one;", `2:6: "one" is no key; expected 0 to 9, A to D, *, #, star or pound, with spaces between`},
		{head + "$r = 1<3-2>;", `2:8: repeat is "3-2"; the second number must not be less than the first`},
		{head + "$r = 1<0-9999>;", `2:8: repeat is "0-9999"; more than 1000 times is not supported, write 0- for no upper bound`},
		{head + "$r = 1<2;", `2:8: the repeat has no end; write >`},
		{head + "$r = /x/ 1;", `2:7: the weight: "x" is no number such as 2 or 0.5`},
		{head + "$r = 1 {a;", `2:9: the tag has no end; write }`},
		{head + "$r = 1 /* a;", `2:8: the comment has no end; write */`},
		{head + "$r = \"1;", `2:7: the text in quotes has no end; write "`},
		{head + "$r = 1; $r = 2;", `2:9: there are two rules with the name "r"`},
		{head + "$VOID = 1;", `2:1: a rule cannot have the name $VOID, which is special; choose another one`},
		{head + "$r = $q;", `2:6: there is no rule "q" in http://host/g.grxml`},
		{head + "$r = $<>;", `2:6: the reference has no URI`},
		{head + "$r = 1 | $r 2;", `2:10: the rule "r" refers to itself before it takes a key (r → r): left recursion is not supported; use repeat, or put the key first`},
		{head + "$r = " + strings.Repeat("(", 60) + "1" + strings.Repeat(")", 60) + ";", `2:56: brackets are nested more than 50 deep; make a rule of what is in them`},
		{"#ABNF 1.0; mode keys;", `1:17: mode is "keys"; expected dtmf or voice`},
		{head + "tag-format <semantics/1.0>; $r = 1 {\nout = };", `3:7: <tag>: SyntaxError: `},
		{"#ABNF 1.0;" + strings.Repeat(" ", 1<<20), `1:1: the grammar is longer than 1024 KiB`},
	}
	for _, test := range tests {
		_, err := srgs.Compile(srgs.Source{URI: uri, Text: test.grammar}, nil)
		var problems script.Problems
		if !errors.As(err, &problems) || !strings.HasPrefix(err.Error(), uri+":"+test.want) {
			t.Errorf("%.200s\n\tgave %v\n\twant %s", test.grammar, err, test.want)
		}
	}
	// Inline, at a place of its page.
	_, err := srgs.Compile(srgs.Source{URI: uri, Text: "#ABNF 1.0; mode dtmf;\n$r = x;", At: script.Position{URI: uri, Line: 7, Column: 30}}, nil)
	if err == nil || !strings.HasPrefix(err.Error(), uri+`:8:6: "x" is no key`) {
		t.Errorf("inline: %v", err)
	}
}

// TestReferences: rules of other documents (SRGS 1.0, 2.2.2).
func TestReferences(t *testing.T) {
	documents := map[string]string{
		"http://host/sub/digits.grxml": `<rule id="r" scope="public"><item repeat="2"><ruleref uri="#d"/></item></rule><rule id="d"><one-of><item>1</item><item>2</item></one-of></rule>
			<rule id="back" scope="public">9<ruleref uri="../g.grxml#again"/></rule>`,
		"http://host/more.gram":    "#ABNF 1.0; mode dtmf; root $r; $r = 7 $<g.grxml#again> $<sub/digits.grxml>~<application/srgs+xml>;",
		"http://host/speech.grxml": `<grammar version="1.0" root="r"><rule id="r">one</rule></grammar>`,
	}
	load := func(uri, mediaType string) (srgs.Source, error) {
		if text, ok := documents[uri]; ok {
			return source(t, uri, text), nil
		}
		return srgs.Source{}, fmt.Errorf("%s %s: 404 Not Found", uri, mediaType)
	}
	g, err := srgs.Compile(source(t, uri, `<rule id="r">0<one-of><item><ruleref uri="sub/digits.grxml"/></item><item><ruleref uri="sub/digits.grxml#back"/></item></one-of></rule>
		<rule id="again" scope="public">5</rule>`), load)
	if err != nil {
		t.Fatal(err)
	}
	check(t, g, "0: …\n012: 012\n095: 095\n09: …\n019: -")
	based := source(t, uri, `<grammar version="1.0" mode="dtmf" root="r" xml:base="http://host/sub/"><rule id="r"><ruleref uri="digits.grxml"/></rule></grammar>`)
	if g, err = srgs.Compile(based, load); err != nil {
		t.Fatal(err)
	}
	check(t, g, "12: 12")
	g, err = srgs.Compile(source(t, uri, `<rule id="r"><ruleref uri="more.gram"/></rule><rule id="again" scope="public">5</rule>`), load)
	if err != nil {
		t.Fatal(err)
	}
	check(t, g, "7512: 7512")
	g, err = srgs.Compile(source(t, uri, `<rule id="r"><ruleref uri="more.gram" type="application/srgs+xml"/><ruleref uri="g.grxml#again" type="Application/SRGS+XML; x=y"/>
		<ruleref uri="sub/digits.grxml" type="application/srgs"/><ruleref uri="sub/digits.grxml" type="text/x"/></rule><rule id="again" scope="public">5</rule>`), load)
	if err != nil {
		t.Fatal(err)
	}
	if got := g.Notices.Error(); strings.Count(got, "and is read as that") != 3 || !strings.Contains(got, "the reference says application/srgs+xml, but more.gram is application/srgs, and is read as that") ||
		!strings.Contains(got, "the reference says application/srgs, but sub/digits.grxml is application/srgs+xml") {
		t.Errorf("notices %s", got)
	}
	for content, want := range map[string]string{
		`<ruleref uri="sub/digits.grxml#d"/>`:                 `the rule "d" of http://host/sub/digits.grxml is private; write scope="public" there`,
		`<ruleref uri="sub/digits.grxml#R"/>`:                 `there is no rule "R" in http://host/sub/digits.grxml (did you mean "r"?)`,
		`<ruleref uri="none.grxml" type="application/srgs"/>`: `the grammar http://host/none.grxml cannot be used here: http://host/none.grxml application/srgs: 404 Not Found`,
		`<ruleref uri="speech.grxml"/>`:                       `the grammar http://host/speech.grxml cannot be used here: http://host/speech.grxml:1:1: the grammar is for speech (mode "voice", the default); one for keys has mode="dtmf"`,
		`<ruleref uri="builtin:dtmf/digits"/>`:                `builtin:dtmf/digits cannot be a part of another grammar; give the field a <grammar> of its own for it`,
	} {
		_, err := srgs.Compile(source(t, uri, `<rule id="r">`+content+`</rule>`), load)
		if err == nil || err.Error() != uri+":1:100: "+want {
			t.Errorf("%s: %v\nwant %s", content, err, want)
		}
	}
}

// TestRule: a reference may name the rule to begin with, if that is public.
func TestRule(t *testing.T) {
	s := source(t, uri, `<rule id="r">1</rule><rule id="p" scope="public">2</rule>`)
	s.Rule = "p"
	g, err := srgs.Compile(s, nil)
	if err != nil {
		t.Fatal(err)
	}
	check(t, g, "2: 2\n1: -")
	for name, want := range map[string]string{
		"r": `:1:87: the rule "r" is private; write scope="public" so that others can refer to it`,
		"x": `:1: the grammar has no rule "x"`,
	} {
		s.Rule = name
		if _, err := srgs.Compile(s, nil); err == nil || err.Error() != uri+want {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSpeech(t *testing.T) {
	for _, text := range []string{
		`<grammar version="1.0" xml:lang="en" root="r"><rule id="r">yes</rule></grammar>`,
		`<grammar version="1.0" mode="voice" root="r"><rule id="r">yes</rule></grammar>`,
		"#ABNF 1.0; root $r; $r = yes;",
		"#ABNF 1.0; mode voice; root $r; public $r = yes;",
		"#ABNF 1.0; mode voice;",
	} {
		if _, err := srgs.Compile(source(t, uri, text), nil); !errors.Is(err, srgs.ErrSpeech) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// TestProblems: what is refused, with its place and what to do.
func TestProblems(t *testing.T) {
	nested := strings.Repeat("<item>", 50) + "1" + strings.Repeat("</item>", 50)
	tests := []struct{ grammar, want string }{
		{"<rule id='r'>\n 1 seven</rule>", `2:4: "seven" is no key; expected 0 to 9, A to D, *, #, star or pound, with spaces between`},
		{"<rule id='x'>1</rule><rule id='R'>1</rule>", `1:84: the root is "r", but there is no such rule (did you mean "R"?)`},
		{"<rule id='r'>1</rule>\n<rule id='r'>2</rule>", `2:1: there are two rules with the name "r"`},
		{"<rule>1</rule>", `1:87: <rule> needs the attribute id`},
		{"<rule id='VOID'>1</rule>", `1:87: a rule cannot have the name VOID, which is special; choose another one`},
		{"<rule id='r' scope='all'>1</rule>", `1:107: scope is "all"; expected public or private`},
		{"<rule id='r'>\n<ruleref uri='#q'/></rule>", `2:1: there is no rule "q" in http://host/g.grxml`},
		{"<rule id='r'>\n<ruleref uri='#'/></rule>", `2:1: the reference "#" names no rule; write #NAME`},
		{"<rule id='r'>\n<ruleref uri='other'/></rule>", `2:1: the grammar refers to http://host/other, but other documents cannot be loaded here`},
		{"<rule id='r'>\n<ruleref/></rule>", `2:1: <ruleref> needs exactly one of uri and special`},
		{"<rule id='r'>\n<ruleref special='ANY'/></rule>", `2:19: special is "ANY"; expected NULL, VOID or GARBAGE`},
		{"<rule id='r'>\n<item repeat='4-2'>1</item></rule>", `2:15: repeat is "4-2"; the second number must not be less than the first`},
		{"<rule id='r'>\n<item repeat='many'>1</item></rule>", `2:15: repeat is "many"; expected a number, or two such as 2-4, or 2- for no upper bound`},
		{"<rule id='r'>\n<item repeat='1-2' repeat-prob='2'>1</item></rule>", `2:15: repeat-prob is "2"; expected a number from 0.0 to 1.0`},
		{"<rule id='r'>\n<one-of><item weight='-1'>1</item></one-of></rule>", `2:23: weight: "-1" is no number such as 2 or 0.5`},
		{"<rule id='r'>\n<one-of>1 2</one-of></rule>", `2:9: the text "1 2" cannot stand in <one-of>; put it into an <item>`},
		{"<rule id='r'>\n<one-of/></rule>", `2:1: <one-of> needs an <item> at least`},
		{"<rule id='r'>\n<one-of><token>1</token></one-of></rule>", `2:9: <token> cannot stand in <one-of>; put it into an <item>`},
		{"<rule id='r'>\n<item weight='2'>1</item></rule>", `2:15: only an <item> of a <one-of> has a weight`},
		{"<rule id='r'>\n<rule id='x'>1</rule></rule>", `2:1: <rule> cannot stand in <rule>`},
		{"1 2\n<rule id='r'>1</rule>", `1:87: the text "1 2" stands outside of any <rule>`},
		{"<item>1</item>", `1:87: <item> cannot stand in <grammar>; expected <rule>, <tag> or <meta>`},
		{"<grammar mode='dtmf' version='1.0'/>", `1: the grammar http://host/g.grxml has no rules`},
		{"<grammar mode='dtmf' version='1.0'><rule id='a'>1</rule><rule id='b'>2</rule></grammar>", `1: the grammar http://host/g.grxml has no root, and it has several rules; name one, as in root="a"`},
		{"<grammar mode='keys' version='1.0' root='r'><rule id='r'>1</rule></grammar>", `1:16: mode is "keys"; expected dtmf or voice`},
		{"<rule id='r'>\n<ruleref uri='#a'/></rule><rule id='a'><item repeat='0-1'>1</item>\n<ruleref uri='#r'/></rule>",
			`3:1: the rule "r" refers to itself before it takes a key (r → a → r): left recursion is not supported; use repeat, or put the key first`},
		{"<rule id='r'><tag>out = ;</tag></rule>", `1:111: <tag>: SyntaxError: Unexpected token ;`},
		// What would take too much.
		{"<rule id='r'>\n<item repeat='0-5000'>1</item></rule>", `2:15: repeat is "0-5000"; more than 1000 times is not supported, write 0- for no upper bound`},
		{"<rule id='r'><item repeat='1000'><item repeat='1000'><item repeat='1000'>1</item></item></item></rule>",
			`1:87: the grammar is too big: with its repeats written out it has more than 50000 steps; use 0- or smaller repeats; the rule r is where it got too big`},
		{"<rule id='r'>\n" + nested + "</rule>", `2:295: <item> is nested more than 50 deep; make it a rule of its own`},
		{"<rule id='r'>" + strings.Repeat("<item repeat='1000'>", 20) + strings.Repeat("</item>", 20) + "</rule>",
			`1:87: the grammar is too big: with its repeats written out it has more than 50000 steps; use 0- or smaller repeats; the rule r is where it got too big`},
		{manyRules(2000), `: there are more than 2000 rules`},
	}
	for _, test := range tests {
		_, err := srgs.Compile(source(t, uri, test.grammar), nil)
		var problems script.Problems
		if !errors.As(err, &problems) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%.200s\n\tgave %v\n\twant %s", test.grammar, err, test.want)
		}
	}
}

func manyRules(n int) string {
	var b strings.Builder
	b.WriteString("<rule id='r'>1</rule>")
	for i := range n {
		fmt.Fprintf(&b, "<rule id='r%d'>1</rule>", i)
	}
	return b.String()
}

// TestNotices: what is read leniently, or ignored.
func TestNotices(t *testing.T) {
	g := compile(t, `<grammar mode="dtmf" tag-format="x/y"><lexicon uri="a"/><rule id="r" name="x">4321 dtmf-5 <tag>a</tag><tag>(</tag></rule></grammar>`)
	check(t, g, "43215: 43215")
	var notices []string
	for _, n := range g.Notices {
		notices = append(notices, n.Reason)
	}
	want := []string{
		`version is ""; the grammar is read as 1.0`,
		"<grammar> of no namespace is read as one of http://www.w3.org/2001/06/grammar",
		"<lexicon> is for speech; it is ignored",
		"<rule> has no attribute name; it is ignored",
		`"4321" is no token of DTMF grammars; it is read as its keys, one after the other`,
		`"dtmf-5" is no token of DTMF grammars; it is read as its keys, one after the other`,
		`the tag-format "x/y" is not known, so tags are ignored; expected semantics/1.0 or semantics/1.0-literals`,
		`the grammar has no root; it is read as "r", its only rule`,
	}
	if !reflect.DeepEqual(notices, want) {
		t.Errorf("notices\n%s\nwant\n%s", strings.Join(notices, "\n"), strings.Join(want, "\n"))
	}
	for text, want := range map[string]string{
		"#ABNF 2002; mode dtmf; root $r; $r = 1;":                                                                               `"#ABNF 2002" is not the beginning of a grammar of version 1.0, which is #ABNF 1.0; it is read as one`,
		"#ABNF; mode dtmf; root $r; $r = 1;":                                                                                    `"#ABNF" is not the beginning of a grammar of version 1.0, which is #ABNF 1.0; it is read as one`,
		"#ABNF 1.0; mode dtmf; root $r; $r = 1 | *;":                                                                            `"*" stands without quotes, which tokens with * or # need; it is read as if it had them`,
		"#ABNF 1.0; mode dtmf; root $r; $r = 1 | #;":                                                                            `"#" stands without quotes, which tokens with * or # need; it is read as if it had them`,
		`<grammar version="1.0" xmlns="urn:x" mode="dtmf" root="r"><rule id="r">1</rule></grammar>`:                             "<grammar> of the namespace urn:x is read as one of http://www.w3.org/2001/06/grammar",
		`<grammar version="2.0" xmlns="http://www.w3.org/2001/06/grammar" mode="dtmf" root="r"><rule id="r">1</rule></grammar>`: `version is "2.0"; the grammar is read as 1.0`,
	} {
		g := compile(t, text)
		if check(t, g, "1: 1"); len(g.Notices) != 1 || g.Notices[0].Reason != want || g.Notices[0].Code != srgs.Code {
			t.Errorf("%s\n\tnotices %v, want %s", text, g.Notices, want)
		}
	}
	g = compile(t, `<rule id="r">1<ruleref special="VOID"/></rule>`)
	if len(g.Notices) != 1 || g.Notices[0].Reason != "the rule r matches no digits at all" {
		t.Errorf("notices %v", g.Notices)
	}
	check(t, g, ": -\n1: -")
}

// TestLongReferences: a base is no longer than many references can be resolved against, and
// a root that there is not is not told whole by each reference to it.
func TestLongReferences(t *testing.T) {
	long := strings.Repeat("x", 2001)
	for name, text := range map[string]string{
		"a base":           `<grammar version="1.0" xmlns="http://www.w3.org/2001/06/grammar" mode="dtmf" root="r" xml:base="http://a/` + long + `"><rule id="r">1</rule></grammar>`,
		"a base of ABNF":   "#ABNF 1.0; mode dtmf; base <http://a/" + long + ">; root $r; $r = 1;",
		"a reference":      grammar(`<rule id="r"><ruleref uri="` + long + `"/></rule>`),
		"many of one root": `<grammar version="1.0" xmlns="http://www.w3.org/2001/06/grammar" mode="dtmf" root="` + long + `"><rule id="r">` + strings.Repeat(`<ruleref uri="`+uri+`#"/>`, 90) + `</rule></grammar>`,
	} {
		_, err := srgs.Compile(source(t, uri, text), nil)
		if err == nil || len(err.Error()) > 50_000 {
			t.Errorf("%s: %d bytes, %.100v", name, len(fmt.Sprint(err)), err)
		}
	}
}
