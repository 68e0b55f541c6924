package script

import (
	"slices"
	"strconv"
	"strings"

	"github.com/dop251/goja"
	"github.com/dop251/goja/ast"
)

// The checks of the built-in functions. Each has the form of checkedCall.

func (r *Runtime) checkRepeat(this goja.Value, args []goja.Value, call func() goja.Value) goja.Value {
	r.checkStringLength(length(this)*number(argument(args, 0)), "repeat")
	return call()
}

func (r *Runtime) checkPad(_ goja.Value, args []goja.Value, call func() goja.Value) goja.Value {
	r.checkStringLength(number(argument(args, 0)), "padding")
	return call()
}

func (r *Runtime) checkStringConcat(this goja.Value, args []goja.Value, call func() goja.Value) goja.Value {
	total := length(this)
	for _, arg := range args {
		total += length(arg)
	}
	r.checkStringLength(total, "concat")
	return call()
}

func (r *Runtime) checkArrayConcat(this goja.Value, args []goja.Value, call func() goja.Value) goja.Value {
	total := length(this)
	for _, arg := range args {
		if _, ok := arg.(*goja.Object); ok {
			total += length(arg)
		} else {
			total++
		}
	}
	r.checkArrayLength(total, "concat")
	return call()
}

// checkReplace bounds what a replacement could at most become: each dollar sign
// in it may stand for the whole text.
func (r *Runtime) checkReplace(this goja.Value, args []goja.Value, call func() goja.Value) goja.Value {
	length := length(this)
	if with, ok := argument(args, 1).(goja.String); ok && with.Length() > 0 {
		once := float64(with.Length()) + length*float64(strings.Count(with.String(), "$"))
		if (length+1)*once > widestReplacement*float64(r.limits.StringLength) {
			r.refuse("replace could make a string longer than %d characters", widestReplacement*r.limits.StringLength)
		}
	}
	return call()
}

func (r *Runtime) checkFlat(this goja.Value, args []goja.Value, call func() goja.Value) goja.Value {
	total := 0.0
	r.measureFlat(this, number(argument(args, 0)), 0, &total)
	return call()
}

// measureFlat refuses what flat would descend into too deeply or turn into too
// long an array.
func (r *Runtime) measureFlat(v goja.Value, depth float64, level int, total *float64) {
	array, ok := v.(*goja.Object)
	if !ok || array.ClassName() != "Array" || float64(level) > depth {
		*total++
		r.checkArrayLength(*total, "flat")
		return
	}
	if level >= deepestNesting {
		r.refuse("flat would go deeper than %d", deepestNesting)
	}
	r.stopIfInterrupted()
	n := length(array)
	r.checkArrayLength(n, "flat")
	for i := range int(n) {
		r.measureFlat(array.Get(strconv.Itoa(i)), depth, level+1, total)
	}
}

// checkLength bounds the object that a method loops over.
func (r *Runtime) checkLength(this goja.Value, _ []goja.Value, call func() goja.Value) goja.Value {
	r.checkArrayLength(length(this), "this")
	return call()
}

// checkFirstLength bounds the array-like object that is the first argument.
func (r *Runtime) checkFirstLength(_ goja.Value, args []goja.Value, call func() goja.Value) goja.Value {
	if object, ok := argument(args, 0).(*goja.Object); ok {
		r.checkArrayLength(length(object), "this")
	}
	return call()
}

// checkLastLength bounds the array-like object that is a list of arguments.
func (r *Runtime) checkLastLength(_ goja.Value, args []goja.Value, call func() goja.Value) goja.Value {
	for _, arg := range args[min(1, len(args)):] {
		if object, ok := arg.(*goja.Object); ok {
			r.checkArrayLength(length(object), "the call")
		}
	}
	return call()
}

// installLoops guards what loops over array-like objects, spread included: the
// engine takes its own way for arrays only while the iterator is its own.
func (r *Runtime) installLoops(array *goja.Object) {
	r.wrap(array, r.checkLength, "copyWithin", "every", "fill", "filter", "find", "findIndex", "findLast",
		"findLastIndex", "flatMap", "forEach", "includes", "indexOf", "lastIndexOf", "map", "pop", "push", "reduce",
		"reduceRight", "reverse", "shift", "slice", "some", "sort", "splice", "toReversed", "toSorted", "toSpliced",
		"unshift", "values", "with")
	if iterator, ok := array.GetSymbol(goja.SymIterator).(*goja.Object); ok {
		_ = array.DefineDataPropertySymbol(goja.SymIterator, r.proxy(iterator, r.checkLength),
			goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_FALSE)
	}
	r.wrap(r.global("Array"), r.checkFirstLength, "from")
	r.wrap(r.global("Reflect"), r.checkLastLength, "apply", "construct")
	r.install((guardJoin | guardFlat | guardApply | guardJSON | guardConcat | guardConstructors) &^ r.installed)
}

// installConstructors bounds the sizes of arrays and buffers.
func (r *Runtime) installConstructors() {
	for _, name := range []string{"Array", "ArrayBuffer", "Int8Array", "Uint8Array", "Uint8ClampedArray", "Int16Array",
		"Uint16Array", "Int32Array", "Uint32Array", "Float32Array", "Float64Array"} {
		limit := r.limits.StringLength
		if name == "Array" {
			limit = r.limits.ArrayLength
		}
		r.wrapConstructor(name, func(_ goja.Value, args []goja.Value, call func() goja.Value) goja.Value {
			size := argument(args, 0)
			n := length(size)
			if _, ok := size.(*goja.Object); !ok {
				n = number(size)
			}
			if len(args) == 1 && n > float64(limit) || len(args) > limit {
				r.refuse("%s would be longer than %d", name, limit)
			}
			return call()
		})
	}
}

// join is Array.prototype.join, bounded in what it makes, how deep it goes, and
// in time, because an array that contains another one many times takes
// exponentially long.
func (r *Runtime) join(this goja.Value, args []goja.Value, _ func() goja.Value) goja.Value {
	array := this.ToObject(r.vm)
	if slices.Contains(r.joining, array) {
		return r.vm.ToValue("")
	}
	if len(r.joining) >= deepestNesting {
		r.refuse("join would go deeper than %d", deepestNesting)
	}
	r.joining = append(r.joining, array)
	defer func() { r.joining = r.joining[:len(r.joining)-1] }()
	separator := r.text(r.vm.ToValue(","))
	if s := argument(args, 0); !goja.IsUndefined(s) {
		separator = r.text(s)
	}
	n := length(array)
	r.checkArrayLength(n, "join")
	var b goja.StringBuilder
	units := 0
	add := func(s goja.String) {
		units += s.Length()
		r.checkStringLength(float64(units), "join")
		b.WriteString(s)
	}
	for i := range int(n) {
		r.stopIfInterrupted()
		if i > 0 {
			add(separator)
		}
		if v := array.Get(strconv.Itoa(i)); v != nil && !goja.IsUndefined(v) && !goja.IsNull(v) {
			add(r.text(v))
		}
	}
	return b.String()
}

// text converts a value to a string as ECMAScript does, which may run the
// document's code.
func (r *Runtime) text(v goja.Value) goja.String {
	if s, ok := v.(goja.String); ok {
		return s
	}
	// The engine's ToString leaves a number as it is.
	v = v.ToString()
	if s, ok := v.(goja.String); ok {
		return s
	}
	s, _ := r.vm.ToValue(v.String()).(goja.String)
	return s
}

// stopIfInterrupted ends a long built-in function once a limit is exceeded.
func (r *Runtime) stopIfInterrupted() {
	if reason := r.watch.stopped(); reason != "" {
		r.refuse("%s", reason)
	}
}

func (r *Runtime) checkParse(_ goja.Value, args []goja.Value, call func() goja.Value) goja.Value {
	if json, ok := argument(args, 0).(goja.String); ok && deeperThan(json.String(), deepestBrackets) {
		r.refuse("JSON.parse would go deeper than %d", deepestBrackets)
	}
	return call()
}

func (r *Runtime) checkStringify(_ goja.Value, args []goja.Value, call func() goja.Value) goja.Value {
	r.measure(argument(args, 0), nil, new(int))
	return call()
}

// measure goes through what JSON.stringify will write, and refuses it if it is
// too deep or too long. It leaves cycles to JSON.stringify.
func (r *Runtime) measure(v goja.Value, within []*goja.Object, total *int) {
	*total++
	if s, ok := v.(goja.String); ok {
		*total += s.Length()
	}
	r.checkStringLength(float64(*total), "JSON.stringify")
	object, ok := v.(*goja.Object)
	if !ok || slices.Contains(within, object) {
		return
	}
	if len(within) >= deepestNesting {
		r.refuse("JSON.stringify would go deeper than %d", deepestNesting)
	}
	r.stopIfInterrupted()
	if object.ClassName() == "Array" {
		r.checkArrayLength(length(object), "JSON.stringify")
	}
	within = append(within, object)
	for _, key := range object.Keys() {
		*total += len(key)
		if v := object.Get(key); v != nil {
			r.measure(v, within, total)
		}
	}
}

// installEval makes eval and the Function constructor compile like a document's
// own expressions: in the scopes and under the guards.
func (r *Runtime) installEval() {
	eval := func(_ goja.Value, args []goja.Value, _ func() goja.Value) goja.Value {
		code, ok := argument(args, 0).(goja.String)
		if !ok {
			return argument(args, 0)
		}
		return r.evaluate(code.String(), false)
	}
	construct := func(_ goja.Value, args []goja.Value, _ func() goja.Value) goja.Value {
		var parameters []string
		body := ""
		for i, arg := range args {
			if code := arg.String(); i < len(args)-1 {
				parameters = append(parameters, code)
			} else {
				body = code
			}
		}
		return r.evaluate("(function anonymous("+strings.Join(parameters, ",")+"\n) {\n"+body+"\n})", true)
	}
	r.wrap(r.vm.GlobalObject(), eval, "eval")
	r.wrapConstructor("Function", construct)
	// The constructors of generators and asynchronous functions have no names.
	for _, src := range []string{"Object.getPrototypeOf(function*(){})", "Object.getPrototypeOf(async function(){})"} {
		if v, err := r.vm.RunString(src); err == nil {
			if prototype, ok := v.(*goja.Object); ok {
				r.replace(prototype, "constructor", goja.Undefined())
			}
		}
	}
}

// evalURI stands for texts that scripts make; errors are placed where the
// document uses them.
const evalURI = "eval"

// evaluate compiles and runs a text that a script made.
func (r *Runtime) evaluate(code string, function bool) goja.Value {
	src := r.language.source(code, Position{URI: evalURI, Line: 1}, nil)
	throw := func(err error) { panic(r.vm.NewSyntaxError(err.Error())) }
	if len(code) > longestExpression {
		r.refuse("the text to evaluate is longer than %d KiB", longestExpression>>10)
	}
	program, err := src.parse("", src.text, "")
	if err != nil {
		throw(err)
	}
	if function && !isFunction(program) {
		throw(src.errorf(nil, "SyntaxError: this is not the body of one function"))
	}
	if err := src.inspect(program); err != nil {
		throw(err)
	}
	r.install(src.guards &^ r.installed)
	if src.checksKeys && !r.keyChecked {
		r.installKeyCheck()
	}
	block := &ast.BlockStatement{LeftBrace: 1, List: program.Body, RightBrace: 1}
	compiled, err := r.language.compile(src, block, len(r.scopes)-1)
	if err != nil {
		throw(err)
	}
	v, err := r.vm.RunProgram(compiled)
	if err != nil {
		panic(err)
	}
	return v
}

// isFunction reports whether the program is one function expression.
func isFunction(program *ast.Program) bool {
	if len(program.Body) != 1 {
		return false
	}
	statement, ok := program.Body[0].(*ast.ExpressionStatement)
	if !ok {
		return false
	}
	_, ok = statement.Expression.(*ast.FunctionLiteral)
	return ok
}
