package goja

import (
	"strings"
	"time"

	"github.com/dop251/goja/unistring"
)

// ECMA-262 Annex B and the properties of RegExp that browsers have had since
// JavaScript 1.2: documents written for ECMAScript 3 use both.

// htmlMethods are the methods of String.prototype of B.2.2, with the element and
// the attribute that each writes.
var htmlMethods = [...]struct{ name, tag, attribute string }{
	{"anchor", "a", "name"}, {"big", "big", ""}, {"blink", "blink", ""}, {"bold", "b", ""}, {"fixed", "tt", ""},
	{"fontcolor", "font", "color"}, {"fontsize", "font", "size"}, {"italics", "i", ""}, {"link", "a", "href"},
	{"small", "small", ""}, {"strike", "strike", ""}, {"sub", "sub", ""}, {"sup", "sup", ""},
}

func putHTMLMethods(t *objectTemplate) {
	for _, m := range htmlMethods { // bounded: the table
		arguments := 0
		if m.attribute != "" {
			arguments = 1
		}
		t.putStr(unistring.String(m.name), func(r *Runtime) Value {
			return r.methodProp(func(call FunctionCall) Value {
				return r.createHTML(call, m.tag, m.attribute)
			}, unistring.String(m.name), arguments)
		})
	}
}

// createHTML is CreateHTML of B.2.2.2.1.
func (r *Runtime) createHTML(call FunctionCall, tag, attribute string) Value {
	r.checkObjectCoercible(call.This)
	s := call.This.toString()
	var sb StringBuilder
	sb.WriteUTF8String("<" + tag)
	if attribute != "" {
		sb.WriteUTF8String(" " + attribute + `="`)
		sb.WriteUTF8String(strings.ReplaceAll(call.Argument(0).toString().String(), `"`, "&quot;"))
		sb.WriteUTF8String(`"`)
	}
	sb.WriteUTF8String(">")
	sb.WriteString(s)
	sb.WriteUTF8String("</" + tag + ">")
	return sb.String()
}

// dateproto_getYear is B.2.3.1.
func (r *Runtime) dateproto_getYear(call FunctionCall) Value {
	if d, ok := r.toObject(call.This).self.(*dateObject); ok {
		if d.isSet() {
			return intToValue(int64(d.time().Year()) - 1900)
		}
		return _NaN
	}
	panic(r.NewTypeError("Method Date.prototype.getYear is called on incompatible receiver"))
}

// dateproto_setYear is B.2.3.2.
func (r *Runtime) dateproto_setYear(call FunctionCall) Value {
	d, ok := r.toObject(call.This).self.(*dateObject)
	if !ok {
		panic(r.NewTypeError("Method Date.prototype.setYear is called on incompatible receiver"))
	}
	year := call.Argument(0).ToNumber()
	if year.ToFloat() != year.ToFloat() {
		d.unset()
		return _NaN
	}
	if y := year.ToInteger(); 0 <= y && y <= 99 {
		year = intToValue(1900 + y)
	}
	t := time.Date(1970, time.January, 1, 0, 0, 0, 0, time.Local)
	if d.isSet() {
		t = d.time()
	}
	t, ok = _dateSetFullYear(t, FunctionCall{Arguments: []Value{year}}, 0, false)
	if !ok {
		d.unset()
		return _NaN
	}
	return d.setTimeMs(timeToMsec(t))
}

// putAccessorMethods adds the methods of Object.prototype of B.2.2.2 to B.2.2.5
// (of later editions).
func putAccessorMethods(t *objectTemplate) {
	t.putStr("__defineGetter__", func(r *Runtime) Value { return r.methodProp(r.objectproto_defineGetter, "__defineGetter__", 2) })
	t.putStr("__defineSetter__", func(r *Runtime) Value { return r.methodProp(r.objectproto_defineSetter, "__defineSetter__", 2) })
	t.putStr("__lookupGetter__", func(r *Runtime) Value { return r.methodProp(r.objectproto_lookupGetter, "__lookupGetter__", 1) })
	t.putStr("__lookupSetter__", func(r *Runtime) Value { return r.methodProp(r.objectproto_lookupSetter, "__lookupSetter__", 1) })
}

func (r *Runtime) accessorArgument(call FunctionCall) *Object {
	f, ok := call.Argument(1).(*Object)
	if ok {
		_, ok = f.self.assertCallable()
	}
	if !ok {
		panic(r.NewTypeError("Expecting function"))
	}
	return f
}

func (r *Runtime) objectproto_defineGetter(call FunctionCall) Value {
	o := call.This.ToObject(r)
	getter := r.accessorArgument(call)
	o.defineOwnProperty(toPropertyKey(call.Argument(0)), PropertyDescriptor{
		Getter: getter, Enumerable: FLAG_TRUE, Configurable: FLAG_TRUE,
	}, true)
	return _undefined
}

func (r *Runtime) objectproto_defineSetter(call FunctionCall) Value {
	o := call.This.ToObject(r)
	setter := r.accessorArgument(call)
	o.defineOwnProperty(toPropertyKey(call.Argument(0)), PropertyDescriptor{
		Setter: setter, Enumerable: FLAG_TRUE, Configurable: FLAG_TRUE,
	}, true)
	return _undefined
}

// accessor finds the property in the object or its prototypes, and returns it if
// it is an accessor.
func (r *Runtime) accessor(call FunctionCall) *valueProperty {
	o := call.This.ToObject(r)
	key := toPropertyKey(call.Argument(0))
	for ; o != nil; o = o.self.proto() {
		r.step(1)
		if v := o.getOwnProp(key); v != nil {
			p, _ := v.(*valueProperty)
			if p != nil && p.accessor {
				return p
			}
			return nil
		}
	}
	return nil
}

func (r *Runtime) objectproto_lookupGetter(call FunctionCall) Value {
	if p := r.accessor(call); p != nil && p.getterFunc != nil {
		return p.getterFunc
	}
	return _undefined
}

func (r *Runtime) objectproto_lookupSetter(call FunctionCall) Value {
	if p := r.accessor(call); p != nil && p.setterFunc != nil {
		return p.setterFunc
	}
	return _undefined
}

// lastMatch is what RegExp.$1, RegExp.lastMatch and their like tell of.
type lastMatch struct {
	input   String // of the last match
	indexes []int
	set     String // RegExp.input, if a script has set it since
}

// last gives the last match, which is empty if there was none.
func (r *Runtime) last() *lastMatch {
	if r.lastMatch == nil {
		r.lastMatch = &lastMatch{}
	}
	return r.lastMatch
}

// matched notes the last match of a regular expression.
func (r *Runtime) matched(s String, result *regexpResult) {
	*r.last() = lastMatch{input: s, indexes: result.indexes}
}

// matchedLast notes the last of several matches.
func (r *Runtime) matchedLast(s String, results []regexpResult) {
	if n := len(results); n > 0 {
		r.matched(s, &results[n-1])
	}
}

// regexpConstructor is RegExp. Its static properties are made when they are
// asked for: as accessors they would cost each runtime 40 functions.
type regexpConstructor struct {
	nativeFuncObject
}

// static returns the value of a static property, or nil for other names.
func (o *regexpConstructor) static(name unistring.String) Value {
	m := o.val.runtime.last()
	group := func(i int) Value {
		if i >= 0 && 2*i+1 < len(m.indexes) && m.indexes[2*i] >= 0 {
			return m.input.Substring(m.indexes[2*i], m.indexes[2*i+1])
		}
		return stringEmpty
	}
	switch name {
	case "$1", "$2", "$3", "$4", "$5", "$6", "$7", "$8", "$9":
		return group(int(name[1] - '0'))
	case "lastMatch", "$&":
		return group(0)
	case "lastParen", "$+":
		if n := len(m.indexes)/2 - 1; n > 0 {
			return group(n)
		}
		return stringEmpty
	case "leftContext", "$`":
		if len(m.indexes) > 0 {
			return m.input.Substring(0, m.indexes[0])
		}
		return stringEmpty
	case "rightContext", "$'":
		if len(m.indexes) > 0 {
			return m.input.Substring(m.indexes[1], m.input.Length())
		}
		return stringEmpty
	case "input", "$_":
		if m.set != nil {
			return m.set
		}
		if m.input != nil {
			return m.input
		}
		return stringEmpty
	}
	return nil
}

func (o *regexpConstructor) getStr(name unistring.String, receiver Value) Value {
	if v := o.static(name); v != nil {
		return v
	}
	return o.nativeFuncObject.getStr(name, receiver)
}

func (o *regexpConstructor) getOwnPropStr(name unistring.String) Value {
	if v := o.static(name); v != nil {
		return v
	}
	return o.nativeFuncObject.getOwnPropStr(name)
}

func (o *regexpConstructor) hasOwnPropertyStr(name unistring.String) bool {
	return o.static(name) != nil || o.nativeFuncObject.hasOwnPropertyStr(name)
}

func (o *regexpConstructor) defineOwnPropertyStr(name unistring.String, desc PropertyDescriptor, throw bool) bool {
	if o.static(name) != nil { // the next match changes it
		o.val.runtime.typeErrorResult(throw, "Cannot redefine property: %s", name.String())
		return false
	}
	return o.nativeFuncObject.defineOwnPropertyStr(name, desc, throw)
}

func (o *regexpConstructor) setOwnStr(name unistring.String, value Value, throw bool) bool {
	if o.static(name) == nil {
		return o.nativeFuncObject.setOwnStr(name, value, throw)
	}
	if name == "input" || name == "$_" {
		o.val.runtime.last().set = value.toString()
	}
	return true
}

// NewSyntaxError returns a SyntaxError, for functions of Go that read text.
func (r *Runtime) NewSyntaxError(message string) *Object {
	return r.newSyntaxError(message).(*Object)
}
