package script_test

import (
	"errors"
	"testing"

	"github.com/dop251/goja"

	"ccxmld/script"
)

func ccxml() *script.Language {
	return script.NewLanguage("session", "application", "ccxml", "transition").Open("application").ReadOnly("session")
}

var at = script.Position{URI: "flow.ccxml", Line: 7, Column: 20}

// session is a runtime with a language, for tests.
type session struct {
	testing.TB
	*script.Language
	*script.Runtime
}

func newSession(tb testing.TB, limits script.Limits) *session {
	l := ccxml()
	return &session{tb, l, l.NewRuntime(limits)}
}

func (s *session) eval(src string) (goja.Value, error) {
	s.Helper()
	e, err := s.Expression(src, at)
	if err != nil {
		return nil, err
	}
	return s.Eval(e)
}

// is checks that src evaluates to a value that is written like want.
func (s *session) is(src, want string) {
	s.Helper()
	v, err := s.eval(src)
	if err != nil {
		s.Errorf("%s: %v", src, err)
	} else if v.String() != want {
		s.Errorf("%s is %s, want %s", src, v, want)
	}
}

// fails checks that src fails for the reason.
func (s *session) fails(src, reason string) *script.Error {
	s.Helper()
	v, err := s.eval(src)
	var e *script.Error
	if !errors.As(err, &e) {
		s.Errorf("%s is %v, with the error %v; want an error: %s", src, v, err, reason)
		return &script.Error{}
	}
	if e.Reason != reason {
		s.Errorf("%s fails with %q, want %q", src, e.Reason, reason)
	}
	return e
}

func (s *session) runIn(scope, src string) {
	s.Helper()
	if err := s.tryRun(scope, src); err != nil {
		s.Error(err)
	}
}

func (s *session) tryRun(scope, src string) error {
	s.Helper()
	compiled, err := s.Script(src, at)
	if err != nil {
		return err
	}
	return s.Run(compiled, scope)
}

func (s *session) assign(target, value string) error {
	s.Helper()
	t, err := s.Target(target, at)
	if err != nil {
		return err
	}
	v, err := s.eval(value)
	if err != nil {
		return err
	}
	return s.Assign(t, v)
}

func (s *session) declare(scope, name string, v any) { s.Declare(scope, name, s.VM().ToValue(v)) }

func TestExpressions(t *testing.T) {
	s := newSession(t, script.Limits{})
	s.declare("ccxml", "a", map[string]any{"b": 5})
	for src, want := range map[string]string{
		"1 + 2":                        "3",
		" \n 'x' ":                     "x",
		"{a: 1}.a":                     "1",
		"{}":                           "[object Object]",
		"1, 2":                         "2",
		"function (x) { return x }(4)": "4",
		"(function () { var q = 1; return typeof q })()": "number",
		"a.b // comment":                    "5",
		"a['b'] /* and */ + a['' + 'b']":    "10",
		"typeof nope":                       "undefined",
		"typeof a.nope":                     "undefined",
		"'<\\u00e9>'":                       "<é>",
		"undefined":                         "undefined",
		"`${1 + 1}`":                        "2",
		"a?.c?.d":                           "undefined",
		"true":                              "true",
		"null":                              "null",
		"0x10":                              "16",
		"/a+/.test('caat')":                 "true",
		"(() => { let z = 3; return z })()": "3",
		"(() => { class C { m() { return 1 } } return new C().m() })()": "1",
	} {
		s.is(src, want)
	}
}

func TestNotOneExpression(t *testing.T) {
	s := newSession(t, script.Limits{})
	for _, src := range []string{
		"", " ", "a) ; (b", "a]; x[b", "a][b", "a] + y[b", "1; 2", "var x = 1", "if (a) b", "a b", "1 +", "(1", "1)",
		"a\nb", "}", "{", "x]//", "/* ", "'open", "`${", "return 1", "...a", "function f() {} function g() {}", "a] /*", "*/ [a",
		"throw 1", "while(1){}", "a,", "let x = 1",
	} {
		if _, err := s.Expression(src, at); err == nil {
			t.Errorf("%q was compiled", src)
		}
	}
}

func TestNamesResolveFromTheInsideOut(t *testing.T) {
	s := newSession(t, script.Limits{})
	for _, scope := range []string{"session", "application", "ccxml", "transition"} {
		s.declare(scope, "x", scope)
		s.is("x", scope)
		s.is("x + ''", scope)
		s.is(scope+".x", scope)
	}
	s.is("session.x + application.x", "sessionapplication")
	s.OpenScope("transition")
	s.is("x", "ccxml")
	s.is("typeof transition.x", "undefined")
	if scope, ok := s.Resolve("x"); scope != "ccxml" || !ok {
		t.Errorf("x is in %q, %v", scope, ok)
	}
	if _, ok := s.Resolve("y"); ok {
		t.Error("y is found")
	}
	s.is("x = 'new', ccxml.x", "new")
	s.is("application.x", "application")
	s.is("(function () { x = 'newer' })(), ccxml.x", "newer")
}

func TestAScopeCannotBeReplaced(t *testing.T) {
	s := newSession(t, script.Limits{})
	s.declare("ccxml", "x", 1)
	s.is("ccxml = 5, typeof ccxml", "object")
	s.is("typeof transition.toString", "undefined")
	s.runIn("application", "application.transition = {x: 2}; application.ccxml = {x: 3}")
	s.is("x", "1")
}

func TestTheReadOnlyScope(t *testing.T) {
	s := newSession(t, script.Limits{})
	s.declare("session", "id", "17")
	s.runIn("ccxml", "session.id = 1; id = 2; session.more = 3; delete session.id; "+
		"try { Object.defineProperty(session, 'id', {value: 4}) } catch (e) {}")
	s.is("session.id", "17")
	s.is("typeof session.more", "undefined")
	s.is("Object.keys(session).join()", "id")
	s.declare("session", "id", "18")
	s.is("id", "18")
	for _, target := range []string{"id", "session.id", "session['id']", "session.more", "session['mo' + 're']"} {
		if err := s.assign(target, "1"); !errors.Is(err, script.ErrReadOnly) {
			t.Errorf("assigning to %s: %v", target, err)
		}
	}
	if err := s.tryRun("session", "var x = 1"); !errors.Is(err, script.ErrReadOnly) {
		t.Errorf("var in the session scope: %v", err)
	}
}

func TestAssign(t *testing.T) {
	s := newSession(t, script.Limits{})
	s.declare("ccxml", "x", 1)
	s.runIn("ccxml", "var o = {list: [1, 2], deep: {}}; var i = 1; var key = 'made'")
	for _, test := range []struct{ target, value, check, want string }{
		{"x", "2", "ccxml.x", "2"},
		{"ccxml.x", "3", "x", "3"},
		{"application.fresh", "4", "fresh", "4"},
		{"application['fresher']", "5", "fresher", "5"},
		{"application['a' + 'b']", "6", "ab", "6"},
		{"o.list[i]", "7", "o.list.join()", "1,7"},
		{"o['deep'].er", "{b: 8}", "o.deep.er.b", "8"},
		{"o[key]", "9", "o.made", "9"},
		{"o.list[o.list.length]", "10", "o.list.join()", "1,7,10"},
		{"o.undef", "undefined", "'undef' in o", "true"},
		{"fresh", "'again'", "application.fresh", "again"},
	} {
		if err := s.assign(test.target, test.value); err != nil {
			t.Errorf("%s = %s: %v", test.target, test.value, err)
		}
		s.is(test.check, test.want)
	}
	for _, target := range []string{"nope", "ccxml.nope", "transition.nope", "ccxml['no' + 'pe']", "Math", "application2.x"} {
		err := s.assign(target, "1")
		if target != "application2.x" && !errors.Is(err, script.ErrUndeclared) {
			t.Errorf("assigning to %s: %v", target, err)
		} else if err == nil {
			t.Errorf("assigning to %s works", target)
		}
	}
	for _, src := range []string{"1", "f()", "a + b", "a = b", "'s'", "{a: 1}", "[a]", "a?.b", "this", "a, b", "new.target"} {
		if _, err := s.Target(src, at); err == nil {
			t.Errorf("%s can be assigned to", src)
		}
	}
}

func TestDeclared(t *testing.T) {
	s := newSession(t, script.Limits{})
	s.declare("ccxml", "x", nil)
	s.runIn("ccxml", "var u; var o = {}")
	for target, want := range map[string]bool{
		"x": true, "u": true, "o.any": true, "ccxml.u": true, "application.any": true,
		"y": false, "ccxml.y": false, "transition.u": false, "y.z": false, "u.z": false, "session.id": false,
	} {
		compiled, err := s.Target(target, at)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Declared(compiled); got != want {
			t.Errorf("%s declared: %v", target, got)
		}
	}
}

func TestScriptsDeclareInTheirScope(t *testing.T) {
	s := newSession(t, script.Limits{})
	s.runIn("ccxml", `
		var early = hoisted(), a = 1, b;
		function hoisted() { return 'hoisted' + typeof a }
		let l = 2, m; const c = 3; class K { v() { return 4 } }
		var {p, q: [r = 9], ...rest} = {p: 5, q: [], s: 6, t: 7};
		for (var i = 0; i < 3; i++) { var inner = i; let hidden = 1 }
		for (var k in {kk: 1}) ;
		for (var [v] of [[8]]) ;
		try { throw 1 } catch (e) { var caught = e }
		if (false) { var never = 1 }
		(function () { var local = 1 })();
		undeclared = 1;
	`)
	for name, want := range map[string]string{
		"early": "hoistedundefined", "a": "1", "b": "undefined", "l": "2", "m": "undefined", "c": "3", "i": "3", "inner": "2",
		"p": "5", "r": "9", "k": "kk", "v": "8", "caught": "1", "never": "undefined",
	} {
		s.is("ccxml."+name, want)
		if scope, ok := s.Resolve(name); scope != "ccxml" || !ok {
			t.Errorf("%s is in %q", name, scope)
		}
	}
	s.is("rest.s + rest.t", "13")
	s.is("new K().v() + K.name", "4K")
	s.is("hoisted.name", "hoisted")
	s.is("typeof local + typeof hidden", "undefinedundefined")
	s.is("Object.keys(globalThis).join()", "undeclared")
	s.CleanGlobals()
	s.is("typeof undeclared + typeof ccxml + typeof Math", "undefinedobjectobject")
	s.is("a", "1")
}

func TestVariablesKeepTheirValueWhenRedeclared(t *testing.T) {
	s := newSession(t, script.Limits{})
	s.runIn("ccxml", "var n = 1; function f() { return n }")
	s.runIn("ccxml", "var n; n = n + 1")
	s.is("f()", "2")
	s.runIn("transition", "var n = 10")
	s.is("n", "10")
	s.is("ccxml.n", "2")
	s.is("f()", "2")
	s.is("n = 11, transition.n + f()", "13")
}

func TestFunctionsSeeTheirScope(t *testing.T) {
	s := newSession(t, script.Limits{})
	s.runIn("ccxml", "var calls = 0; function count(n) { return n > 0 ? count(n - 1) : ++calls }")
	s.runIn("transition", "var t = 'old'; application.later = function () { return t + calls }")
	s.is("count(5)", "1")
	s.is("application.later()", "old1")
	s.OpenScope("transition")
	s.runIn("transition", "var t = 'new'")
	s.is("application.later()", "old1")
}

func TestIsIdentifier(t *testing.T) {
	for name, want := range map[string]bool{
		"a": true, "event$": true, "_1": true, "état": true, "a1": true, "of": true,
		"": false, "1a": false, "a.b": false, "a b": false, "class": false, "true": false, "a-b": false, "a\n": false, "\xff": false,
	} {
		if got := script.IsIdentifier(name); got != want {
			t.Errorf("IsIdentifier(%q) is %v", name, got)
		}
	}
}
