package script

import (
	"errors"
	"math/big"
	"reflect"
	"strings"

	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/file"
)

// deepestTree bounds how deep a syntax tree may be, because the compiler
// descends recursively and takes quadratic time on some deep trees.
const deepestTree = 1000

var errTooDeep = errors.New("the expression is nested too deeply")

// inspect walks the tree below node: it refuses what is not allowed, and notes
// what is not there.
func (s *source) inspect(node ast.Node) error {
	w := walker{source: s}
	err := s.guarded(func() error {
		w.value(reflect.ValueOf(node), 0)
		return nil
	})
	if err != nil {
		return s.brokenOff(err)
	}
	return w.err
}

type walker struct {
	source   *source
	err      error
	body     *ast.BlockStatement // of the last function
	property *ast.Identifier     // the name behind the dot of the last x.name
	visit    func(ast.Node)      // in place of what inspect does; may be nil
}

var (
	nodeType = reflect.TypeFor[ast.Node]()
	fileType = reflect.TypeFor[*file.File]()
)

// value visits every node below v. Reflection keeps it short; it runs once for
// each expression of a document.
func (w *walker) value(v reflect.Value, depth int) {
	if w.err != nil {
		return
	}
	switch v.Kind() {
	case reflect.Interface:
		if !v.IsNil() {
			w.value(v.Elem(), depth)
		}
	case reflect.Pointer:
		if v.IsNil() || v.Type() == fileType {
			return
		}
		if depth > deepestTree {
			w.err = w.source.errorf(errTooDeep, "SyntaxError: %v", errTooDeep)
			return
		}
		if node, ok := v.Interface().(ast.Node); ok {
			w.node(node)
		}
		w.fields(v.Elem(), depth+1)
	case reflect.Slice:
		for i := range v.Len() {
			w.value(v.Index(i), depth)
		}
	case reflect.Struct:
		if v.CanAddr() && reflect.PointerTo(v.Type()).Implements(nodeType) {
			w.node(v.Addr().Interface().(ast.Node))
		}
		w.fields(v, depth)
	}
}

func (w *walker) fields(v reflect.Value, depth int) {
	if v.Kind() != reflect.Struct {
		return
	}
	for i := range v.NumField() {
		// The declarations are listed a second time for the compiler.
		if v.Type().Field(i).Name == "DeclarationList" {
			continue
		}
		w.value(v.Field(i), depth)
	}
}

// node looks at one node, before its children.
func (w *walker) node(node ast.Node) {
	if w.visit != nil {
		w.visit(node)
		return
	}
	w.lack(node)
	switch n := node.(type) {
	case *ast.NumberLiteral:
		if _, ok := n.Value.(*big.Int); ok {
			w.err = w.source.errorAt(n.Idx, nil, "SyntaxError: BigInt is not supported")
		}
	case *ast.RegExpLiteral:
		w.regexp(n)
	}
}

// regexp refuses what the engine's parser takes for a regular expression and is
// none.
func (w *walker) regexp(n *ast.RegExpLiteral) {
	if n.Pattern == "" { // goja takes /[ at the end of a line for one
		w.err = w.source.errorAt(n.Idx, nil, "SyntaxError: the regular expression %s has no end", strings.TrimSpace(n.Literal))
		return
	}
}
