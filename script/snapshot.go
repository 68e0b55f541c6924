package script

import (
	"encoding/json"
	"fmt"
	"slices"
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
