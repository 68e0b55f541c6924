package lint_test

import (
	"fmt"
	"strings"
	"testing"
)

// TestLargeDocuments: what a document can hold of one thing is compiled and checked
// in time with its size, or refused for the count or the depth. (With the square of
// it, these take minutes.) It takes some 20 s with the race detector: how long a list may
// be before its square shows is what is tested.
func TestLargeDocuments(t *testing.T) {
	many := func(n int, format string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	transition := func(content string) string {
		return `<eventprocessor><transition event="error.*">` + content + `</transition></eventprocessor>`
	}
	for name, test := range map[string]struct{ body, want string }{
		"names of a list":       {transition(`<send namelist="` + strings.Repeat("abcdefg ", 80000) + `" target="'a'" targettype="'ccxml'" name="'b'"/>`), "namelist has more than 1000 names"},
		"arrow functions":       {`<script>` + strings.Repeat("a=&gt;", 80000) + `1</script>`, "nested more than 1000 deep"},
		"nested labels":         {`<script>` + many(64000, "a%d:") + `1</script>`, "nested more than 1000 deep"},
		"labels":                {`<script>` + many(40000, "a%d:1;") + `</script>`, "no <eventprocessor>"},
		"a chain":               {`<var name="x" expr="` + strings.Repeat("a.", 8000) + `a"/>`, "nested too deeply"},
		"chains":                {`<var name="x" expr="` + strings.Repeat(strings.Repeat("a.", 900)+"a+", 36) + `a"/>`, "a is not declared"},
		"variables":             {many(45000, `<var name="v%d"/>`), "no <eventprocessor>"},
		"undeclared variables":  {many(20000, `<var name="w%[1]d" expr="u%[1]d"/>`), "u19999 is not declared"},
		"variables of a script": {`<script>` + many(45000, "var v%d;") + `</script>`, "no <eventprocessor>"},
		"functions":             {`<script>` + many(20000, "function f%d(){};") + `</script>`, "no <eventprocessor>"},
		"breaks out of many blocks": {`<script>for(;;){` + strings.Repeat("{let a; (function(){a});", 300) + strings.Repeat("if(b)break;", 40000) + strings.Repeat("}", 301) + `</script>`,
			"too large once it is compiled"},
		"lines of a script": {`<script>` + many(40000, "let v%d;\n") + `</script>`, "no <eventprocessor>"},
	} {
		t.Run(name, func(t *testing.T) {
			got := found(t, "big.ccxml", `<ccxml version="1.0" xmlns="http://www.w3.org/2002/09/ccxml">`+test.body+`</ccxml>`)
			if !strings.Contains(got, test.want) {
				t.Errorf("found %.500s, want %q", got, test.want)
			}
		})
	}
}
