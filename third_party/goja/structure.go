package goja

import (
	"errors"
	"math"

	"github.com/dop251/goja/unistring"
)

// What an object is, to whoever writes objects down and makes them again. No code of
// scripts runs for that: neither getters nor the traps of a Proxy.

// Kind is what an object is beside its properties.
type Kind int

// The kinds of objects.
const (
	KindOther Kind = iota // none of these: generators, iterators, promises, weak collections …
	KindPlain
	KindArray
	KindDate
	KindRegExp
	KindMap
	KindSet
	KindBoxed // a string, number, boolean or symbol as an object
	KindError
	KindArrayBuffer
	KindTypedArray
	KindDataView
	KindFunction // of a script
	KindBuiltIn  // a function or an object that the engine has, or a function of the host
	KindProxy
	KindHost // an object of the host
)

// Structure is what an object is beside its properties.
type Structure struct {
	Kind  Kind
	Fixed bool // it takes no more properties

	// Usual tells whether the object has the prototype that objects of its kind have;
	// Prototype is that of others, nil for none.
	Usual     bool
	Prototype *Object

	Value          Value   // Boxed: what is in the box
	Time           float64 // Date: milliseconds since 1970, or NaN
	Source         Value   // RegExp: its pattern
	Flags          string  // RegExp: its flags
	Bytes          []byte  // ArrayBuffer: what is in it, not copied; nil for one that is detached
	Buffer         *Object // TypedArray and DataView: what they are a view of
	Offset, Length int     // TypedArray and DataView; Array: its length
	Fixedlength    bool    // Array: its length is not writable
	Name           string  // TypedArray: its constructor; Error: the constructor that has its usual prototype
	Host           any     // Host: what it is to the host
	Text           string  // Function: its source
	Scope          *Object // Function: the object of the with statement around it; nil if it has captured variables
}

// Property is a property that an object itself has.
type Property struct {
	Key                                Value // a String or a *Symbol
	Value                              Value // nil of one that has a getter or setter
	Writable, Enumerable, Configurable bool
}

// extensibleObject has a baseObject.
type extensibleObject interface{ base() *baseObject }

func (o *baseObject) base() *baseObject { return o }

// Structure tells what the object is.
func (o *Object) Structure() (s Structure) {
	r := o.runtime
	var usual *Object
	switch self := o.self.(type) {
	case *proxyObject:
		return Structure{Kind: KindProxy}
	case *dynamicObject:
		return Structure{Kind: KindHost, Host: self.d}
	case *dynamicArray:
		return Structure{Kind: KindHost, Host: self.a}
	case *objectGoReflect, *objectGoMapSimple, *objectGoMapReflect, *objectGoSlice, *objectGoArrayReflect, *objectGoSliceReflect:
		return Structure{Kind: KindHost, Host: o.Export()}
	case *baseObject:
		s.Kind, usual = KindPlain, r.global.ObjectPrototype
		if self.class != classObject || r.hasBuiltIn(o) {
			s.Kind = KindBuiltIn
		}
	case *arrayObject:
		s.Kind, usual, s.Length, s.Fixedlength = KindArray, r.getArrayPrototype(), int(self.length), !self.lengthProp.writable
	case *sparseArrayObject:
		s.Kind, usual, s.Length, s.Fixedlength = KindArray, r.getArrayPrototype(), int(self.length), !self.lengthProp.writable
	case *dateObject:
		s.Kind, usual, s.Time = KindDate, r.getDatePrototype(), math.NaN()
		if self.isSet() {
			s.Time = float64(self.msec)
		}
	case *regexpObject:
		s.Kind, usual, s.Source, s.Flags = KindRegExp, r.getRegExpPrototype(), self.source, self.pattern.flags()
	case *mapObject:
		s.Kind, usual = KindMap, r.getMapPrototype()
	case *setObject:
		s.Kind, usual = KindSet, r.getSetPrototype()
	case *stringObject:
		s.Kind, usual, s.Value = KindBoxed, r.getStringPrototype(), self.value
	case *primitiveValueObject:
		s.Kind, s.Value = KindBoxed, self.pValue
		usual = r.ToValue(self.pValue).ToObject(r).self.proto()
	case *errorObject:
		s.Kind = KindError
		s.Name, usual = r.errorName(self.prototype)
	case *arrayBufferObject:
		s.Kind, usual, s.Bytes = KindArrayBuffer, r.getArrayBufferPrototype(), self.data
	case *typedArrayObject:
		s.Kind, s.Buffer, s.Offset, s.Length = KindTypedArray, self.viewedArrayBuf.val, self.offset*self.elemSize, self.length
		usual, _ = self.defaultCtor.GetOwn("prototype").(*Object)
		s.Name = valueText(self.defaultCtor.GetOwn("name"))
	case *dataViewObject:
		s.Kind, s.Buffer, s.Offset, s.Length = KindDataView, self.viewedArrayBuf.val, self.byteOffset, self.byteLen
		usual = r.getDataViewPrototype()
	default:
		return o.functionStructure()
	}
	base := o.self.(extensibleObject).base()
	s.Fixed, s.Usual = !base.extensible, base.prototype == usual
	if !s.Usual {
		s.Prototype = base.prototype
	}
	return s
}

// hasBuiltIn tells whether a plain object is one that the engine has: the prototype of
// what a function of it makes, or one with functions of it.
func (r *Runtime) hasBuiltIn(o *Object) bool {
	if o == r.global.JSON || o == r.global.Math || o == r.global.Reflect {
		return true
	}
	constructor, ok := o.GetOwn("constructor").(*Object)
	if !ok {
		return false
	}
	switch constructor.self.(type) {
	case *nativeFuncObject, *templatedFuncObject:
		return constructor.GetOwn("prototype") == Value(o)
	}
	return false
}

func valueText(v Value) string {
	if v == nil {
		return ""
	}
	return v.String()
}

// functionStructure is Structure for what is not known by its type alone.
func (o *Object) functionStructure() (s Structure) {
	if f, ok := o.self.(interface{ scripted() *baseJsFuncObject }); ok {
		return Structure{Kind: KindFunction, Text: f.scripted().src, Scope: f.scripted().scope(), Fixed: !f.scripted().extensible, Usual: true}
	}
	switch o.self.(type) {
	case *nativeFuncObject, *templatedFuncObject, *templatedObject, *templatedArrayObject, *guardedObject:
		return Structure{Kind: KindBuiltIn}
	}
	return Structure{Kind: KindOther}
}

func (f *baseJsFuncObject) scripted() *baseJsFuncObject { return f }

// scope gives the object of the with statement around a function, if it sees no other
// variables from outside of it.
func (f *baseJsFuncObject) scope() *Object {
	if f.privEnv != nil {
		return nil
	}
	for s := f.stash; s != nil; s = s.outer { // bounded: how deep functions stand in each other
		if s.obj != nil {
			return s.obj
		}
		if len(s.extraArgs) > 0 {
			return nil
		}
		for _, v := range s.values { // bounded: the variables of one function
			if v != nil && v != Value(f.val) {
				return nil
			}
		}
	}
	return nil
}

func (p *regexpPattern) flags() (flags string) {
	for _, flag := range []struct { // bounded: six
		set  bool
		name string
	}{{p.global, "g"}, {p.ignoreCase, "i"}, {p.multiline, "m"}, {p.dotAll, "s"}, {p.unicode, "u"}, {p.sticky, "y"}} {
		if flag.set {
			flags += flag.name
		}
	}
	return flags
}

// errorPrototypes are the constructors of errors, as far as a script has used them.
func (r *Runtime) errorConstructors() []*Object {
	g := &r.global
	return []*Object{g.Error, g.TypeError, g.RangeError, g.SyntaxError, g.ReferenceError, g.EvalError, g.URIError, g.AggregateError}
}

var errorNames = []string{"Error", "TypeError", "RangeError", "SyntaxError", "ReferenceError", "EvalError", "URIError", "AggregateError"}

// errorName gives the constructor of which a prototype is, with the prototype.
func (r *Runtime) errorName(prototype *Object) (name string, usual *Object) {
	for i, constructor := range r.errorConstructors() { // bounded: eight
		if constructor != nil && prototype != nil && constructor.GetOwn("prototype") == Value(prototype) {
			return errorNames[i], prototype
		}
	}
	return errorNames[0], r.getErrorPrototype()
}

// Elements calls visit for each element that an array has, in their order, until it
// returns false.
func (o *Object) Elements(visit func(index int, p Property) bool) {
	switch array := o.self.(type) {
	case *arrayObject:
		for i, v := range array.values { // bounded: the elements of one array
			if v != nil && !visit(i, property(nil, v)) {
				return
			}
		}
	case *sparseArrayObject:
		for _, item := range array.items { // bounded: the elements of one array
			if !visit(int(item.idx), property(nil, item.value)) {
				return
			}
		}
	}
}

// Properties calls visit for each property that the object itself has, until it
// returns false. Those that belong to its structure are not among them: the length of
// an array and its elements (Elements), the units of a string, the elements of a typed
// array, and what functions have from the beginning.
func (o *Object) Properties(visit func(Property) bool) {
	holder, ok := o.self.(extensibleObject)
	if !ok {
		return
	}
	base := holder.base()
	base.ensurePropOrder()
	for _, name := range base.propNames { // bounded: the properties of one object
		v := base.values[name]
		if v == nil || o.structural(name) {
			continue
		}
		if !visit(property(stringValueFromRaw(name), v)) {
			return
		}
	}
	if base.symValues == nil {
		return
	}
	for entry := base.symValues.iterFirst; entry != nil; entry = entry.iterNext { // bounded: the properties of one object
		if !visit(property(entry.key, entry.value)) {
			return
		}
	}
}

// structural tells whether a property is there with the object.
func (o *Object) structural(name unistring.String) bool {
	switch o.self.(type) {
	case *arrayObject, *sparseArrayObject, *stringObject:
		return name == "length"
	case *errorObject:
		return name == propNameStack
	}
	if _, ok := o.self.(interface{ scripted() *baseJsFuncObject }); ok {
		return name == "length" || name == "name" || name == "prototype"
	}
	return false
}

func property(key, v Value) Property {
	if p, ok := v.(*valueProperty); ok {
		made := Property{Key: key, Value: p.value, Writable: p.writable, Enumerable: p.enumerable, Configurable: p.configurable}
		if p.accessor {
			made.Value = nil
		} else if p.value == nil {
			made.Value = _undefined
		}
		return made
	}
	return Property{Key: key, Value: v, Writable: true, Enumerable: true, Configurable: true}
}

// Entries calls visit for each entry of a Map, and for each value of a Set with that as
// the key, until it returns false.
func (o *Object) Entries(visit func(key, value Value) bool) {
	var m *orderedMap
	switch self := o.self.(type) {
	case *mapObject:
		m = self.m
	case *setObject:
		m = self.m
	default:
		return
	}
	for entry := m.iterFirst; entry != nil; entry = entry.iterNext { // bounded: the entries of one Map
		if !visit(entry.key, entry.value) {
			return
		}
	}
}

// AddEntry adds an entry to a Map or Set.
func (o *Object) AddEntry(key, value Value) {
	switch self := o.self.(type) {
	case *mapObject:
		o.runtime.alloc(sizeOfEntry)
		self.m.set(key, value)
	case *setObject:
		o.runtime.alloc(sizeOfEntry)
		self.m.set(key, nil)
	}
}

// DefineProperty gives the object a property, whatever it was before.
func (o *Object) DefineProperty(p Property) error {
	flags := []Flag{ToFlag(p.Writable), ToFlag(p.Configurable), ToFlag(p.Enumerable)}
	if symbol, ok := p.Key.(*Symbol); ok {
		return o.DefineDataPropertySymbol(symbol, p.Value, flags[0], flags[1], flags[2])
	}
	return o.runtime.try(func() {
		o.runtime.alloc(sizeOfProperty)
		o.defineOwnProperty(p.Key, PropertyDescriptor{Value: p.Value, Writable: flags[0], Configurable: flags[1], Enumerable: flags[2]}, true)
	})
}

// SetElement gives an array an element.
func (o *Object) SetElement(index int, p Property) error {
	return o.runtime.try(func() {
		o.runtime.alloc(sizeOfValue)
		o.self.defineOwnPropertyIdx(valueInt(index), PropertyDescriptor{
			Value: p.Value, Writable: ToFlag(p.Writable), Configurable: ToFlag(p.Configurable), Enumerable: ToFlag(p.Enumerable),
		}, true)
	})
}

// PreventExtensions is what Structure.Fixed tells.
func (o *Object) PreventExtensions() {
	if holder, ok := o.self.(extensibleObject); ok {
		holder.base().extensible = false
	}
}

var errNoSuchObject = errors.New("there are no such objects")

// Make makes an object of a structure, without properties. An object with a Prototype
// has that, one that is not Usual and has no Prototype has none.
func (r *Runtime) Make(s Structure) (o *Object, err error) {
	err = r.try(func() { o, err = r.make(s) })
	if err != nil {
		return nil, err
	}
	if o == nil {
		return nil, errNoSuchObject
	}
	if !s.Usual {
		err = o.SetPrototype(s.Prototype)
	}
	return o, err
}

func (r *Runtime) make(s Structure) (o *Object, err error) {
	r.alloc(sizeOfObject)
	switch s.Kind {
	case KindPlain:
		return r.NewObject(), nil
	case KindArray:
		if s.Length < 0 || int64(s.Length) > math.MaxUint32 {
			return nil, errNoSuchObject
		}
		a := r.newArrayObject()
		a.setLengthInt(uint32(s.Length), true)
		if s.Fixedlength {
			a.lengthProp.writable = false
		}
		return a.val, nil
	case KindDate:
		d := r.newDateObject(timeFromMsec(0), true, r.getDatePrototype())
		if math.IsNaN(s.Time) || math.Abs(s.Time) > maxTime {
			d.self.(*dateObject).unset()
		} else {
			d.self.(*dateObject).msec = int64(s.Time)
		}
		return d, nil
	case KindRegExp:
		pattern, ok := s.Source.(String)
		if !ok {
			return nil, errNoSuchObject
		}
		return r._newRegExp(pattern, s.Flags, r.getRegExpPrototype()).val, nil
	case KindMap:
		return r.builtin_newMap(nil, r.getMap()), nil
	case KindSet:
		return r.newSetObject().val, nil
	case KindBoxed:
		if _, ok := s.Value.(*Object); ok || s.Value == nil || IsUndefined(s.Value) || IsNull(s.Value) {
			return nil, errNoSuchObject
		}
		return s.Value.ToObject(r), nil
	case KindError:
		return r.makeError(s.Name)
	case KindArrayBuffer:
		r.alloc(int64(len(s.Bytes)))
		b := r._newArrayBuffer(r.getArrayBufferPrototype(), nil)
		b.data, b.detached = s.Bytes, s.Bytes == nil
		return b.val, nil
	case KindTypedArray, KindDataView:
		return r.makeView(s)
	}
	return nil, errNoSuchObject
}

// makeError makes an error with the prototype of a constructor.
func (r *Runtime) makeError(name string) (*Object, error) {
	for _, known := range errorNames { // bounded: eight
		if known != name {
			continue
		}
		constructor, ok := r.builtIn(name).(*Object)
		if !ok {
			return nil, errNoSuchObject
		}
		prototype, ok := constructor.GetOwn("prototype").(*Object)
		if !ok {
			return nil, errNoSuchObject
		}
		return r.newErrorObject(prototype, classError).val, nil
	}
	return nil, errNoSuchObject
}

// builtIn gives what the engine has under a global name, whatever scripts have put in its
// place meanwhile; nil for nothing.
func (r *Runtime) builtIn(name string) Value {
	if f := getGlobalObjectTemplate().props[unistring.NewFromString(name)]; f != nil {
		return property(nil, f(r)).Value
	}
	return nil
}

// makeView makes a view of an ArrayBuffer.
func (r *Runtime) makeView(s Structure) (*Object, error) {
	if s.Buffer == nil {
		return nil, errNoSuchObject
	}
	buffer, ok := s.Buffer.self.(*arrayBufferObject)
	if !ok || s.Offset < 0 || s.Length < 0 {
		return nil, errNoSuchObject
	}
	args := []Value{s.Buffer, intToValue(int64(s.Offset)), intToValue(int64(s.Length))}
	name := s.Name
	if s.Kind == KindDataView {
		name = "DataView"
	}
	constructor, ok := r.builtIn(name).(*Object)
	if !ok || buffer.detached {
		return nil, errNoSuchObject
	}
	construct := constructor.self.assertConstructor()
	if construct == nil {
		return nil, errNoSuchObject
	}
	made := construct(args, constructor)
	switch made.self.(type) {
	case *typedArrayObject, *dataViewObject:
		return made, nil
	}
	return nil, errNoSuchObject
}

// SymbolKey gives the key under which Symbol.for has a symbol; undefined for none.
func (r *Runtime) SymbolKey(s *Symbol) Value {
	return r.symbol_keyfor(FunctionCall{Arguments: []Value{s}})
}

// SymbolFor is Symbol.for.
func (r *Runtime) SymbolFor(key Value) Value {
	return r.symbol_for(FunctionCall{Arguments: []Value{key}})
}
