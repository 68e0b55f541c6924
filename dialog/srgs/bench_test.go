package srgs_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"ccxmld/dialog"
	"ccxmld/dialog/srgs"
	"ccxmld/script"
)

const pin = `<rule id="r"><item repeat="10"><ruleref uri="#digit"/></item></rule>` + digit

// BenchmarkMatch is the matching of ten digits, one after the other.
func BenchmarkMatch(b *testing.B) {
	for _, benchmark := range []struct {
		name    string
		grammar srgs.Grammar
	}{
		{"builtin", builtin(b, "digits?length=10")},
		{"SRGS", compile(b, pin)},
		{"recursive", compile(b, `<rule id="r"><ruleref uri="#digit"/><item repeat="0-1"><ruleref uri="#r"/></item></rule>`+digit)},
		{"1000 alternatives", compile(b, alternatives(1000))},
	} {
		b.Run(benchmark.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				for n := 1; n <= 10; n++ {
					if benchmark.grammar.Match("4075550100"[:n]) == dialog.NoMatch {
						b.Fatal("no match")
					}
				}
			}
		})
	}
}

// BenchmarkInterpret is what is done once per input.
func BenchmarkInterpret(b *testing.B) {
	for _, benchmark := range []struct{ name, grammar string }{
		{"no tags", pin},
		{"literals", tagged("semantics/1.0-literals", strings.ReplaceAll(pin, "</rule>", "<tag>x</tag></rule>"))},
		{"scripts", tagged("semantics/1.0", `<rule id="r"><tag>out = ""</tag><item repeat="10"><ruleref uri="#digit"/><tag>out += rules.digit</tag></item></rule>`+digit)},
	} {
		b.Run(benchmark.name, func(b *testing.B) {
			g := compile(b, benchmark.grammar)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := g.Interpret("4075550100", script.Limits{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkCompile is done once for each version of a page.
func BenchmarkCompile(b *testing.B) {
	s := source(b, uri, pin)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := srgs.Compile(s, nil); err != nil {
			b.Fatal(err)
		}
	}
}

func builtin(t testing.TB, name string) srgs.Grammar {
	t.Helper()
	g, err := srgs.Builtin(name)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// alternatives gives a grammar of n numbers with ten digits, that of the benchmark
// being one.
func alternatives(n int) string {
	var b strings.Builder
	b.WriteString(`<rule id="r"><one-of>`)
	for i := range n {
		fmt.Fprintf(&b, "<item>%s</item>", strings.Join(strings.Split(fmt.Sprint(4075550100+i), ""), " "))
	}
	b.WriteString(`</one-of></rule>`)
	return b.String()
}

// TestHostileGrammars: none takes long for any input, whatever it is.
func TestHostileGrammars(t *testing.T) {
	many := strings.Repeat(`<item><ruleref uri="#b"/></item>`, 300)
	for name, text := range map[string]string{
		"nested repeats":      `<rule id="r"><item repeat="0-"><item repeat="0-"><item repeat="0-"><item repeat="0-">1</item></item></item></item>2</rule>`,
		"ambiguous recursion": `<rule id="r">1<item repeat="0-1"><ruleref uri="#r"/></item><item repeat="0-1"><ruleref uri="#r"/></item></rule>`,
		"many same rules":     `<rule id="r"><item repeat="0-"><one-of>` + many + `</one-of></item>2</rule><rule id="b"><item repeat="1-"><one-of>` + strings.Repeat("<item>1 1</item><item>1</item>", 300) + `</one-of></item></rule>`,
		"garbage":             `<rule id="r">` + strings.Repeat(`<ruleref special="GARBAGE"/>`, 1000) + `2</rule>`,
		"long options":        `<rule id="r"><item repeat="0-1000"><item repeat="0-1">1</item></item>2</rule>`,
		"palindromes":         `<rule id="r"><one-of><item>1<ruleref uri="#r"/>1</item><item>1<ruleref uri="#r"/></item><item>1</item></one-of></rule>`,
	} {
		t.Run(name, func(t *testing.T) {
			g := compile(t, text)
			input := strings.Repeat("1", 100)
			began := time.Now()
			g.Match(input)
			for _, input := range []string{input, input + "2"} {
				if _, err := g.Interpret(input, script.Limits{}); err != nil {
					t.Log(err)
				}
			}
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}
