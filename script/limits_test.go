package script_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/dop251/goja"

	"ccxmld/script"
)

// TestAttacks runs what would take the process down if nothing stopped it, where
// documents get all of ECMAScript and where they get what call flows need. What is
// not there fails for that. It takes over 20 s with the race detector: each of some 150
// runs until its steps or bytes are used up, twice; never until its time is.
func TestAttacks(t *testing.T) {
	for _, full := range []bool{true, false} {
		for name, src := range attacks(t) {
			t.Run(fmt.Sprintf("%s/full=%v", name, full), func(t *testing.T) {
				t.Parallel()
				stuck := make(chan script.Position, 1)
				s := newSession(t, script.Limits{
					Time: time.Hour, Steps: 200_000, StepsPerMinute: 1 << 40, Memory: 3 << 20, Full: full,
					Stuck: func(at script.Position) { stuck <- at },
				})
				var v goja.Value
				var err error
				done := make(chan struct{})
				go func() {
					v, err = s.eval(src)
					close(done)
				}()
				select {
				case <-stuck:
					t.Fatal("it did not end when it was told to")
				case <-done:
				}
				if err == nil {
					t.Fatalf("%s is %.100s", src, v)
				}
				var e *script.Error
				if !errors.As(err, &e) || e.Position.URI != at.URI || e.Position.Line != at.Line {
					t.Errorf("the error %v has no place in the document", err)
				}
				if full && !errors.Is(err, script.ErrLimit) && !strings.Contains(err.Error(), "SyntaxError") && !strings.Contains(err.Error(), "cannot be shown") && !strings.Contains(err.Error(), "BigInt is not defined") && !strings.Contains(err.Error(), "RangeError") {
					t.Errorf("%s: %v; want ErrLimit", src, err)
				}
				if strings.Contains(err.Error(), "ran longer than") {
					t.Errorf("%s: %v; its steps or bytes are to end it, whatever the machine", src, err)
				}
				if strings.Contains(err.Error(), "0xc0") {
					t.Errorf("an address of Go in: %v", err)
				}
				s.is("1 + 1", "2")
				s.is("[1, [2, 3]].join('-') + 'ab'.repeat(2) + new Array(3).length", "1-2,3abab3")
			})
		}
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
		strings.Repeat("!", 5000) + "1":                       "SyntaxError: expressions or statements are nested more than 1000 deep",
		strings.Repeat("1+", 5000) + "1":                      "SyntaxError: the expression is nested too deeply",
		strings.Repeat("1,", 50000) + "1":                     "SyntaxError: the expression is longer than 64 KiB",
	} {
		s.fails(src, reason)
	}
}

func TestBuiltInsWork(t *testing.T) {
	s := newSession(t, script.Limits{Full: true})
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

func TestLimitsInWords(t *testing.T) {
	s := newSession(t, script.Limits{Time: 30 * time.Millisecond, Steps: 1 << 40, StepsPerMinute: 1 << 40, StepsInAll: 1 << 40})
	e := s.fails("(function () { for (;;); })()", "the script ran longer than 30ms and was stopped")
	if !errors.Is(e, script.ErrLimit) {
		t.Errorf("%v is not ErrLimit", e)
	}
	e = s.fails("(function f() { f() })()", "the script calls functions too deeply and was stopped")
	if !errors.Is(e, script.ErrLimit) {
		t.Errorf("%v is not ErrLimit", e)
	}
	e = s.fails("'x'.repeat(1e9)", "a string would be longer than 1048576 characters")
	if !errors.Is(e, script.ErrLimit) {
		t.Errorf("%v is not ErrLimit", e)
	}
}

// TestCallsBackIntoTheRuntime has a Go function, called by a document, evaluate
// something itself.
func TestCallsBackIntoTheRuntime(t *testing.T) {
	s := newSession(t, script.Limits{Time: 50 * time.Millisecond, Steps: 1 << 40, StepsPerMinute: 1 << 40, StepsInAll: 1 << 40})
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

// TestStepsOfASession: the limits on steps hold for one evaluation, for a minute and
// for all of a session.
func TestStepsOfASession(t *testing.T) {
	loop := "(function (n) { for (var i = 0; i < n; i++) ; return i })"
	s := newSession(t, script.Limits{Steps: 10_000})
	s.is(loop+"(100)", "100")
	e := s.fails(loop+"(1e9)", "the script took more than 10000 steps and was stopped")
	if !errors.Is(e, script.ErrLimit) {
		t.Errorf("%v is not ErrLimit", e)
	}
	s.is(loop+"(100)", "100")
	for _, test := range []struct {
		limits script.Limits
		reason string
	}{
		{script.Limits{Steps: 10_000, StepsPerMinute: 20_000}, "the scripts of the session took more than 20000 steps in a minute, and the last one was stopped"},
		{script.Limits{Steps: 10_000, StepsInAll: 20_000}, "the scripts of the session took more than 20000 steps in all, and the last one was stopped"},
	} {
		s := newSession(t, test.limits)
		for range 100 {
			if _, err := s.eval(loop + "(1000)"); err != nil {
				break
			}
		}
		s.fails(loop+"(1000)", test.reason)
	}
}

// TestMemoryOfASession: what a session holds is bounded, however it came to hold it;
// what it has let go is not counted. It takes some 20 s with the race detector: it
// allocates gigabytes, as what it is against does.
func TestMemoryOfASession(t *testing.T) {
	s := newSession(t, script.Limits{Memory: 8 << 20, Steps: 1 << 40, StepsPerMinute: 1 << 40, StepsInAll: 1 << 40})
	s.runIn("ccxml", "var kept = [], last, n = 0")
	for range 200 {
		s.is("(last = Array(100000).join('x'), 1)", "1")
	}
	var err error
	for range 200 {
		if _, err = s.eval("kept.push(Array(100000).join('x') + n++)"); err != nil {
			break
		}
	}
	if !errors.Is(err, script.ErrLimit) || !strings.Contains(err.Error(), "the scripts hold more than 8 MiB of memory") {
		t.Errorf("%v", err)
	}
	s.is("(kept = null, 1)", "1")
	s.is("Array(100000).join('x').length", "99999")
}
