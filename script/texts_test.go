package script_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"ccxmld/script"
)

// TestTextsAndArraysCountAsSteps: what a built-in function or an operator goes through
// costs steps, so that a loop over long texts is not bounded by time alone. It takes some
// 20 s with the race detector: each of many loops goes on until its steps are used up.
func TestTextsAndArraysCountAsSteps(t *testing.T) {
	for _, body := range []string{
		"parseInt(x)", "parseFloat(x)", "Number(x)", "+x", "x * 1", "Date.parse(x)", "x.trim()", "u.localeCompare(u + 'z')", "u.normalize('NFD')",
		"isNaN(x)", "x.lastIndexOf('y' + x.slice(9))", "x.split(x.slice(9) + 'y')", "x.concat('y')", "x + n", "x.slice(1)", "x.toUpperCase()",
		"new Map().get(x)", "encodeURIComponent(u.slice(0, 90000))", "x.replace('y', '')", "/(a|b)*c/.test(x)", "/(a|b)*c/.test(u)", "[x, x + 1].sort()",
		"a.slice()", "a.splice(0, 1, 1)", "a.unshift(1), a.shift()", "a.concat(1)", "a.copyWithin(1, 0)", "a.toSpliced(0, 1)",
		"eval('1' + x.slice(0, 50000).replace(/x/g, ' '))", "new RegExp(x.slice(0, 16000))", "Function(x.slice(0, 50000))", "JSON.stringify(x)", "escape(u)",
	} {
		t.Run(body, func(t *testing.T) {
			s := newSession(t, script.Limits{Steps: 250_000, Time: time.Hour, Full: true})
			for _, value := range []string{"n = 0", "x = 'x'.repeat(200000)", "u = 'ü'.repeat(200000)", "a = Array(80000).fill(1)"} { // each with its own steps
				s.runIn("ccxml", "var "+value)
			}
			_, err := s.eval("(function () { for (;;) { n++; " + body + " } })()")
			if err == nil || !strings.Contains(err.Error(), "steps") {
				t.Errorf("it ended with %v", err)
			}
			v, err := s.eval("n")
			if err != nil || v.ToInteger() > 500 {
				t.Errorf("%v rounds, %v", fmt.Sprint(v), err)
			}
		})
	}
}
