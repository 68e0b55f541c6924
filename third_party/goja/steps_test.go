package goja

import (
	"errors"
	"testing"
)

// TestSteps: what a built-in function does for each unit of a text, each property of an
// object and each character of a regular expression is counted, with more than a step
// where it takes as long as several instructions.
func TestSteps(t *testing.T) {
	const setting = `var ascii = Array(10001).join('x'), text = Array(10001).join('\u1e9b'), o = {}, f = function () {};
		for (var i = 0; i < 10000; i++) o['k' + i] = i;
		for (i = 0; i < 1000; i++) f = f.bind(null);
		for (var k in o) break`
	for src, least := range map[string]int64{
		"text.normalize('NFKC')":                  40_000,
		"text.toUpperCase()":                      40_000,
		"text.toLowerCase()":                      40_000,
		"text.localeCompare(text)":                80_000,
		"Object.keys(ascii)":                      80_000,
		"Object.getOwnPropertyNames(ascii)":       80_000,
		"Object.values(ascii)":                    80_000,
		"Object.entries(ascii)":                   80_000,
		"Object.getOwnPropertyDescriptors(ascii)": 80_000,
		"Object.assign({}, ascii)":                80_000,
		"({...ascii})":                            80_000,
		"for (var k in ascii);":                   80_000,
		"JSON.stringify(Object(text))":            300,
		"Object.keys(o)":                          80_000,
		"Object.values(o)":                        80_000,
		"for (var k in o);":                       80_000,
		"for (var k in o) break":                  10_000 / valuesInAStep,
		"delete o.k0":                             10_000 / valuesInAStep,
		"f.bind(null)":                            5000 / unitsInAStep,
		"({get [ascii]() {}})":                    10_000 / unitsInAStep,
		"new RegExp('a{1000}(b{100}){50}')":       6000 * stepsOfRegexp,
		"/x/.compile('a{1000}(b{100}){50}')":      6000 * stepsOfRegexp,
	} {
		r := New()
		r.Bound(&Bounds{StringLength: 1 << 20, ArrayLength: 100_000})
		if _, err := r.RunString(setting); err != nil {
			t.Fatal(err)
		}
		before := r.Steps()
		if _, err := r.RunString(src); err != nil {
			t.Errorf("%s: %v", src, err)
		}
		if steps := r.Steps() - before; steps < least {
			t.Errorf("%s took %d steps, which is less than %d", src, steps, least)
		}
	}
}

// TestStringTooLong: a text that no Runtime puts together ends a script that is bounded,
// and is a RangeError elsewhere.
func TestStringTooLong(t *testing.T) {
	for _, long := range []string{
		"Array.prototype.join.call({length: 1e9}, Array(1000).join('x'))",
		"var s = Array(1e5).join('x'); s.replace(/x/g, s)",
	} {
		src := "try { " + long + " } catch (e) { e instanceof RangeError }"
		r := New()
		v, err := r.RunString(src)
		if err != nil || !v.ToBoolean() {
			t.Errorf("%s: %v, %v", long, v, err)
		}
		r = New()
		r.Bound(&Bounds{StringLength: 1 << 20, ArrayLength: 100_000})
		r.BoundSteps(1<<40, "%d", 0)
		v, err = r.RunString(src)
		var ended *LimitError
		if !errors.As(err, &ended) {
			t.Errorf("%s: %v, %v; want a LimitError", long, v, err)
		}
	}
}

// TestRepeatedLiterals: the regular expressions of one program are bounded together, and
// are counted for the script that had them compiled.
func TestRepeatedLiterals(t *testing.T) {
	text := func(n int) (src string) {
		for range n {
			src += "x = /a{1000}/;"
		}
		return src
	}
	if _, err := Compile("", text(80), false); err == nil {
		t.Error("80,000 characters were compiled")
	}
	p := MustCompile("", text(20), false)
	r := New()
	before := r.Steps()
	r.CountCompiled(p)
	if steps := r.Steps() - before; steps < 19_000*stepsOfRegexp {
		t.Errorf("%d steps", steps)
	}
}
