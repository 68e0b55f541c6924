package srgs_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/dop251/goja"

	"ccxmld/dialog/srgs"
	"ccxmld/script"
)

// tagged gives a grammar with tags of a format.
func tagged(format, content string) string {
	return `<grammar version="1.0" xmlns="http://www.w3.org/2001/06/grammar" mode="dtmf" root="r" tag-format="` + format + `">` + content + `</grammar>`
}

// meaning gives what digits mean as JSON.
func meaning(t *testing.T, g srgs.Grammar, digits string) string {
	t.Helper()
	value, err := g.Interpret(digits, script.Limits{Steps: 100_000})
	if err != nil {
		return err.Error()
	}
	written, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(written)
}

const digit = `<rule id="digit"><one-of><item>0</item><item>1</item><item>2</item><item>3</item><item>4</item>` +
	`<item>5</item><item>6</item><item>7</item><item>8</item><item>9</item></one-of></rule>`

// TestInterpretation: what digits mean by the tags of a grammar (SISR 1.0).
func TestInterpretation(t *testing.T) {
	tests := []struct{ name, format, grammar, digits, want string }{
		// Literals.
		{"a literal", "semantics/1.0-literals", `<rule id="r"><one-of><item>1<tag> sales </tag></item><item>2<tag>support</tag></item></one-of></rule>`, "1", `"sales"`},
		{"the last literal counts", "semantics/1.0-literals", `<rule id="r"><tag>a</tag>1<tag>b</tag>2</rule>`, "12", `"b"`},
		{"a literal of a rule below", "semantics/1.0-literals", `<rule id="r">1<ruleref uri="#x"/></rule><rule id="x">2<tag>two</tag></rule>`, "12", `"two"`},
		{"a literal overrides those below", "semantics/1.0-literals", `<rule id="r"><tag>one</tag>1<ruleref uri="#x"/></rule><rule id="x">2<tag>two</tag></rule>`, "12", `"one"`},
		{"a literal that is not passed", "semantics/1.0-literals", `<rule id="r"><one-of><item>1<tag>one</tag></item><item>2 3</item></one-of></rule>`, "23", `"23"`},
		// Rules without tags.
		{"no tags", "semantics/1.0", `<rule id="r"><item repeat="4"><ruleref uri="#digit"/></item></rule>` + digit, "1234", `"1234"`},
		{"a rule without tags has its digits", "semantics/1.0", `<rule id="r"><ruleref uri="#pin"/><tag>out.pin = rules.pin</tag></rule><rule id="pin"><item repeat="4"><ruleref uri="#digit"/></item></rule>` + digit,
			"1234", `{"pin":"1234"}`},
		{"a rule without tags has the value of the last below", "semantics/1.0", `<rule id="r"><ruleref uri="#x"/></rule><rule id="x">1<tag>out = true</tag></rule>`, "1", `true`},
		{"a rule without tags has the value of the last below, be it of digits alone", "semantics/1.0", `<rule id="r"><ruleref uri="#x"/><ruleref uri="#y"/></rule><rule id="x">1<tag>out = "x"</tag></rule><rule id="y">2</rule>`, "12", `"2"`},
		{"and so for literals", "semantics/1.0-literals", `<rule id="r"><ruleref uri="#x"/><ruleref uri="#y"/></rule><rule id="x">1<tag>x</tag></rule><rule id="y">2</rule>`, "12", `"2"`},
		{"and where tags leave out empty", "semantics/1.0", `<rule id="r"><ruleref uri="#x"/><ruleref uri="#y"/><tag>var n</tag></rule><rule id="x">1<tag>out = "x"</tag></rule><rule id="y">2</rule>`, "12", `"2"`},
		{"of one in which nothing has tags the digits", "semantics/1.0", `<rule id="r"><ruleref uri="#x"/><ruleref uri="#y"/></rule><rule id="x">1<tag>out = "x"</tag></rule><rule id="y"><ruleref uri="#digit"/><ruleref uri="#digit"/></rule>` + digit, "123", `"23"`},
		// Scripts.
		{"a string", "semantics/1.0", `<rule id="r">1<tag>out = "sales"</tag></rule>`, "1", `"sales"`},
		{"a number", "semantics/1.0", `<rule id="r">1<tag>out = 6 * 7;</tag></rule>`, "1", `42`},
		{"an object", "semantics/1.0", `<rule id="r">1<tag>out.a = 1; out.b = [1, {c: null}]; out.f = function () {}</tag></rule>`, "1", `{"a":1,"b":[1,{"c":null}]}`},
		{"out is an object at the beginning", "semantics/1.0", `<rule id="r">1<tag>var t = typeof out</tag><tag>out.t = t</tag></rule>`, "1", `{"t":"object"}`},
		{"tags that leave out empty", "semantics/1.0", `<rule id="r">1<ruleref uri="#x"/><tag>var n = 1</tag></rule><rule id="x">2 3<tag>out = "x"</tag></rule>`, "123", `"x"`},
		{"tags that leave out empty, and no rules", "semantics/1.0", `<rule id="r">1 2<tag>var n = 1</tag></rule>`, "12", `"12"`},
		{"nested objects", "semantics/1.0", `<rule id="r"><ruleref uri="#order"/><tag>out.pizza = rules.order</tag></rule>
			<rule id="order"><tag>out.n = 0; out.toppings = []</tag><item repeat="1-3"><ruleref uri="#topping"/><tag><![CDATA[if (out.n < 2) { out.toppings.push(rules.topping); out.n++ }]]></tag></item></rule>
			<rule id="topping"><one-of><item>1<tag>out = "olives"</tag></item><item>2<tag>out = {name: "ham", extra: true}</tag></item></one-of></rule>`,
			"121", `{"pizza":{"n":2,"toppings":["olives",{"extra":true,"name":"ham"}]}}`},
		{"undefined", "semantics/1.0", `<rule id="r">1<tag>out = undefined</tag></rule>`, "1", `null`},
		{"rules.latest", "semantics/1.0", `<rule id="r"><tag>out = ""</tag><item repeat="1-"><ruleref uri="#digit"/><tag>out = rules.latest() + out</tag></item></rule>` + digit, "123", `"321"`},
		{"rules.name is the latest of that name", "semantics/1.0", `<rule id="r"><ruleref uri="#digit"/><tag>out.first = rules.digit</tag>*<ruleref uri="#digit"/><tag>out.second = rules.digit</tag></rule>` + digit,
			"1*2", `{"first":"1","second":"2"}`},
		{"meta", "semantics/1.0", `<rule id="r">9<ruleref uri="#two"/><tag>out.c = meta.current().text; out.l = meta.latest().text; out.t = meta.two.text; out.s = meta.two.score</tag>0</rule><rule id="two">1 2<tag>out = "x"</tag></rule>`,
			"9120", `{"c":"912","l":"12","s":1,"t":"12"}`},
		{"each match of a rule has its own variables", "semantics/1.0", `<rule id="r"><item repeat="2"><ruleref uri="#x"/><tag>out.n = (out.n || "") + rules.x</tag></item></rule><rule id="x">1<tag>var n; n = (n || 0) + 1; out = n</tag></rule>`,
			"11", `{"n":"11"}`},
		{"tags of the header", "semantics/1.0", `<tag>var names = {1: "one"}; function name(d) { return names[d] }</tag><rule id="r"><ruleref uri="#digit"/><tag>out = name(rules.digit)</tag></rule>` + digit, "1", `"one"`},
		{"what the header declares is shared", "semantics/1.0", `<tag>var n = 0</tag><rule id="r"><item repeat="1-"><ruleref uri="#x"/></item></rule><rule id="x">1<tag>n++; out = n</tag></rule>`, "111", `3`},
		{"recursion", "semantics/1.0", `<rule id="r"><one-of><item>1<ruleref uri="#r"/>2<tag>out = rules.r + 1</tag></item><item>0<tag>out = 0</tag></item></one-of></rule>`, "1110222", `3`},
		// Without a format.
		{"no format, scripts", "", `<rule id="r">1<tag>out.x = "a"</tag></rule>`, "1", `{"x":"a"}`},
		{"no format, literals", "", `<rule id="r">1<tag>yes</tag></rule>`, "1", `"yes"`},
		// Ambiguity: weight, order, length.
		{"the heavier alternative", "semantics/1.0-literals", `<rule id="r"><one-of><item>1<tag>a</tag></item><item weight="1.5">1<tag>b</tag></item></one-of></rule>`, "1", `"b"`},
		{"the first alternative", "semantics/1.0-literals", `<rule id="r"><one-of><item>1<tag>a</tag></item><item>1<tag>b</tag></item></one-of></rule>`, "1", `"a"`},
		{"more repetitions", "semantics/1.0", `<rule id="r"><ruleref uri="#x"/><ruleref uri="#y"/><tag>out = rules.x + "/" + rules.y</tag></rule><rule id="x"><item repeat="1-">1</item></rule><rule id="y"><item repeat="0-">1</item></rule>`,
			"111", `"111/"`},
		{"fewer repetitions, if unlikely", "semantics/1.0-literals", `<rule id="r"><item repeat="0-1" repeat-prob="0.1">1<tag>a</tag></item><item repeat="0-1">1</item></rule>`, "1", `"1"`},
		{"currency", "semantics/1.0", `<rule id="r"><ruleref uri="#n"/><tag>out.whole = parseInt(rules.n, 10)</tag><item repeat="0-1">*<ruleref uri="#n"/><tag>out.cents = parseInt(rules.n, 10)</tag></item></rule><rule id="n"><item repeat="1-"><ruleref uri="#digit"/></item></rule>` + digit,
			"12*50", `{"cents":50,"whole":12}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := meaning(t, compile(t, tagged(test.format, test.grammar)), test.digits); got != test.want {
				t.Errorf("%s means %s, want %s", test.digits, got, test.want)
			}
		})
	}
}

// TestScriptsOfOtherDocuments: each document has its own variables.
func TestScriptsOfOtherDocuments(t *testing.T) {
	load := func(uri, _ string) (srgs.Source, error) {
		return source(t, uri, tagged("semantics/1.0", `<tag>var name = "other"</tag><rule id="r">2<tag>out.name = name; out.outer = typeof top</tag></rule>`)), nil
	}
	g, err := srgs.Compile(source(t, uri, tagged("semantics/1.0", `<tag>var name = "main", top = 1</tag>
		<rule id="r"><item repeat="2"><ruleref uri="#one"/><ruleref uri="other"/><tag>out.a = rules.one; out.b = rules.r; out.c = name</tag></item></rule>
		<rule id="one">1<tag>out = name</tag></rule>`)), load)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := meaning(t, g, "1212"), `{"a":"main","b":{"name":"other","outer":"undefined"},"c":"main"}`; got != want {
		t.Errorf("means %s, want %s", got, want)
	}
}

// TestScriptErrors: what goes wrong in a tag is told with its place.
func TestScriptErrors(t *testing.T) {
	for text, want := range map[string]string{
		"\nout = nobody":         "http://host/g.grxml:2:7: ReferenceError: nobody is not defined",
		"1 &lt; 2; out = nobody": "http://host/g.grxml:1:149: ReferenceError: nobody is not defined",
		"\n throw 'me'":          "http://host/g.grxml:2:2: uncaught exception: me",
		"for (;;);":              "http://host/g.grxml:1:133: the script took more than 100000 steps and was stopped",
		"out.a = out":            "TypeError: Converting circular structure to JSON",
		"out = 'x'.repeat(1e9)":  "a string would be longer than 1048576 characters",
		"Object.defineProperty(rule, 'out', {get: function () { for (;;); }})": "the script took more than 100000 steps and was stopped",
		"out.toJSON = function () { throw 'here' }":                            "uncaught exception: here",
		"var a = []; a.length = 4e9; out = a":                                  "the script took more than 100000 steps and was stopped",
	} {
		g := compile(t, tagged("semantics/1.0", `<rule id="r">1<tag>`+text+`</tag></rule>`))
		if got := meaning(t, g, "1"); !strings.HasSuffix(got, strings.TrimPrefix(want, "http://host/g.grxml")) {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
	// A loop in many short tags counts as one evaluation.
	g := compile(t, tagged("semantics/1.0", `<rule id="r"><item repeat="1-">1<tag>for (var i = 0; i &lt; 300000; i++);</tag></item></rule>`))
	_, err := g.Interpret(strings.Repeat("1", 100), script.Limits{Time: 50 * time.Millisecond})
	if !errors.Is(err, script.ErrLimit) {
		t.Errorf("a hundred long tags: %v", err)
	}
}

// TestValue: an interpretation becomes objects of the page's own.
func TestValue(t *testing.T) {
	vm := goja.New()
	if err := vm.Set("v", srgs.Value(vm, map[string]any{"a": []any{1.0, "x", true, nil}, "b": map[string]any{"c": "d"}})); err != nil {
		t.Fatal(err)
	}
	got, err := vm.RunString(`JSON.stringify(v) + (v.a instanceof Array) + (Object.getPrototypeOf(v.b) === Object.prototype) + srgs(v)
		function srgs(v) { v.a.push(2); v.b.e = 1; return v.a.length + v.b.e }`)
	if err != nil || got.String() != `{"a":[1,"x",true,null],"b":{"c":"d"}}truetrue6` {
		t.Errorf("%v, %v", got, err)
	}
}
