package script_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"ccxmld/script"
)

// TestECMAScriptOfOlderPlatforms: what documents for ECMAScript 3 use, with Annex B
// and the static properties of RegExp.
func TestECMAScriptOfOlderPlatforms(t *testing.T) {
	s := newSession(t, script.Limits{})
	for src, want := range map[string]string{
		"/(\\d)(\\w)?/.test('a5') ? RegExp.$1 + '|' + RegExp.$2 + '|' + RegExp['$&'] + RegExp.lastMatch : ''":                                                     "5||55",
		"'tel:+1407'.match(/(\\w+):(.*)/) ? RegExp.$1 + RegExp.lastParen + RegExp.leftContext + RegExp.input : ''":                                                "tel+1407tel:+1407",
		"'a1b2'.replace(/(\\d)/g, '-') + RegExp.$1 + RegExp.leftContext + RegExp[\"$'\"]":                                                                         "a-b-2a1b",
		"(function () { var r = ''; 'a1b2'.replace(/([a-z])\\d/g, function () { r += RegExp.$1; return '' }); return r })()":                                      "ab",
		"'x-y'.split(/(-)/).length + RegExp.$1 + 'aXb'.search(/X/) + RegExp.rightContext":                                                                         "3-1b",
		"(function () { RegExp.input = 'i'; RegExp.$1 = 'no'; /(z)/.exec('z'); return RegExp.$_ + RegExp.$1 })()":                                                 "zz",
		"(function (r) { r.exec('ab'); r.exec('ab'); return RegExp.$1 })(/(a|b)/g)":                                                                               "b",
		"(/(a)/.test('a'), /(b)/.test('a'), RegExp.$1)":                                                                                                           "a",
		"'hasOwnProperty' in RegExp && RegExp.hasOwnProperty('$1') && Object.keys(RegExp).length == 0":                                                            "true",
		"new Date(99, 0, 1).getYear() + ' ' + new Date(2007, 5, 1).getYear()":                                                                                     "99 107",
		"(function (d) { d.setYear(98); return d.getFullYear() + '/' + d.getDate() })(new Date(2000, 1, 3))":                                                      "1998/3",
		"(function (d) { d.setYear('x'); return isNaN(d.getTime()) })(new Date(0))":                                                                               "true",
		"new Date(0).toGMTString() == new Date(0).toUTCString()":                                                                                                  "true",
		"'a'.big() + 'b'.anchor('\"x\"') + 'c'.fontcolor('red') + 'd'.sup() + 'e'.fixed() + 'f'.link('u')":                                                        `<big>a</big><a name="&quot;x&quot;">b</a><font color="red">c</font><sup>d</sup><tt>e</tt><a href="u">f</a>`,
		"'g'.bold() + 'h'.italics() + 'i'.strike() + 'j'.sub() + 'k'.small() + 'l'.blink() + 'm'.fontsize(7)":                                                     `<b>g</b><i>h</i><strike>i</strike><sub>j</sub><small>k</small><blink>l</blink><font size="7">m</font>`,
		"(function (o) { o.__defineGetter__('two', function () { return 2 }); return o.two + typeof o.__lookupGetter__('two') + o.__lookupSetter__('two') })({})": "2functionundefined",
		"(function (o) { var v; o.__defineSetter__('x', function (n) { v = n }); o.x = 3; return v + typeof Object.create(o).__lookupSetter__('x') })({})":        "3function",
		"(function () { try { ({}).__defineGetter__('x', 1) } catch (e) { return e.name } })()":                                                                   "TypeError",
		"escape('ü +') + unescape('%FC%u20AC')":                                                                                                                   "%FC%20+ü€",
		"'abcdef'.substr(-3, 2) + ' x '.trimLeft() + '.'":                                                                                                         "dex .",
		"/a/.compile('b').test('b')":                                                                       "true",
		"(function (i) { while (i --> 0) ; return i })(3)":                                                 "-1",
		"'1234567'.replace(/\\B(?=(\\d{3})+(?!\\d))/g, ',')":                                               "1,234,567",
		"/^(a|b)\\1$/.test('aa') + ' ' + /^(a|b)\\1$/.test('ab') + ' ' + new RegExp('(?<=a)b').test('ab')": "true false true",
		"typeof GoError": "undefined",
		"(function () { try { eval('1 +') } catch (e) { return e.name + (e instanceof SyntaxError) } })()": "SyntaxErrortrue",
	} {
		s.is(src, want)
	}
	s.runIn("ccxml", "<!-- hidden from browsers\nvar a = 1; // -->\nvar b = 2 <!-- too\n  --> and this\nvar c = b\n--> 0")
	s.is("a + b + c", "5")
}

// TestBacktrackingIsBounded: a match that can be made by backtracking only ends in
// time, is refused in long texts, and where the limits do not allow it.
func TestBacktrackingIsBounded(t *testing.T) {
	s := newSession(t, script.Limits{Time: 10 * time.Second, RegexpInput: 1000})
	for src, reason := range map[string]string{
		`/^(?=a)(a+)+$/.test(Array(999).join('a') + 'b')`:                                                      "took longer than 1s to match and was stopped",
		`/(?=a)a/.test(Array(2000).join('b'))`:                                                                 "is matched with texts of at most 1000 characters",
		`(function () { try { return /(a)\1/.test(Array(2000).join('b')) } catch (e) { return 'caught' } })()`: "at most 1000 characters",
	} {
		_, err := s.eval(src)
		if !errors.Is(err, script.ErrLimit) || !strings.Contains(err.Error(), reason) {
			t.Errorf("%s: %v, want ErrLimit with %q", src, err, reason)
		}
	}
	s.is("/(?=a)a/.test('a')", "true")
	s.is("/a/.test(Array(2000).join('b') + 'a')", "true")
	s = newSession(t, script.Limits{NoBacktracking: true})
	s.is("typeof /(?=a)a/ + /a/.test('a')", "objecttrue")
	s.fails("/(?=a)a/.test('a')", "the regular expression /(?=a)a/ has a lookaround or a backreference, which is not allowed here")
}

func TestLacks(t *testing.T) {
	l := ccxml()
	for src, want := range map[string]string{
		"o.toSource()":                            "toSource",
		"Array.slice(arguments, 1)":               "Array.slice",
		"String.replace(a, b, c)":                 "String.replace",
		"new java.lang.Integer(5)":                "java",
		"new Proxy({}, {})":                       "Proxy",
		"[function* () {}, async () => 1].length": "a generator or an asynchronous function an asynchronous function",
		"arguments.callee.caller":                 "caller",
		"event$.caller + Array.isArray(a) + o.slice(1) + String.fromCharCode(65)": "",
		"{java: 1}.java": "",
		"(function () { if (a) { function g() {} } function h() { function i() {} } return g })()": "g outside of the block that declares it",
		"(() => { function h() {} return h })()":                                                   "",
	} {
		e, err := l.Expression(src, at)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, lack := range e.Lacks() {
			names = append(names, lack.Name)
			if lack.Position.Line != at.Line || !strings.Contains(lack.String(), "; write ") {
				t.Errorf("%s: %v", src, lack)
			}
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("%s lacks %q, want %q", src, got, want)
		}
	}
}
