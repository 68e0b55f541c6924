package script_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/dop251/goja"

	"ccxmld/script"
)

// described writes in words all that ECMAScript can tell of a value: of what kinds its
// parts are, what they have in which order and with which attributes, and which of them
// are the same object.
const described = `(function (root) {
	var seen = [], out = [];
	function number(o) { var i = seen.indexOf(o); return i }
	function walk(v, depth) {
		if (v === null) return "null";
		if (typeof v == "number") return Object.is(v, -0) ? "-0" : String(v);
		if (typeof v == "string") return JSON.stringify(v.split("").map(function (c) { return c.charCodeAt(0) }).join(" "));
		if (typeof v == "symbol") return v.toString() + (Symbol.keyFor(v) !== undefined) + (v === Symbol.iterator) + sameSymbol(v);
		if (typeof v != "object" && typeof v != "function") return String(v);
		if (number(v) >= 0) return "#" + number(v);
		seen.push(v);
		if (depth > 200) return "deep";
		var kind = Object.prototype.toString.call(v), parts = [kind];
		if (typeof v == "function") parts.push(Function.prototype.toString.call(v));
		if (kind == "[object Date]") parts.push(walk(Date.prototype.getTime.call(v), depth));
		if (kind == "[object RegExp]") parts.push(RegExp.prototype.toString.call(v));
		if (kind == "[object String]" || kind == "[object Number]" || kind == "[object Boolean]" || kind == "[object Symbol]") parts.push(walk(v.valueOf(), depth));
		if (kind == "[object Map]") v.forEach(function (x, k) { parts.push(walk(k, depth + 1) + "=>" + walk(x, depth + 1)) });
		if (kind == "[object Set]") v.forEach(function (x) { parts.push(walk(x, depth + 1)) });
		if (kind == "[object ArrayBuffer]") parts.push(Array.prototype.join.call(new Uint8Array(v)));
		if (ArrayBuffer.isView(v)) parts.push(walk(v.buffer, depth + 1), v.byteOffset, v.byteLength);
		parts.push(Object.isExtensible(v));
		var p = Object.getPrototypeOf(v);
		parts.push(p === null ? "no prototype" : prototypes.has(p) ? prototypes.get(p) : walk(p, depth + 1));
		if (typeof v != "function" && !ArrayBuffer.isView(v)) Reflect.ownKeys(v).forEach(function (k) {
			if (kind == "[object Error]" && k == "stack") return;
			var d = Object.getOwnPropertyDescriptor(v, k);
			parts.push(walk(k, depth) + (d.writable ? "w" : "") + (d.enumerable ? "e" : "") + (d.configurable ? "c" : "") + ":" + walk(d.value, depth + 1));
		});
		return "{" + parts.join(",") + "}";
	}
	var symbols = [];
	function sameSymbol(v) { if (symbols.indexOf(v) < 0) symbols.push(v); return "@" + symbols.indexOf(v) }
	var prototypes = new Map();
	[Object, Array, Date, RegExp, String, Number, Boolean, Symbol, Map, Set, Error, TypeError, RangeError, Function, ArrayBuffer, Uint8Array, Float64Array,
		Int16Array, Uint8ClampedArray, DataView].forEach(function (c) { prototypes.set(c.prototype, c.name) });
	return walk(root, 0);
})`

var whole = script.Limits{Full: true}

// carry writes the variables of a session down, and restores them in a new one, for
// which a script is run before.
func carry(t testing.TB, from *session, c script.Carried, scripts ...string) (to *session, lost, missing []script.Lost) {
	t.Helper()
	c.Scopes = []string{"application", "ccxml"}
	v, lost, err := from.Snapshot(c)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatalf("%v in\n%s", err, string(v))
	}
	var read script.Variables
	if err := json.Unmarshal(text, &read); err != nil {
		t.Fatal(err)
	}
	to = &session{t, from.Language, from.Language.NewRuntime(whole)}
	for _, s := range scripts {
		to.script(s)
	}
	if missing, err = to.Restore(read, c); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return to, lost, missing
}

// describe tells all of a value that ECMAScript can.
func (s *session) describe(src string) string {
	s.Helper()
	v, err := s.eval(described + "(" + src + ")")
	if err != nil {
		s.Fatalf("%s: %v", src, err)
	}
	return v.String()
}

// TestValuesAreCarriedOver: what ECMAScript can tell of a value, it tells of the restored
// one.
func TestValuesAreCarriedOver(t *testing.T) {
	for _, value := range []string{
		"undefined", "null", "true", "false", "0", "-0", "1", "-1", "0.5", "1e300", "5e-324", "NaN", "Infinity", "-Infinity",
		"9007199254740991", "9007199254740993", "-9007199254740991", "4294967296", "1e21",
		"''", "'x'", "'\\u0000\\n\"\\\\'", "'\\u00fc\\u20ac'", "'\\ud83d\\ude00'", "'\\ud83d'", "'a\\ude00b'", "'\\ufffd'", "'</script>&'",
		"{}", "{a: 1, b: {c: [1, 2]}}", "{2: 'b', 1: 'a', x: 0, '-1': 1}", "{'': 1, 'a b': 2, '__proto__x': 3}", "JSON.parse('{\"__proto__\": 1}')",
		"[]", "[1, 'a', null, undefined, NaN]", "[1, , 3]", "[, , 1, , ]", "new Array(5)", "new Array(4e9)", "[[], [[]]]",
		"(function(){ var a = [1,2]; a.x = 3; return a })()", "(function(){ var a = []; a[1e6] = 1; a[5] = 2; return a })()",
		"Object.freeze([1, 2])", "Object.defineProperty([1, 2], 'length', {writable: false})",
		"Object.defineProperty([1, 2], '0', {writable: false, enumerable: false, configurable: false})",
		"new Date(0)", "new Date(1.7e12)", "new Date(-1)", "new Date(8.64e15)", "new Date(NaN)",
		"/a(b)?[c/]/gimsuy", "/\\u{1F600}/u", "new RegExp('/')", "(function(){ var r = /x/g; r.exec('axx'); return r })()",
		"new Map()", "new Map([[1, 'a'], [{x: 1}, new Map([['b', 2]])], [NaN, -0]])", "new Set([1, 'a', {}, undefined])",
		"new String('abc')", "new Number(-0)", "new Boolean(false)", "Object(Symbol.iterator)", "Object(Symbol('s'))",
		"Object.assign(new String('ab'), {x: 1})",
		"new Error('e')", "new TypeError()", "Object.assign(new RangeError('r'), {code: 7})", "new Error('e', {cause: {a: 1}})",
		"new Uint8Array([1, 2, 255])", "new Float64Array([NaN, -0, 1.5])", "new Int16Array(new ArrayBuffer(8), 2, 2)", "new Uint8ClampedArray(3)",
		"new DataView(new ArrayBuffer(8), 1, 4)", "new ArrayBuffer(0)",
		"(function(){ var b = new ArrayBuffer(4); return [new Uint8Array(b), new Uint8Array(b, 1)] })()",
		"Symbol.iterator", "{s: Symbol('x'), [Symbol.toPrimitive]: 1}", "(function(){ var s = Symbol('k'); return {[s]: s, t: s} })()",
		"[Symbol.for('k'), Symbol.for('\\ud800'), Object(Symbol.for('k'))]",
		"Object.create(null)", "Object.create({a: 1}, {b: {value: 2}})", "Object.create(Object.create(null))", "Object.create(Array.prototype)",
		"Object.freeze({a: 1})", "Object.seal({a: 1})", "Object.preventExtensions({a: {}})",
		"Object.defineProperty({}, 'hidden', {value: {a: 1}, enumerable: false})",
		"(function(){ var a = {}; a.self = a; return a })()", "(function(){ var a = []; a.push(a, [a]); return a })()",
		"(function(){ var s = {n: 1}; return [s, s, {s: s}] })()", "(function(){ var m = new Map(); m.set(m, m); return m })()",
		"(function(){ var s = new Set(); s.add([s]); return s })()", "(function(){ var d = new Date(5); return {a: d, b: d} })()",
		"(function(){ var o = {}, p = o; for (var i = 0; i < 150; i++) p = p.next = {}; return o })()",
		"Math", "Math.floor", "String.prototype.trim", "[parseInt, Object, JSON.parse]", "Array.prototype",
		"function(a, b) { return a + b }", "(a => a * 2)", "{f: function g() { return g }}",
	} {
		from := newSession(t, whole)
		from.Declare("ccxml", "v", mustEval(t, from, "("+value+")"))
		to, lost, missing := carry(t, from, script.Carried{})
		if got, want := to.describe("v"), from.describe("v"); got != want {
			t.Errorf("%s is restored as\n\t%s\nand was\n\t%s", value, got, want)
		}
		if len(lost)+len(missing) > 0 {
			t.Errorf("%s: lost %v, missing %v", value, lost, missing)
		}
	}
}

func mustEval(t testing.TB, s *session, src string) goja.Value {
	t.Helper()
	v, err := s.eval(src)
	if err != nil {
		t.Fatalf("%s: %v", src, err)
	}
	return v
}

// TestLongListsAreCarriedOver: what leads far is no deeper than what leads wide.
func TestLongListsAreCarriedOver(t *testing.T) {
	from := newSession(t, whole)
	from.script("var list = null; for (var i = 0; i < 20000; i++) list = {next: list}")
	to, _, _ := carry(t, from, script.Carried{})
	to.is("(function(){ var n = 0; for (var l = list; l; l = l.next) n++; return n })()", "20000")
}

// TestScopesAreCarriedOver: variables of all scopes, those that are made without being
// declared, their attributes, and scopes as values.
func TestScopesAreCarriedOver(t *testing.T) {
	from := newSession(t, whole)
	from.script("var a = {n: 1}, b = ccxml, gone = 1; application.c = a; loose = a; delete ccxml.gone; Object.defineProperty(ccxml, 'fixed', {value: 2})")
	from.Declare("transition", "t", from.VM().ToValue(1))
	to, lost, _ := carry(t, from, script.Carried{}, "var gone = 2, a = 3; left = 4")
	for src, want := range map[string]string{
		"a.n": "1", "a === application.c": "true", "a === loose": "true", "b === ccxml": "true", "typeof gone": "undefined",
		"typeof left": "undefined", "typeof t": "undefined", "fixed": "2", "(ccxml.fixed = 3, ccxml.fixed)": "2", "globalThis === b": "false",
	} {
		to.is(src, want)
	}
	if len(lost) > 0 {
		t.Error(lost)
	}
}

// TestFunctionsAreMadeAgain: by the scripts of the document where these make them, of
// their text otherwise; and their prototypes with them.
func TestFunctionsAreMadeAgain(t *testing.T) {
	const made = `
		function double(x) { return 2 * x }
		var half = function (x) { return x / 2 };
		function Point(x) { this.x = x }
		Point.prototype.get = function () { return this.x };
		var counter = (function () { var n = 0; return {next: function () { return ++n }} })();
		var tools = {round: function (x) { return Math.round(x) }, more: [double]};`
	from := newSession(t, whole)
	from.script(made)
	from.script("var p = new Point(7), other = half, later = function (x) { return double(x) + 1 }; counter.next(); counter.next(); tools.m = {triple(x) { return 3 * x }}; var P = Point.prototype; double.calls = 5")
	compiled, err := from.Script(made, at)
	if err != nil {
		t.Fatal(err)
	}
	to, lost, missing := carry(t, from, script.Carried{Scripts: []*script.Script{compiled}}, made)
	for src, want := range map[string]string{
		"double(2)": "4", "half(4)": "2", "p.get()": "7", "p instanceof Point": "true", "other === half": "true", "later(2)": "5",
		"tools.round(1.6)": "2", "tools.more[0] === double": "true", "tools.m.triple(2)": "6", "counter.next()": "1",
		"P === Point.prototype": "true", "new Point(3).get()": "3", "double.calls": "5", "p.constructor === Point": "true",
	} {
		to.is(src, want)
	}
	if got := fmt.Sprint(lost); got != "[ccxml.counter.next: what the function has captured begins anew]" {
		t.Error(got)
	}
	if len(missing) > 0 {
		t.Error(missing)
	}
}

// TestWhatIsLost: what cannot be carried over is named, and undefined stands in its place,
// or what the document's scripts have made there.
func TestWhatIsLost(t *testing.T) {
	from := newSession(t, whole)
	from.script(`var ran = 0;
		var a = {get g() { ran++; return 1 }, set s(v) { ran++ }, plain: 1};
		var p = new Proxy({}, {get: function () { ran++ }, ownKeys: function () { ran++; return [] }});
		var inner = {list: [1, function* () {}().next, p]};
		var w = new WeakMap(), gen = (function* () {})(), bound = a.constructor.bind(1);
		var maker = function () { var n = 1; return function () { return n } }, captured = maker();
		var e = Object.defineProperty(new Error("x"), "message", {get: function () { ran++; return "" }});`)
	from.Declare("ccxml", "host", from.VM().ToValue(&struct{ X int }{1}))
	to, lost, missing := carry(t, from, script.Carried{}, "var w = 'of the script'")
	var got []string
	for _, l := range lost {
		got = append(got, l.String())
	}
	want := `ccxml.a.g: it has a getter or a setter
ccxml.a.s: it has a getter or a setter
ccxml.p: a Proxy
ccxml.w: an object of the kind Object
ccxml.gen: an object of the kind Object
ccxml.bound: an object of the kind Function
ccxml.captured: a function that has captured variables
ccxml.e.message: it has a getter or a setter
ccxml.host: an object of the platform
ccxml.inner.list[1]: a function or an object of the platform`
	if strings.Join(got, "\n") != want {
		t.Errorf("lost\n%s", strings.Join(got, "\n"))
	}
	for src, want := range map[string]string{
		"ran": "0", "'g' in a": "false", "a.plain": "1", "typeof p": "undefined", "w": "of the script", "typeof captured": "undefined",
		"inner.list.length": "3", "typeof inner.list[2]": "undefined", "typeof maker()": "function",
	} {
		to.is(src, want)
	}
	_ = missing
	from.is("ran", "0")
}

// TestSnapshotIsBounded: what is too large is refused, in time and memory with the bound
// and not with what there is.
func TestSnapshotIsBounded(t *testing.T) {
	for _, src := range []string{
		"var big = 'x'.repeat(1 << 20)", "var big = []; for (var i = 0; i < 90000; i++) big.push('0123456789abcdef')",
		"var big = new ArrayBuffer(1 << 20)", "var big = {}; for (var i = 0; i < 50000; i++) big['property' + i] = i",
		"var big = new Map(); for (var i = 0; i < 80000; i++) big.set('key' + i, i)", "var big = '\\ud800'.repeat(300000)",
	} {
		s := newSession(t, whole)
		s.script(src)
		_, _, err := s.Snapshot(script.Carried{Scopes: []string{"ccxml"}})
		if err == nil || !strings.Contains(err.Error(), "1024 KiB") {
			t.Errorf("%s: %v", src, err)
		}
	}
}

// TestRestoredValuesCount: what is restored counts as what the session holds.
func TestRestoredValuesCount(t *testing.T) {
	from := newSession(t, whole)
	from.script("var big = []; for (var i = 0; i < 20000; i++) big.push({i: i})")
	c := script.Carried{Scopes: []string{"ccxml"}}
	v, _, err := from.Snapshot(c)
	if err != nil {
		t.Fatal(err)
	}
	small := from.NewRuntime(script.Limits{Full: true, Memory: 1 << 20})
	if _, err := small.Restore(v, c); err == nil || !strings.Contains(err.Error(), "memory") {
		t.Errorf("restored beyond the limit: %v", err)
	}
}

// TestUnreadableVariables: what is no snapshot is an error.
func TestUnreadableVariables(t *testing.T) {
	for _, text := range []string{
		``, `{}`, `[]`, `[0]`, `[{},0,{},{},{"p":["a"]}]`, `[{},0,{},{"p":["a",[99]]},0]`, `[{},0,{},{"p":["a",["?"]]},0]`,
		`[{},0,{},{},0,{"k":"nothing"}]`, `[{},0,{},{},0,{"k":"array","e":[["h",99999999999]]}]`, `[{},0,{},{},0,{"t":[9,9]}]`,
		`[{},0,{},{},0,{"k":"view","b":[5],"r":[0,1]}]`, `[{},0,{},{},0,{"h":{}}]`, `[{},0,{},{},0,{"k":"regexp","v":"(","f":""}]`,
		`[{},0,{},{},0,{"k":"boxed","v":[5]}]`, `[{},0,{},{},0,{"k":"buffer","v":"?"}]`, `[{},0,{},{"p":[1,2]},0]`, `[{},0,{},{"p":["a",{}]},0]`,
	} {
		if _, err := newSession(t, whole).Restore(script.Variables(text), script.Carried{}); err == nil {
			t.Errorf("%s was restored", text)
		}
	}
}

// FuzzRestore: whatever is to be restored, nothing panics.
func FuzzRestore(f *testing.F) {
	s := newSession(f, whole)
	s.script("var a = [1, , {b: new Map([[1, new Date()]])}, /x/g, new Error('x'), new Uint8Array(3), Symbol('x')], g = function () {}")
	v, _, err := s.Snapshot(script.Carried{Scopes: []string{"application", "ccxml"}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(v))
	f.Add([]byte(`[{},0,{},{"p":["a",[5]]},0,{"k":"view","b":[6],"r":[0,1],"v":"Uint8Array"},{"k":"buffer","v":"AAAA"}]`))
	f.Fuzz(func(t *testing.T, text []byte) {
		_, _ = newSession(t, whole).Restore(script.Variables(text), script.Carried{Scopes: []string{"application", "ccxml"}})
	})
}

// valueOf writes an expression of a value, which depends on the bytes that it is given
// alone.
type valueOf struct{ bytes []byte }

func (v *valueOf) choose(most int) int {
	if len(v.bytes) == 0 {
		return 0
	}
	b := v.bytes[0]
	v.bytes = v.bytes[1:]
	return int(b) % most
}

func (v *valueOf) value(depth int) string {
	simple := []string{"0", "-0", "1.5", "NaN", "'x'", "'\\ud800'", "undefined", "null", "true", "new Date(7)", "/x/g", "Symbol.iterator", "Infinity", "o", "q", "Math"}
	if depth == 0 {
		return simple[v.choose(len(simple))]
	}
	inner := func() string { return v.value(depth - 1) }
	switch v.choose(14) {
	case 0:
		return "[" + inner() + "," + inner() + "]"
	case 1:
		return "[," + inner() + ",,]"
	case 2:
		return "{a:" + inner() + ",2:" + inner() + ",1:" + inner() + "}"
	case 3:
		return "new Map([[" + inner() + "," + inner() + "],[" + inner() + "," + inner() + "]])"
	case 4:
		return "new Set([" + inner() + "," + inner() + "])"
	case 5:
		return "Object.freeze([" + inner() + "])"
	case 6:
		return "Object.create({p:" + inner() + "},{x:{value:" + inner() + "}})"
	case 7:
		return "Object.assign(new Error('e'),{x:" + inner() + "})"
	case 8:
		return "(o.n=" + inner() + ",o)"
	case 9:
		return "(q.push(" + inner() + "),q)"
	case 10:
		return "new Uint8Array([" + fmt.Sprint(v.choose(256)) + "])"
	case 11:
		return "Object.assign(new String('s'),{s:" + inner() + "})"
	case 12:
		return "{[Symbol.iterator]:" + inner() + "}"
	default:
		return simple[v.choose(len(simple))]
	}
}

// FuzzSnapshot: what ECMAScript tells of a value that an expression has given, it tells of
// the restored one.
func FuzzSnapshot(f *testing.F) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		seed := make([]byte, 40)
		for i := range seed {
			seed[i] = byte(random.Uint32())
		}
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, bytes []byte) {
		src := (&valueOf{bytes}).value(4)
		from := newSession(t, whole)
		from.script("var o = {}, q = [], v = (" + src + ")")
		to, lost, missing := carry(t, from, script.Carried{})
		if got, want := to.describe("[o,q,v]"), from.describe("[o,q,v]"); got != want || len(lost)+len(missing) > 0 {
			t.Errorf("%s is restored as\n\t%s\nand was\n\t%s\nlost %v %v", src, got, want, lost, missing)
		}
	})
}

// script runs a script of the document.
func (s *session) script(src string) {
	s.Helper()
	compiled, err := s.Script(src, at)
	if err == nil {
		err = s.Run(compiled, "ccxml")
	}
	if err != nil {
		s.Fatalf("%s: %v", src, err)
	}
}

// TestClassicValuesAreCarriedOver: the same for what documents get by default.
func TestClassicValuesAreCarriedOver(t *testing.T) {
	const told = `(function tell(v) {
		if (v === null || typeof v != "object") return typeof v + ":" + v;
		if (v instanceof Date || v instanceof RegExp || v instanceof Error || v instanceof Number) return Object.prototype.toString.call(v) + v;
		return Object.prototype.toString.call(v) + Object.keys(v).map(function (k) { return k + "=" + tell(v[k]) }).join() + (v.length || "") })`
	for _, value := range []string{
		"{a: [1, , 'x'], b: {c: null}}", "new Date(5)", "/a/gi", "new RangeError('r')", "new Number(7)", "[function (x) { return x }, parseInt]", "new Map([[1, 2]])",
	} {
		from := newSession(t, script.Limits{})
		from.Declare("ccxml", "v", mustEval(t, from, "("+value+")"))
		want := mustEval(t, from, told+"(v)").String()
		v, lost, err := from.Snapshot(script.Carried{Scopes: []string{"ccxml"}})
		if err != nil || len(lost) > 0 {
			t.Fatalf("%s: %v %v", value, lost, err)
		}
		to := newSession(t, script.Limits{})
		if _, err := to.Restore(v, script.Carried{Scopes: []string{"ccxml"}}); err != nil {
			t.Fatal(err)
		}
		if got := mustEval(t, to, told+"(v)").String(); got != want {
			t.Errorf("%s is restored as %s and was %s", value, got, want)
		}
	}
}
