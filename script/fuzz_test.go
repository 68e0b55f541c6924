package script_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/dop251/goja"

	"ccxmld/script"
)

// nest writes scripts of built-in functions nested in each other: called with each
// other, bound to each other, as getters, iterators and callbacks, on array-like
// objects and Proxies. What it writes depends on the bytes that it is given alone.
type nest struct {
	bytes []byte
	depth int
}

func (n *nest) choose(most int) int {
	if len(n.bytes) == 0 {
		return 0
	}
	b := n.bytes[0]
	n.bytes = n.bytes[1:]
	return int(b) % most
}

func (n *nest) one(of []string) string { return of[n.choose(len(of))] }

var (
	owners = []string{
		"[]", "''", "({})", "(function(){})", "/x/g", "new Date(0)", "Object", "Array", "String", "Number", "JSON", "Math", "RegExp",
		"new Map()", "new Set()", "Reflect", "Promise", "Symbol", "new Uint8Array(4)", "Proxy", "new Error('e')", "Function", "globalThis",
		"[].values()", "''.matchAll(/x/g)", "new Map().entries()",
	}
	atoms = []string{
		"1", "-1", "1e9", "9e15", "0.5", "NaN", "'x'", "'ab'.repeat(500)", "'\\u00fc'.repeat(500)", "null", "undefined", "true", "[]", "[1,2,3]",
		"Array(300).fill(1)", "Array(90)", "{}", "/(a+)+$/g", "/(?=x)x/", "function(){return this}", "function(a,b){return b}", "(a,b)=>a", "a", "o", "p",
		"JSON.parse('{\"len'+'gth\":9e15}')", "new Proxy([], {})", "new Proxy(o, {})", "Object.create(a)", "'constructor'", "'length'", "'__proto__'",
		"'(' + 'a=>'.repeat(50)", "'[[[['", "Symbol.iterator", "'$&$&'", "new Date(8.64e15)", "arguments",
	}
	properties = make(map[string][]string) // of the owners
)

// propertiesOf lists the functions that an owner has.
func propertiesOf(owner string) []string {
	if list, ok := properties[owner]; ok {
		return list
	}
	v, err := goja.New().RunString(`(function (o) { var names = []; for (var p = o; p; p = Object.getPrototypeOf(p))
		Object.getOwnPropertyNames(p).forEach(function (n) { try { if (typeof o[n] == "function") names.push(n) } catch (e) {} });
		return names.sort().join(" ") })(` + owner + `)`)
	if err != nil {
		panic(err)
	}
	properties[owner] = strings.Fields(v.String())
	if len(properties[owner]) == 0 {
		properties[owner] = []string{"toString"}
	}
	return properties[owner]
}

func (n *nest) method() string {
	owner := n.one(owners)
	return owner + "[" + fmt.Sprintf("%q", n.one(propertiesOf(owner))) + "]"
}

func (n *nest) arguments() string {
	list := make([]string, n.choose(4))
	for i := range list {
		list[i] = n.expression()
	}
	return strings.Join(list, ", ")
}

func (n *nest) expression() string {
	if n.depth > 5 || len(n.bytes) == 0 {
		return "(" + n.one(atoms) + ")"
	}
	n.depth++
	defer func() { n.depth-- }()
	switch n.choose(14) {
	case 0, 1:
		return "(" + n.one(atoms) + ")"
	case 2, 3:
		return n.method() + ".call(" + n.expression() + ", " + n.arguments() + ")"
	case 4:
		return n.method() + ".bind(" + n.expression() + ", " + n.arguments() + ")"
	case 5:
		return n.method() + ".apply(" + n.expression() + ", " + n.expression() + ")"
	case 6:
		owner := n.one(owners)
		return owner + "[" + fmt.Sprintf("%q", n.one(propertiesOf(owner))) + "](" + n.arguments() + ")"
	case 7:
		return "Object.defineProperty(" + n.expression() + ", " + n.expression() + ", {get: " + n.method() + ".bind(" + n.expression() + "), configurable: true})"
	case 8:
		return "{[Symbol.iterator]: " + n.method() + ".bind(" + n.expression() + ", {next: " + n.method() + ".bind(" + n.expression() + ", " + n.arguments() + ")})}"
	case 9:
		return "[..." + n.expression() + ", " + n.expression() + "]"
	case 10:
		return "Object.setPrototypeOf(" + n.expression() + ", new Proxy(" + n.expression() + ", {" + n.one([]string{"get", "has", "set", "getPrototypeOf", "ownKeys", "apply"}) + ": " + n.method() + "}))"
	case 11:
		return "new (" + n.expression() + ")(" + n.arguments() + ")"
	case 12:
		return "(" + n.expression() + n.one([]string{" + ", " in ", " instanceof ", " == ", "[", " * "}) + n.expression() + ")"
	default:
		return "(function (f) { for (var i = 0; i < 100; i++) try { f = f." + n.one([]string{"bind(f)", "map(f)", "concat(f)", "toString", "replace(/x/g, f)"}) + " } catch (e) {} return f })(" + n.expression() + ")"
	}
}

// script writes a whole script.
func (n *nest) script() string {
	var b strings.Builder
	b.WriteString("(function () { var a = [1, 'x'], o = {a: a}, p = new Proxy(a, {}); a.push(o); var r;\n")
	for range 1 + n.choose(4) {
		b.WriteString("try { r = " + n.expression() + " } catch (e) { r = String(e && e.message) }\n")
	}
	b.WriteString("return r })()")
	return b.String()
}

// runNested runs what the bytes say, and reports what ended it in vain.
func runNested(t *testing.T, bytes []byte) {
	src := (&nest{bytes: bytes}).script()
	stuck := make(chan script.Position, 1)
	s := newSession(t, script.Limits{
		Steps: 100_000, Memory: 4 << 20, Time: 5 * time.Second, Full: true,
		Stuck: func(at script.Position) { stuck <- at },
	})
	e, err := s.Expression(src, at)
	if err != nil {
		return // what it wrote is no expression
	}
	done := make(chan struct{})
	var v goja.Value
	go func() {
		defer close(done)
		v, err = s.Eval(e)
		if err == nil {
			_, err = s.Data(v, nil)
		}
	}()
	select {
	case <-stuck:
		t.Fatalf("it did not end when it was told to:\n%s", src)
	case <-done:
	}
	if err == nil {
		return
	}
	var positioned *script.Error
	if errors.As(err, &positioned) && strings.Contains(positioned.Reason, "engine failed") {
		t.Fatalf("%v\n%s", err, src)
	}
	for _, sign := range []string{"0xc0", "%!", "&{", "GoError"} {
		if strings.Contains(err.Error(), sign) && !strings.Contains(src, sign) {
			t.Errorf("%q in the error %v\n%s", sign, err, src)
		}
	}
}

// FuzzNested: no nesting of built-in functions outlives its limits, panics, or shows
// what is Go's.
func FuzzNested(f *testing.F) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		seed := make([]byte, 40)
		for i := range seed {
			seed[i] = byte(random.Uint32())
		}
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, bytes []byte) {
		if len(bytes) > 200 {
			bytes = bytes[:200]
		}
		runNested(t, bytes)
	})
}

// FuzzCompile: no tree of expressions and statements keeps the compiler for long,
// overflows its stack or makes it panic.
func FuzzCompile(f *testing.F) {
	pieces := []string{
		"a=>", "(", ")", "[", "]", "{", "}", "a?", ":", "if(a)", "else ", "for(;;)", "while(a)", "a:", "!", "-", "++", "new ", "a", "1", "'x'", "`", "${",
		"function f(a){", "class A{", "get x(){", "...", ",", ";", "=", "{a:", "[a]:", "/x/", ".", "?.", "**", "=>", "let ", "var ", "const ", "async ",
		"await ", "function*g(){", "yield ", "try{", "}catch(e){", "}finally{", "switch(a){case ", "do ", "return ", "with(a)", "delete ", "typeof ", "in ", "of ", "\n", "=== ", "super.", "this", "new.target", "#p", "static ", "extends ", "label:", "break label;", "0x", "1n", "\\u0061",
	}
	f.Add([]byte{0, 0, 0}, uint16(11))
	f.Add([]byte{1, 18, 2}, uint16(11))
	f.Fuzz(func(t *testing.T, bytes []byte, times uint16) {
		var b strings.Builder
		for i := 0; i < len(bytes) && i < 60; i++ {
			b.WriteString(pieces[int(bytes[i])%len(pieces)])
		}
		src := strings.Repeat(b.String(), 1<<(times%12))
		if len(src) > 100_000 {
			src = src[:100_000]
		}
		l := ccxml()
		_, _ = l.Expression(src, at)
		_, _ = l.ReadScript(src, at)
		if compiled, err := l.Script(src, at); err == nil {
			_ = l.NewRuntime(script.Limits{Steps: 20_000, Memory: 4 << 20}).Run(compiled, "ccxml")
		}
	})
}
