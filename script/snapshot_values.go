package script

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/dop251/goja"
)

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
