package goja

import (
	"errors"
	"os"
	"runtime"
	"strconv"
	"testing"
)

// builtIns lists the built-in functions that scripts can reach, by how they are reached.
const builtIns = `(function () {
	var found = [], seen = new Set();
	function look(path, value) {
		if (value === null || typeof value !== 'object' && typeof value !== 'function' || seen.has(value)) return;
		seen.add(value);
		if (typeof value === 'function') found.push([path, value]);
		look(path + '.__proto__', Object.getPrototypeOf(value));
		Reflect.ownKeys(value).forEach(function (name) {
			var d = Object.getOwnPropertyDescriptor(value, name), at = path + '.' + String(name);
			look(at, d.value); look('get ' + at, d.get); look('set ' + at, d.set);
		});
	}
	look('', globalThis);
	look('[].values()', [].values()); look('"".matchAll', 'x'.matchAll(/x/g)); look('Map.entries', new Map().entries());
	look('Set.values', new Set().values()); look('String.iterator', ''[Symbol.iterator]());
	look('Generator', (function* () {})()); look('async', async function () {}); look('arguments', (function () { return arguments })());
	return found;
})()`

// hugeValues are what the functions are called on and with: each is large, or says so.
var hugeValues = []string{
	`({length: 4e9})`,
	`({length: 4e9, 0: 'x', 3999999999: 'y'})`,
	`ascii`, `text`,
	`Array(100000).fill(0)`, `Array(1000).fill(ascii)`, `Array(100000)`,
	`(function () { var o = {}; for (var i = 0; i < 2000; i++) o['k' + i] = i; return o })()`,
	`(function () { var a = []; for (var i = 0; i < 500; i++) a = [a]; return a })()`,
	`new Map(Array(2000).fill(0).map(function (_, i) { return [i, i] }))`, `new Set(Array(2000).fill(0).map(function (_, i) { return i }))`,
	`new Uint8Array(100000)`, `new Float64Array(10000)`, `new ArrayBuffer(100000)`, `new DataView(new ArrayBuffer(100000))`,
	`/x*y/g`, `/(x+x+)+\1y/g`, `/(?=x)x*$/y`, `/[^]/g`,
	`new Date(8.64e15)`, `Array.prototype.map`, `isNaN.bind(null, ascii)`, `new Proxy([], {})`, `Symbol.iterator`,
	`({[Symbol.iterator]: function () { return {next: Object.bind(null, {done: false})} }})`,
	`({[Symbol.iterator]: [].values.bind(Array(100000))})`,
	`1e9`, `-1`, `2**31`, `1e300`, `'1e5'`, `0`, `undefined`, `10n**1000n`,
	`function (a, b) { return a < b }`,
}

// TestBuiltIns: every built-in function, called on and with what is huge or says that it is,
// ends by itself or within the steps that it may take, and allocates little that is not
// counted. One in two thousand of the combinations is tried; with TEST_BUILTINS=all each, which
// takes half an hour.
func TestBuiltIns(t *testing.T) {
	each := 1999 // of the combinations
	if os.Getenv("TEST_BUILTINS") == "all" {
		each = 1
	}
	list, err := New().RunString(builtIns)
	if err != nil {
		t.Fatal(err)
	}
	n := int(list.(*Object).Get("length").ToInteger())
	if n < 400 {
		t.Fatalf("%d built-in functions are found", n)
	}
	for i := range n {
		c := calling{TB: t, i: i}
		for j, this := range hugeValues {
			for k, with := range hugeValues {
				if (i*len(hugeValues)+j*7+k*3)%each == 0 {
					c.call(this, with)
				}
			}
		}
	}
}

// calling is a built-in function in a Runtime of its own.
type calling struct {
	testing.TB
	i        int // in the list
	r        *Runtime
	name     string
	function Callable
}

// renew begins with a new Runtime.
func (c *calling) renew() {
	c.r = New()
	c.r.SetMaxCallStackSize(500)
	c.r.Bound(&Bounds{Depth: 2000, StringLength: 1 << 20, ArrayLength: 100_000, Memory: 8 << 20, RegexpInput: 64 << 10})
	list, err := c.r.RunString(builtIns)
	if err == nil {
		_, err = c.r.RunString("var ascii = Array(100001).join('x'), text = Array(30001).join('\\u1e9b')")
	}
	if err != nil {
		c.Fatal(err)
	}
	pair := list.(*Object).Get(strconv.Itoa(c.i)).(*Object)
	c.name = pair.Get("0").String()
	c.function, _ = AssertFunction(pair.Get("1"))
}

// call calls it, and looks at what that took.
func (c *calling) call(this, with string) {
	const most, slack = 20_000, 150_000 // steps; one function may count many at a time
	if c.r == nil {
		c.renew()
	}
	on, err := c.r.RunString("(" + this + ")")
	argument, err2 := c.r.RunString("(" + with + ")")
	if err != nil || err2 != nil { // what was called before has changed what they are made of
		c.renew()
		return
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	steps, allocated := c.r.Steps(), c.r.Allocated()
	c.r.BoundSteps(steps+most, "more than %d steps", most)
	_, err = c.function(on, argument, argument, argument)
	c.r.UnboundSteps()
	runtime.ReadMemStats(&after)
	steps, allocated = c.r.Steps()-steps, c.r.Allocated()-allocated
	if taken := int64(after.TotalAlloc - before.TotalAlloc); steps > most+slack || taken > 16<<20+4*allocated {
		c.Errorf("%s on %s with %s took %d steps and %d bytes, %d of them counted: %v", c.name, this, with, steps, taken, allocated, err)
	}
	if errors.As(err, new(*LimitError)) || errors.As(err, new(*StackOverflowError)) {
		c.renew()
	}
}

// TestLimitsInMessages: what ends a script ends it also where the text of a value is asked
// for only to say what is wrong with it; what is put together counts before it is a string.
func TestLimitsInMessages(t *testing.T) {
	for _, src := range []string{"[].filter(long)", "[].reduce(long)", "[1].concat(1).map(long)"} {
		r := New()
		r.Bound(&Bounds{StringLength: 1 << 20, ArrayLength: 100_000})
		r.BoundSteps(1_000_000, "more than %d steps", 1_000_000)
		_, err := r.RunString("var long = Array(1000).fill(Array(100001).join('x')); for (var i = 0; i < 100; i++) try { " + src + " } catch (e) {}")
		if !errors.As(err, new(*LimitError)) {
			t.Errorf("%s: %v", src, err)
		}
		if r.Steps() < 30_000 {
			t.Errorf("%s: %d steps", src, r.Steps())
		}
	}
	v, err := New().RunString("try { [].filter({toString: function () { throw 1 }}) } catch (e) { e instanceof TypeError && e.message }")
	if err != nil || v.String() != "Object is not a function" {
		t.Errorf("a value without a text: %v, %v", v, err)
	}
}
