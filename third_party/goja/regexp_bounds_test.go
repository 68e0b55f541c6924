package goja

import (
	"strings"
	"testing"
)

// TestRegexpBounds: what is too long to compile is refused, however it is written, and
// what is written in call flows is not.
func TestRegexpBounds(t *testing.T) {
	nested := func(open, inside, end string, n int) string {
		return strings.Repeat(open, n) + inside + strings.Repeat(end, n)
	}
	for pattern, refused := range map[string]bool{
		nested("(?:", "x", "){2}", 60):             true,
		"(?=x)" + nested("(", "x", "){2}", 60):     true,
		nested("(", "x", "){1,3}", 60):             true,
		nested("(?=", "x", ")", 201):               true,
		nested("(", "x", ")", 201):                 true,
		nested("(", "x", ")*", 190):                false,
		nested("(", "x", ")+", 190):                false,
		nested("(?=x)(", "x", ")+", 90):            false,
		nested("(a|", "x", ")", 190):               false,
		nested("(?=", "x", ")", 190):               false,
		nested("(?!", "x", ")?", 190):              false,
		nested("(?=x|", "x", "){0,1}", 190):        false,
		strings.Repeat("(x)?", 4000):               false,
		strings.Repeat("x", 16<<10+1):              true,
		strings.Repeat("x", 16<<10):                false,
		`x{99999999999999999999}`:                  true,
		`(x{1000}){2000}`:                          true,
		`(x{1000}){100}`:                           true,
		`(x{1000}){10}`:                            false,
		`[({]{3}\({2}[\]()]{4}`:                    false,
		`^\+?[0-9]{1,15}(;ext=\d{1,5})?$`:          false,
		`(\{{1000}){100}`:                          true,
		`\`:                                        false,
		`[\`:                                       false,
		`x{2}\`:                                    false,
		`{x{,5}{`:                                  false,
		`sip:(\w{1,64})@((\d{1,3}\.){3}\d{1,3})`:   false,
		strings.Repeat(`\(`, 500) + `[(]{3}`:       false,
		strings.Repeat(`(a{10}){10}`, 100) + `{9}`: false,
	} {
		_, err := compileRegexp(pattern, "")
		if got := err != nil && strings.Contains(err.Error(), "Invalid regular expression: it"); got != refused {
			t.Errorf("%.60q: refused %v, %v", pattern, got, err)
		}
	}
}
