package script_test

import (
	"strings"
	"testing"

	"ccxmld/script"
)

// TestShow: what an operator sees of variables, without a getter having been called.
func TestShow(t *testing.T) {
	for src, want := range map[string]string{
		`1.5`:                        `1.5`,
		`undefined`:                  `undefined`,
		`null`:                       `null`,
		`"a\"b\n"`:                   `"a\"b\n"`,
		`[1, "x", [true]]`:           `[1, "x", [true]]`,
		`({a: 1, "b c": {d: null}})`: `{a: 1, "b c": {d: null}}`,
		`new Date(5)`:                `(Date 5)`,
		`/a+/gi`:                     `/a+/gi`,
		`new String("in a box")`:     `"in a box"`,
		`(function () { return 1 })`: `(function)`,
		`Math.max`:                   `(function)`,
		`({a:{b:{c:{d:{e:1}}}}})`:    `{a: {b: {c: {d: {…}}}}}`,
		`[[[[[1, 2]]]]]`:             `[[[[[… 2]]]]]`,
		`(function () { var o = {n: 1}; o.o = o; return o })()`:                            `{n: 1, o: (circular)}`,
		`Object.defineProperty({}, "g", {enumerable: true, get: function () { throw 1 }})`: `{g: (getter)}`,
	} {
		s := newSession(t, script.Limits{Full: true})
		if got := script.ShowValue(mustEval(t, s, src)); got != want {
			t.Errorf("%s is shown as %s, want %s", src, got, want)
		}
	}
}

// TestShowIsBounded: long texts and large objects are shortened.
func TestShowIsBounded(t *testing.T) {
	for _, src := range []string{
		`new Array(3001).join("é")`,
		`(function () { var a = []; for (var i = 0; i < 9000; i++) a.push({i: i, s: new Array(99).join("x")}); return a })()`,
		`(function () { var o = {}; for (var i = 0; i < 9000; i++) o["p" + i] = [i, i, i]; return o })()`,
	} {
		s := newSession(t, script.Limits{Full: true})
		if got := script.ShowValue(mustEval(t, s, src)); len(got) > 10_000 || !strings.Contains(got, "…") {
			t.Errorf("%s is shown in %d bytes, ending in %.20q", src, len(got), got[max(0, len(got)-20):])
		}
	}
}
