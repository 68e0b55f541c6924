package script

import (
	"fmt"
	"reflect"
	"strings"
	"sync"

	"github.com/dop251/goja"
	"github.com/dop251/goja/ast"
)

// symbol writes a symbol: one of the language by its name, one of Symbol.for by its key,
// another one with its description.
func (w *writer) symbol(at int, s *goja.Symbol) {
	w.out = append(w.out, '{')
	key := w.runtime.vm.SymbolKey(s)
	if name, ok := symbolNames[s]; ok {
		w.member("y")
		w.text(name)
	} else if !goja.IsUndefined(key) {
		w.member("s")
		w.value(key, at, "")
	} else {
		w.member("w")
		w.text(strings.TrimSuffix(strings.TrimPrefix(s.String(), "Symbol("), ")"))
	}
	w.out = append(w.out, '}')
}

// symbolNames are the symbols of the language.
var symbolNames = map[*goja.Symbol]string{
	goja.SymHasInstance: "hasInstance", goja.SymIsConcatSpreadable: "isConcatSpreadable", goja.SymIterator: "iterator",
	goja.SymMatch: "match", goja.SymMatchAll: "matchAll", goja.SymReplace: "replace", goja.SymSearch: "search",
	goja.SymSpecies: "species", goja.SymSplit: "split", goja.SymToPrimitive: "toPrimitive", goja.SymToStringTag: "toStringTag",
	goja.SymUnscopables: "unscopables",
}

// function writes a function of the document. One that its scripts make is known by its
// script and which of its functions it is; another one goes along as its text. What a
// function has captured is not carried over: such a function is the one that the scripts
// make at the same place.
func (w *writer) function(at int, s *goja.Structure) (why string) {
	captured := !w.sees(s.Scope)
	number, known := w.numberOf(s.Text)
	if captured {
		keys := w.keys(at)
		if !known || keys == nil {
			return "a function that has captured variables"
		}
		w.lose(w.path(at), "what the function has captured begins anew")
		w.member("c")
		w.out = append(w.out, '[')
		for i, key := range keys {
			if i > 0 {
				w.out = append(w.out, ',')
			}
			w.text(key)
		}
		w.out = append(w.out, ']')
	}
	w.member("t")
	if known {
		w.out = fmt.Appendf(w.out, "[%d,%d]", number[0], number[1])
	} else {
		w.text(s.Text)
	}
	return ""
}

// sees tells whether the innermost with statement around a function is that of a scope, so
// that it has captured nothing. That of a transition may be over.
func (w *writer) sees(scope *goja.Object) bool {
	return scope != nil && (w.runtime.scopeOf(scope) >= 0 || scope.Prototype() == nil)
}

// numberOf gives the script that has a function of this text, and which it is there.
func (w *writer) numberOf(text string) (number [2]int, known bool) {
	for i, script := range w.Scripts {
		if n, ok := script.functions().numbers[text]; ok {
			return [2]int{i, n}, true
		}
	}
	return number, false
}

// functions are the texts of the functions of a script, in their order.
type functions struct {
	texts   []string
	numbers map[string]int
}

// functions goes through the script when they are first asked for.
func (s *Script) functions() *functions { return s.made.get(s) }

// functionsOnce keeps the functions of a script once they are known.
type functionsOnce struct {
	once sync.Once
	functions
}

func (o *functionsOnce) get(s *Script) *functions {
	o.once.Do(func() {
		o.numbers = make(map[string]int)
		src := *s.source
		program, err := s.parse(&src)
		if err != nil { // it has been compiled before
			return
		}
		w := &walker{source: &src, visit: func(node ast.Node) {
			text := ""
			switch n := node.(type) {
			case *ast.FunctionLiteral:
				text = n.Source
			case *ast.ArrowFunctionLiteral:
				text = n.Source
			case *ast.ClassLiteral:
				text = n.Source
			}
			if _, known := o.numbers[text]; text != "" && !known {
				o.numbers[text] = len(o.texts)
				o.texts = append(o.texts, text)
			}
		}}
		w.value(reflect.ValueOf(program), 0)
	})
	return &o.functions
}

// builtIn writes what the engine has, by where it is found.
func (w *writer) builtIn(o *goja.Object) (why string) {
	if w.paths == nil {
		w.paths = w.runtime.builtInPaths()
	}
	path, ok := w.paths[o]
	if !ok {
		return "a function or an object of the platform"
	}
	w.member("i")
	w.text(path)
	return ""
}

// builtInPaths says where what the engine has is found from its global object.
func (r *Runtime) builtInPaths() map[*goja.Object]string {
	paths := make(map[*goja.Object]string)
	r.eachBuiltIn(func(path string, o *goja.Object) bool {
		if _, known := paths[o]; !known {
			paths[o] = path
		}
		return true
	})
	return paths
}

// eachBuiltIn goes through the global names, and the properties of what they stand for,
// and of their prototypes.
func (r *Runtime) eachBuiltIn(visit func(path string, o *goja.Object) bool) {
	var inside func(o *goja.Object, path string, deeper bool) bool
	inside = func(o *goja.Object, path string, deeper bool) bool {
		for _, name := range o.GetOwnPropertyNames() {
			child, ok := o.GetOwn(name).(*goja.Object)
			if !ok || name == "constructor" || child == r.builtIns || child.Structure().Kind != goja.KindBuiltIn {
				continue // what a script has put there is its own
			}
			at := name
			if path != "" {
				at = path + "." + name
			}
			if !visit(at, child) {
				return false
			}
			if (deeper || name == "prototype") && !inside(child, at, false) {
				return false
			}
		}
		return true
	}
	inside(r.builtIns, "", true)
}

// host writes an object of the host, with what it holds.
func (w *writer) host(at int, s *goja.Structure, begin int) (why string) {
	w.out = w.out[:begin]
	if w.Hosted == nil {
		return "an object of the platform"
	}
	text, held, why := w.Hosted.Write(s.Host)
	if why != "" {
		return why
	}
	w.out = append(w.out, `{"h":`...)
	w.out = append(w.out, text...)
	for i, h := range held {
		if i == 0 {
			w.out = append(w.out, `,"p":[`...)
		} else {
			w.out = append(w.out, ',')
		}
		w.text(h.Name)
		w.out = append(w.out, ',')
		w.value(h.Value, at, h.Name)
	}
	if len(held) > 0 {
		w.out = append(w.out, ']')
	}
	w.out = append(w.out, '}')
	return ""
}
