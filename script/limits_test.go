package script_test

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/dop251/goja"

	"ccxmld/script"
)

// TestAttacks runs what would take the process down if nothing stopped it.
func TestAttacks(t *testing.T) {
	for name, src := range attacks(t) {
		t.Run(name, func(t *testing.T) {
			s := newSession(t, script.Limits{Time: 100 * time.Millisecond, Memory: 64 << 20})
			v, err := s.eval(src)
			if err == nil {
				t.Fatalf("%s is %.100s", src, v)
			}
			t.Log(err)
			var e *script.Error
			if !errors.As(err, &e) || e.Position.URI != at.URI || e.Position.Line != at.Line {
				t.Errorf("the error %v has no place in the document", err)
			}
			s.is("1 + 1", "2")
			s.is("[1, [2, 3]].join('-') + 'ab'.repeat(2) + new Array(3).length", "1-2,3abab3")
		})
	}
}

// attacks reads testdata/attacks.txt.
func attacks(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("testdata/attacks.txt")
	if err != nil {
		t.Fatal(err)
	}
	attacks := make(map[string]string)
	for line := range strings.Lines(string(text)) {
		if name, src, ok := strings.Cut(strings.TrimSpace(line), ": "); ok && !strings.HasPrefix(name, "#") {
			attacks[name] = src
		}
	}
	return attacks
}

func TestRefusedWhenCompiled(t *testing.T) {
	s := newSession(t, script.Limits{})
	for src, reason := range map[string]string{
		`10n ** 10n`: "SyntaxError: BigInt is not supported",
		strings.Repeat("(", 2000) + strings.Repeat(")", 2000): "SyntaxError: brackets are nested more than 1000 deep",
		strings.Repeat("!", 5000) + "1":                       "SyntaxError: the expression is nested too deeply",
		strings.Repeat("1+", 5000) + "1":                      "SyntaxError: the expression is nested too deeply",
		strings.Repeat("1,", 50000) + "1":                     "SyntaxError: the expression is longer than 64 KiB",
	} {
		s.fails(src, reason)
	}
}

func TestGuardsLeaveTheBuiltInsAsTheyAre(t *testing.T) {
	s := newSession(t, script.Limits{})
	for src, want := range map[string]string{
		"[] instanceof Array && Array.isArray(new Array(2))":                                       "true",
		"[1, 2].constructor === Array":                                                             "true",
		"Array(1, 2).join() + Array.of(3).concat([4], 5).join()":                                   "1,23,4,5",
		"(class X extends Array { two() { return this.length } }).from([1, 2]).two()":              "2",
		"'abc'.replace(/b/, '[$&]') + 'aa'.replaceAll('a', 'b')":                                   "a[b]cbb",
		"'abc'.replace('b', function (m) { return m + m })":                                        "abbc",
		"'a1b2'.match(/\\d/g).join() + 'a1'.search('1') + [...'a1'.matchAll(/\\d/g)].length":       "1,211",
		"new RegExp('a+', 'g').flags + /x/ instanceof RegExp":                                      "false",
		"/x/ instanceof RegExp && RegExp('a').test('a')":                                           "true",
		"JSON.stringify({a: [1, {b: 'c'}], d: null}) + JSON.parse('[1]')[0]":                       `{"a":[1,{"b":"c"}],"d":null}1`,
		"eval('1 + 1') + eval(3)":                                                                  "5",
		"new Function('a', 'b', 'return a + b')(1, 2)":                                             "3",
		"(function () {}) instanceof Function":                                                     "true",
		"(function (a) { a.length = 1; a.push(3); return [...a].map(x => x * 2).join() })([1, 2])": "2,6",
		"Math.max.apply(null, [1, 5, 3]) + Math.max(...[1, 7])":                                    "12",
		"Array.from({length: 3}, (_, i) => i).join()":                                              "0,1,2",
		"new Uint8Array([1, 2]).length + new Uint8Array(new ArrayBuffer(8)).length":                "10",
		"[1, [2, [3]]].flat(Infinity).length":                                                      "3",
		"[null, undefined, , 1].join('-')":                                                         "---1",
		"(function (a) { a.push(a); return String(a) })([1])":                                      "1,",
		"'x'.padStart(3) + 'x'.padEnd(3, 'ab') + 'a'.concat('b', 1)":                               "  xxabab1",
		"'repeat'.length": "6",
		"(function (o, k) { o[k] = 1; return o['5551234567'] })({}, '5551234567')": "1",
		"[3, 1, 2].sort().reverse().slice(1).indexOf(1)":                           "1",
	} {
		s.is(src, want)
	}
}

func TestTimeLimitInWords(t *testing.T) {
	s := newSession(t, script.Limits{Time: 30 * time.Millisecond})
	e := s.fails("(function () { for (;;); })()", "the script ran longer than 30ms and was stopped")
	if !errors.Is(e, script.ErrLimit) {
		t.Errorf("%v is not ErrLimit", e)
	}
	e = s.fails("(function f() { f() })()", "the script calls functions too deeply and was stopped")
	if !errors.Is(e, script.ErrLimit) {
		t.Errorf("%v is not ErrLimit", e)
	}
	e = s.fails("'x'.repeat(1e9)", "repeat would make a string longer than 1048576 characters")
	if !errors.Is(e, script.ErrLimit) {
		t.Errorf("%v is not ErrLimit", e)
	}
}

// TestCallsBackIntoTheRuntime has a Go function, called by a document, evaluate
// something itself.
func TestCallsBackIntoTheRuntime(t *testing.T) {
	s := newSession(t, script.Limits{Time: 50 * time.Millisecond})
	nested := func(src string) func(goja.FunctionCall) goja.Value {
		return func(goja.FunctionCall) goja.Value {
			v, err := s.eval(src)
			if err != nil {
				panic(s.VM().NewGoError(err))
			}
			return v
		}
	}
	s.declare("ccxml", "inner", nested("1 + 1"))
	s.declare("ccxml", "endless", nested("(function () { for (;;); })()"))
	s.declare("ccxml", "broken", nested("nope"))
	s.is("inner() + inner()", "4")
	s.fails("endless()", "the script ran longer than 50ms and was stopped")
	s.is("inner()", "2")
	if _, err := s.eval("broken()"); err == nil {
		t.Error("the error is lost")
	}
	s.is("(function () { try { broken() } catch (e) { return 'caught' } })()", "caught")
	s.declare("ccxml", "crash", func(goja.FunctionCall) goja.Value { panic("crash") })
	s.fails("crash()", "the script engine failed: crash")
	s.is("inner()", "2")
}
