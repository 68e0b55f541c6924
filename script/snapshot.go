package script

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/dop251/goja"
)

// Variables are the variables of a runtime as data, which encodes as JSON. Objects that
// are reached in several ways, or lead to themselves, are one object again when they are
// restored.
//
// It is an array of the objects: the global one, the scopes, outermost first, and then
// what their variables lead to, each in the order in which it was come upon. Values name
// objects by their places: they are null, booleans, numbers and strings as in JSON, and
// arrays for what JSON has nothing for: [3] is the object at place 3, [] is undefined,
// ["NaN"] is not a number.
type Variables json.RawMessage

// MarshalJSON gives the variables as they are.
func (v Variables) MarshalJSON() ([]byte, error) { return json.RawMessage(v).MarshalJSON() }

// UnmarshalJSON keeps a copy.
func (v *Variables) UnmarshalJSON(text []byte) error {
	return (*json.RawMessage)(v).UnmarshalJSON(text)
}

// Lost is a value that is not carried over: undefined stands in its place.
type Lost struct {
	Path string // from the name of its scope on, as it would be written in the document
	Why  string
}

func (l Lost) String() string { return l.Path + ": " + l.Why }

// Hosted writes the host's objects down, those of Go that scripts see, and makes them
// again.
type Hosted interface {
	// Write gives an object as JSON, with values of scripts that it holds; or why it
	// cannot be carried over.
	Write(object any) (text []byte, held []Held, why string)
	// Read makes an object again. hold gives it a value that it held; it may be nil.
	Read(text []byte) (object *goja.Object, hold func(Held), err error)
}

// Held is a value that an object of the host holds.
type Held struct {
	Name  string
	Value goja.Value
}

// Carried says what of a runtime is carried over, and how.
type Carried struct {
	Scopes  []string  // whose variables are
	Scripts []*Script // that the document runs when it is loaded: they make their functions again
	Hosted  Hosted    // nil: no objects of the host
	Most    int       // bytes of Variables; 1 MiB by default
}

const mostCarried = 1 << 20

// Snapshot writes the variables down, without running code of the document. The error
// says that they are too large. What lost names is not in them. It is for the goroutine
// that uses the runtime, while nothing is evaluated.
func (r *Runtime) Snapshot(c Carried) (v Variables, lost []Lost, err error) {
	w := &writer{runtime: r, Carried: c, places: make(map[any]int, 32), out: make([]byte, 0, 1024)}
	if w.Most <= 0 {
		w.Most = mostCarried
	}
	defer func() { // a mistake in the engine
		if x := recover(); x != nil {
			v, lost, err = nil, nil, fmt.Errorf("the variables cannot be written down: %v", x)
		}
	}()
	w.place(r.vm.GlobalObject(), -1, "")
	for i, scope := range r.scopes {
		w.place(scope, -1, r.language.scopes[i].name)
	}
	w.out = append(w.out, '[')
	for i := 0; i < len(w.found); i++ {
		if i > 0 {
			w.out = append(w.out, ',')
		}
		w.object(i)
		if len(w.out) > w.Most {
			return nil, nil, fmt.Errorf("the variables take more than %d KiB when they are written down", w.Most>>10)
		}
	}
	w.out = append(w.out, ']')
	return Variables(w.out), w.lost, nil
}

// writer writes the variables of a runtime.
type writer struct {
	Carried
	runtime *Runtime
	places  map[any]int // of *goja.Object and *goja.Symbol
	found   []found
	out     []byte
	lost    []Lost
	paths   map[*goja.Object]string
}

// found is an object or a symbol, and how it was come upon first.
type found struct {
	object *goja.Object
	symbol *goja.Symbol
	from   int    // the place of what led to it; -1 for the scopes
	key    string // "" if it was no property
}

// place gives the place of an object.
func (w *writer) place(o *goja.Object, from int, key string) int {
	if at, ok := w.places[o]; ok {
		return at
	}
	at := len(w.found)
	w.places[o] = at
	w.found = append(w.found, found{object: o, from: from, key: key})
	return at
}

func (w *writer) symbolPlace(s *goja.Symbol, from int) int {
	if at, ok := w.places[s]; ok {
		return at
	}
	at := len(w.found)
	w.places[s] = at
	w.found = append(w.found, found{symbol: s, from: from})
	return at
}

// full tells whether there is too much already, for what has many parts.
func (w *writer) full() bool { return len(w.out) > w.Most }

// lose notes what is not carried over. Notes are bounded as well.
func (w *writer) lose(path, why string) {
	if len(w.lost) < mostLost {
		w.lost = append(w.lost, Lost{path, why})
	}
}

const mostLost = 100

// keys gives the properties that lead to an object from a scope, that first; nil if other
// things than properties do.
func (w *writer) keys(at int) (keys []string) {
	for ; at >= 0; at = w.found[at].from {
		if w.found[at].key == "" && w.found[at].from >= 0 || len(keys) > deepestPath {
			return nil
		}
		keys = append(keys, w.found[at].key)
	}
	slices.Reverse(keys)
	return keys
}

const deepestPath = 100

// path is how an object is reached, in words of the document.
func (w *writer) path(at int) string {
	var b strings.Builder
	for i, key := range w.keys(at) {
		switch {
		case i == 0:
			b.WriteString(key)
		case IsIdentifier(key):
			if b.Len() > 0 {
				b.WriteByte('.')
			}
			b.WriteString(key)
		case isIndex(key):
			b.WriteString("[" + key + "]")
		default:
			fmt.Fprintf(&b, "[%.40q]", key)
		}
	}
	if b.Len() == 0 {
		return "a value within others"
	}
	return b.String()
}

func isIndex(key string) bool { return strings.Trim(key, "0123456789") == "" }

// object writes what stands at a place.
func (w *writer) object(at int) {
	if at <= len(w.runtime.scopes) {
		w.scope(at)
		return
	}
	f := &w.found[at]
	if f.symbol != nil {
		w.symbol(at, f.symbol)
		return
	}
	s := f.object.Structure()
	if why := w.structure(at, f.object, &s); why != "" {
		w.lose(w.path(at), why)
		w.out = append(w.out, '0')
	}
}

// scope writes the variables of a scope, or those that are global. What is not carried
// over is 0.
func (w *writer) scope(at int) {
	o := w.found[at].object
	if at > 0 && !slices.Contains(w.Scopes, w.runtime.language.scopes[at-1].name) {
		w.out = append(w.out, '0')
		return
	}
	w.out = append(w.out, '{')
	w.properties(at, o, func(name string) bool { return at > 0 || !w.runtime.isOurs(name) })
	w.out = append(w.out, '}')
}

// isOurs tells whether a global name is one that every runtime has.
func (r *Runtime) isOurs(name string) bool {
	return name == "globalThis" || slices.ContainsFunc(r.language.scopes, func(s scopeRule) bool { return name == s.name || name == s.hidden })
}

// structure writes an object; or it says why it cannot.
func (w *writer) structure(at int, o *goja.Object, s *goja.Structure) (why string) {
	begin := len(w.out)
	w.out = append(w.out, '{')
	switch s.Kind {
	case goja.KindPlain:
		if f := constructorOf(o); f != nil {
			w.member("q")
			w.value(f, at, "constructor")
			w.out = append(w.out, '}')
			return ""
		}
	case goja.KindFunction:
		why = w.function(at, s)
	case goja.KindBuiltIn:
		why = w.builtIn(o)
	case goja.KindHost:
		return w.host(at, s, begin)
	case goja.KindProxy:
		why = "a Proxy"
	case goja.KindOther:
		why = "an object of the kind " + o.ClassName()
	default:
		why = w.inner(at, o, s)
	}
	if why != "" {
		w.out = w.out[:begin]
		return why
	}
	if s.Kind != goja.KindBuiltIn {
		w.rest(at, o, s)
	}
	w.out = append(w.out, '}')
	return ""
}

// rest writes what objects of all kinds have.
func (w *writer) rest(at int, o *goja.Object, s *goja.Structure) {
	if !s.Usual {
		w.member("n")
		if s.Prototype == nil {
			w.out = append(w.out, "null"...)
		} else {
			w.value(s.Prototype, at, "__proto__")
		}
	}
	if s.Fixed {
		w.member("x")
		w.out = append(w.out, '1')
	}
	w.properties(at, o, nil)
}

// member begins a member of an object of JSON.
func (w *writer) member(name string) {
	if w.out[len(w.out)-1] != '{' {
		w.out = append(w.out, ',')
	}
	w.out = append(w.out, '"')
	w.out = append(w.out, name...)
	w.out = append(w.out, '"', ':')
}

// constructorOf gives the function whose property prototype an object is, nil for none.
func constructorOf(o *goja.Object) *goja.Object {
	f, ok := o.GetOwn("constructor").(*goja.Object)
	if !ok || f.Structure().Kind != goja.KindFunction || f.GetOwn("prototype") != goja.Value(o) {
		return nil
	}
	return f
}

// inner writes what objects of a kind have beside properties.
func (w *writer) inner(at int, o *goja.Object, s *goja.Structure) (why string) {
	w.member("k")
	kind := func(k string) {
		w.out = append(w.out, '"')
		w.out = append(w.out, k...)
		w.out = append(w.out, '"')
	}
	switch s.Kind {
	case goja.KindArray:
		kind("array")
		w.elements(at, o, s)
	case goja.KindDate:
		kind("date")
		w.member("v")
		w.number(s.Time)
	case goja.KindRegExp:
		kind("regexp")
		w.member("v")
		w.value(s.Source, at, "")
		w.member("f")
		w.text(s.Flags)
	case goja.KindMap, goja.KindSet:
		w.entries(at, o, s, kind)
	case goja.KindBoxed:
		kind("boxed")
		w.member("v")
		w.value(s.Value, at, "")
	case goja.KindError:
		kind("error")
		w.member("v")
		w.text(s.Name)
	case goja.KindArrayBuffer:
		if s.Bytes == nil {
			return "an ArrayBuffer that is detached"
		}
		if len(s.Bytes) > w.Most { // base64 of it would be, too
			w.Most = -1
			return ""
		}
		kind("buffer")
		w.member("v")
		text, _ := json.Marshal(s.Bytes)
		w.out = append(w.out, text...)
	case goja.KindTypedArray, goja.KindDataView:
		kind("view")
		w.member("v")
		w.text(s.Name)
		w.member("b")
		w.value(s.Buffer, at, "buffer")
		w.member("r")
		w.out = fmt.Appendf(w.out, "[%d,%d]", s.Offset, s.Length)
	default:
		return "an object of the kind " + o.ClassName()
	}
	return ""
}

// elements writes the elements of an array. ["h",2] stands for two that are not there.
func (w *writer) elements(at int, o *goja.Object, s *goja.Structure) {
	if s.Fixedlength {
		w.member("z")
		w.out = append(w.out, '1')
	}
	w.member("e")
	w.out = append(w.out, '[')
	next := 0
	separate := func() {
		if w.out[len(w.out)-1] != '[' {
			w.out = append(w.out, ',')
		}
	}
	holes := func(until int) {
		if until > next {
			separate()
			w.out = fmt.Appendf(w.out, `["h",%d]`, until-next)
		}
	}
	o.Elements(func(i int, p goja.Property) bool {
		if p.Value == nil {
			w.lose(w.path(at)+"["+strconv.Itoa(i)+"]", accessor)
			return true
		}
		holes(i)
		separate()
		next = i + 1
		if flags := flagsOf(p); flags != usualFlags {
			w.out = append(w.out, `["f",`...)
			w.out = strconv.AppendInt(w.out, int64(flags), 10)
			w.out = append(w.out, ',')
			w.value(p.Value, at, strconv.Itoa(i))
			w.out = append(w.out, ']')
		} else {
			w.element(p.Value, at, i)
		}
		return !w.full()
	})
	holes(s.Length)
	w.out = append(w.out, ']')
}

// element writes an element; its key is made for objects only.
func (w *writer) element(v goja.Value, at, i int) {
	key := ""
	if _, ok := v.(*goja.Object); ok {
		key = strconv.Itoa(i)
	}
	w.value(v, at, key)
}

const accessor = "it has a getter or a setter"

func (w *writer) entries(at int, o *goja.Object, s *goja.Structure, kind func(string)) {
	if s.Kind == goja.KindMap {
		kind("map")
	} else {
		kind("set")
	}
	w.member("e")
	w.out = append(w.out, '[')
	first := true
	o.Entries(func(key, value goja.Value) bool {
		if !first {
			w.out = append(w.out, ',')
		}
		first = false
		w.value(key, at, "")
		if s.Kind == goja.KindMap {
			w.out = append(w.out, ',')
			w.value(value, at, "")
		}
		return !w.full()
	})
	w.out = append(w.out, ']')
}

const usualFlags = 7

// flagsOf are the attributes of a property as one number.
func flagsOf(p goja.Property) (flags int) {
	for i, set := range []bool{p.Writable, p.Enumerable, p.Configurable} {
		if set {
			flags |= 1 << i
		}
	}
	return flags
}

// properties writes those that are wanted; nil for all.
func (w *writer) properties(at int, o *goja.Object, wanted func(name string) bool) {
	begun := false
	o.Properties(func(p goja.Property) bool {
		name := ""
		symbol, isSymbol := p.Key.(*goja.Symbol)
		if !isSymbol {
			name = p.Key.String()
			if wanted != nil && !wanted(name) {
				return true
			}
		}
		if p.Value == nil {
			w.lose(w.path(at)+"."+p.Key.String(), accessor)
			return true
		}
		if begun {
			w.out = append(w.out, ',')
		} else {
			begun = true
			w.member("p")
			w.out = append(w.out, '[')
		}
		flags := flagsOf(p)
		if flags != usualFlags {
			w.out = append(w.out, `["f",`...)
			w.out = strconv.AppendInt(w.out, int64(flags), 10)
			w.out = append(w.out, ',')
		}
		if isSymbol {
			w.value(symbol, at, "")
		} else {
			w.value(p.Key, at, "")
		}
		if flags != usualFlags {
			w.out = append(w.out, ']')
		}
		w.out = append(w.out, ',')
		w.value(p.Value, at, name)
		return !w.full()
	})
	if begun {
		w.out = append(w.out, ']')
	}
}

// value writes a value that a property of the object at a place is.
func (w *writer) value(v goja.Value, from int, key string) {
	switch v := v.(type) {
	case *goja.Object:
		w.reference(w.place(v, from, key))
		return
	case *goja.Symbol:
		w.reference(w.symbolPlace(v, from))
		return
	case goja.String:
		w.string(v)
		return
	}
	switch {
	case goja.IsUndefined(v):
		w.out = append(w.out, "[]"...)
	case goja.IsNull(v):
		w.out = append(w.out, "null"...)
	default:
		switch x := v.Export().(type) {
		case bool:
			w.out = strconv.AppendBool(w.out, x)
		case int64:
			w.out = strconv.AppendInt(w.out, x, 10)
		case float64:
			w.number(x)
		default:
			w.out = append(w.out, "[]"...)
			w.lose(w.path(from)+"."+key, fmt.Sprintf("a value of the kind %T", x))
		}
	}
}

func (w *writer) reference(at int) {
	w.out = append(w.out, '[')
	w.out = strconv.AppendInt(w.out, int64(at), 10)
	w.out = append(w.out, ']')
}

// number writes a number, those that JSON has not by name.
func (w *writer) number(x float64) {
	switch {
	case math.IsNaN(x):
		w.out = append(w.out, `["NaN"]`...)
	case math.IsInf(x, 1):
		w.out = append(w.out, `["Infinity"]`...)
	case math.IsInf(x, -1):
		w.out = append(w.out, `["-Infinity"]`...)
	case x == 0 && math.Signbit(x):
		w.out = append(w.out, `["-0"]`...)
	default:
		w.out = strconv.AppendFloat(w.out, x, 'g', -1, 64)
	}
}

// string writes a string. One that is no text, since half of a character is missing, is
// written as its units.
func (w *writer) string(s goja.String) {
	if s.Length() > w.Most {
		w.Most = -1
		return
	}
	text := s.String()
	if strings.ContainsRune(text, '\uFFFD') && !isText(s) {
		w.out = append(w.out, `["u","`...)
		for i := range s.Length() {
			w.out = fmt.Appendf(w.out, "%04x", s.CharAt(i))
		}
		w.out = append(w.out, `"]`...)
		return
	}
	w.text(text)
}

// isText tells whether all halves of characters have their other half.
func isText(s goja.String) bool {
	const high, low, end = 0xD800, 0xDC00, 0xE000
	for i := 0; i < s.Length(); i++ {
		c := s.CharAt(i)
		if c < high || c >= end {
			continue
		}
		if c >= low || i+1 == s.Length() {
			return false
		}
		if i++; s.CharAt(i) < low || s.CharAt(i) >= end {
			return false
		}
	}
	return true
}

func (w *writer) text(text string) {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c == '"' || c == '\\' || c >= 0x7F {
			quoted, _ := json.Marshal(text)
			w.out = append(w.out, quoted...)
			return
		}
	}
	w.out = append(w.out, '"')
	w.out = append(w.out, text...)
	w.out = append(w.out, '"')
}
