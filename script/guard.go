package script

import (
	"errors"
	"fmt"
	"math"

	"github.com/dop251/goja"
)

// An interrupt does not reach the engine's built-in functions, so those that can
// take unbounded time or memory in one call are bounded by guards: proxies that
// look at the arguments first.
//
// Replacing a built-in function costs a runtime some hundred bytes and a
// microsecond, too much to do for all of them in every session. So
// the compiler notes which names a source mentions that need a guard, computed
// names are looked at when they are computed (checkKey), and a runtime
// installs what is noted before it runs the source.

// guardSet is a set of guards, one bit each.
type guardSet uint32

const (
	guardRepeat guardSet = 1 << iota
	guardPad
	guardConcat
	guardReplace
	guardJoin
	guardFlat
	guardLoops // everything that loops up to the length of an array-like object
	guardApply
	guardConstructors
	guardEval
	guardJSON
	guardBigInt
	allGuards guardSet = 1<<iota - 1
)

const (
	// smallIndex is the largest property number that needs no thought: a larger
	// one can make an array huge.
	smallIndex = 10_000
	// keyCheckName is the global through which computed property names pass.
	keyCheckName = "check key"
	// deepestNesting bounds arrays in arrays for what descends into them.
	deepestNesting = 200
	// widestReplacement bounds the length that a replacement may reach, in
	// multiples of Limits.StringLength, by a guess that is far too high for
	// most.
	widestReplacement = 16
)

// guardsOf returns the guards that a source needs which mentions name.
func guardsOf(name string) guardSet {
	switch name {
	case "repeat":
		return guardRepeat
	case "padStart", "padEnd":
		return guardPad
	case "concat":
		return guardConcat | guardJoin
	case "replace", "replaceAll":
		return guardReplace
	case "join", "split", "keys", "values", "entries":
		return guardJoin
	case "flat":
		return guardFlat
	case "apply":
		return guardApply
	case "match", "matchAll", "search", "RegExp", "compile":
		return guardJoin
	case "Array", "ArrayBuffer", "SharedArrayBuffer", "Int8Array", "Uint8Array", "Uint8ClampedArray", "Int16Array",
		"Uint16Array", "Int32Array", "Uint32Array", "Float32Array", "Float64Array":
		return guardConstructors | guardJoin
	case "JSON":
		return guardJSON | guardJoin
	case "BigInt", "BigInt64Array", "BigUint64Array":
		return guardBigInt
	case "eval", "Function", "constructor", "Reflect", "getOwnPropertyDescriptor", "getOwnPropertyDescriptors",
		"__proto__", "getPrototypeOf", "globalThis":
		return allGuards
	}
	return 0
}

// checkedCall is called instead of a built-in function; call goes on to it.
type checkedCall func(this goja.Value, args []goja.Value, call func() goja.Value) goja.Value

// install puts guards in place.
func (r *Runtime) install(missing guardSet) {
	r.installed |= missing
	for bit := guardRepeat; bit < allGuards; bit <<= 1 {
		if missing&bit != 0 {
			r.installOne(bit)
		}
	}
}

func (r *Runtime) installOne(guard guardSet) {
	switch guard {
	case guardRepeat:
		r.wrap(r.stringPrototype(), r.checkRepeat, "repeat")
	case guardPad:
		r.wrap(r.stringPrototype(), r.checkPad, "padStart", "padEnd")
	case guardConcat:
		r.wrap(r.stringPrototype(), r.checkStringConcat, "concat")
		r.wrap(r.arrayPrototype(), r.checkArrayConcat, "concat")
	case guardReplace:
		r.wrap(r.stringPrototype(), r.checkReplace, "replace", "replaceAll")
	case guardJoin:
		r.wrap(r.arrayPrototype(), r.join, "join")
	case guardFlat:
		r.wrap(r.arrayPrototype(), r.checkFlat, "flat")
	case guardLoops:
		r.installLoops(r.arrayPrototype())
	case guardApply:
		r.wrap(r.prototype("Function"), r.checkLastLength, "apply")
	case guardConstructors:
		r.installConstructors()
	case guardEval:
		r.installEval()
	case guardJSON:
		json := r.global("JSON")
		r.wrap(json, r.checkParse, "parse")
		r.wrap(json, r.checkStringify, "stringify")
	case guardBigInt:
		for _, name := range []string{"BigInt", "BigInt64Array", "BigUint64Array"} {
			_ = r.builtIns.Delete(name)
		}
	}
}

// stringPrototype and arrayPrototype are had from a value: asking the constructor
// would make the engine build it with all its functions, 7 KB a session.
func (r *Runtime) stringPrototype() *goja.Object { return r.vm.ToValue("").ToObject(r.vm).Prototype() }

func (r *Runtime) arrayPrototype() *goja.Object { return r.vm.NewArray().Prototype() }

// global returns a global object of the engine, or nil if a document has put
// something else in its place.
func (r *Runtime) global(name string) *goja.Object {
	object, _ := r.vm.GlobalObject().Get(name).(*goja.Object)
	return object
}

func (r *Runtime) prototype(constructor string) *goja.Object {
	if c := r.global(constructor); c != nil {
		object, _ := c.Get("prototype").(*goja.Object)
		return object
	}
	return nil
}

// wrap replaces methods of an object by proxies that call check.
func (r *Runtime) wrap(object *goja.Object, check checkedCall, names ...string) {
	if object == nil {
		return
	}
	for _, name := range names {
		if method, ok := object.Get(name).(*goja.Object); ok {
			r.replace(object, name, r.proxy(method, check))
		}
	}
}

func (r *Runtime) replace(object *goja.Object, name string, v goja.Value) {
	// Fails only if a document has frozen the object, which then keeps its
	// method: the time limit is left.
	_ = object.DefineDataProperty(name, v, goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_FALSE)
}

// proxy returns a function that is function but for its calls, which go to check.
func (r *Runtime) proxy(function *goja.Object, check checkedCall) goja.Value {
	call, ok := goja.AssertFunction(function)
	if !ok {
		return function
	}
	apply := func(_ *goja.Object, this goja.Value, args []goja.Value) goja.Value {
		return check(this, args, func() goja.Value {
			v, err := call(this, args...)
			if err != nil {
				panic(err)
			}
			return v
		})
	}
	return r.vm.ToValue(r.vm.NewProxy(function, &goja.ProxyTrapConfig{Apply: apply}))
}

// wrapConstructor replaces a global constructor by one that calls check, has the
// same prototype and inherits everything else. (A proxy would not do:
// the engine refuses it in instanceof.)
func (r *Runtime) wrapConstructor(name string, check checkedCall) {
	original, prototype := r.global(name), r.prototype(name)
	if original == nil || prototype == nil {
		return
	}
	wrapper, ok := r.vm.ToValue(func(call goja.ConstructorCall) *goja.Object {
		v := check(nil, call.Arguments, func() goja.Value { return r.construct(original, call.Arguments, call.NewTarget) })
		object, _ := v.(*goja.Object)
		return object
	}).(*goja.Object)
	if !ok {
		return
	}
	no := goja.FLAG_FALSE
	if errors.Join(wrapper.SetPrototype(original),
		wrapper.DefineDataProperty("prototype", prototype, no, no, no),
		wrapper.DefineDataProperty("name", r.vm.ToValue(name), no, goja.FLAG_TRUE, no)) != nil {
		return // Cannot be: the object is new.
	}
	r.replace(r.vm.GlobalObject(), name, wrapper)
	r.replace(prototype, "constructor", wrapper)
}

// construct is new target(...args), made by newTarget if that is a subclass.
func (r *Runtime) construct(target *goja.Object, args []goja.Value, newTarget *goja.Object) goja.Value {
	reflected, ok := goja.AssertFunction(r.global("Reflect").Get("construct"))
	if !ok {
		panic(r.vm.NewTypeError("Reflect.construct is not a function"))
	}
	list := make([]any, len(args))
	for i, arg := range args {
		list[i] = arg
	}
	rest := []goja.Value{target, r.vm.NewArray(list...)}
	if newTarget != nil {
		rest = append(rest, newTarget)
	}
	v, err := reflected(goja.Undefined(), rest...)
	if err != nil {
		panic(err)
	}
	return v
}

// refuse throws an error that says which limit is exceeded.
func (r *Runtime) refuse(format string, args ...any) {
	panic(r.vm.NewGoError(&limitError{fmt.Sprintf(format, args...)}))
}

func (r *Runtime) checkStringLength(units float64, what string) {
	if units > float64(r.limits.StringLength) {
		r.refuse("%s would make a string longer than %d characters", what, r.limits.StringLength)
	}
}

func (r *Runtime) checkArrayLength(length float64, what string) {
	if length > float64(r.limits.ArrayLength) {
		r.refuse("%s would go over an array longer than %d", what, r.limits.ArrayLength)
	}
}

func argument(args []goja.Value, i int) goja.Value {
	if i < len(args) {
		return args[i]
	}
	return goja.Undefined()
}

// number returns what v counts as where a length is expected; NaN as 0.
func number(v goja.Value) float64 {
	if n := v.ToFloat(); !math.IsNaN(n) {
		return n
	}
	return 0
}

// length returns the length of a string, array or array-like object.
func length(v goja.Value) float64 {
	switch v := v.(type) {
	case *goja.Object:
		if l := v.Get("length"); l != nil {
			return number(l)
		}
	case goja.String:
		return float64(v.Length())
	}
	return 0
}

// installKeyCheck makes computed property names pass through checkKey.
func (r *Runtime) installKeyCheck() {
	r.keyChecked = true
	r.defineGlobal(keyCheckName, r.vm.ToValue(r.checkKey))
}

// checkKey returns its argument as a property name, after installing the guards
// that the property needs.
func (r *Runtime) checkKey(call goja.FunctionCall) goja.Value {
	key := call.Argument(0)
	if object, ok := key.(*goja.Object); ok {
		// Converted once, here, so that the name is the one that was looked at.
		key = object.ToString()
	}
	need := guardSet(0)
	if _, ok := key.(goja.String); ok {
		name := key.String()
		need = guardsOf(name)
		if name == "length" {
			need = guardLoops
		} else if name != "" && name[0] >= '1' && name[0] <= '9' && len(name) > 4 {
			need |= guardLoops
		}
	} else if goja.IsNumber(key) && key.ToFloat() > smallIndex {
		need = guardLoops
	}
	if missing := need &^ r.installed; missing != 0 {
		r.install(missing)
	}
	return key
}
