package script

import (
	"reflect"
	"strings"

	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/file"
	"github.com/dop251/goja/token"
)

// Reading is what can be seen of a source without running it, for tools that
// check documents.
type Reading struct {
	// Uses are the variables that the source uses and does not declare itself,
	// in the order of the text.
	Uses []Use
	// Declares are the variables that a script declares at its top level.
	Declares []string
	// Path is a variable or a property, such as a.b.c, if the source is no more.
	Path string
	// Paths are all chains of plain properties in the source.
	Paths []string
	// Outcomes are the texts, numbers and booleans, as text, that an expression
	// may evaluate to; Open is set if there may be others.
	Outcomes []Outcome
	Open     bool
	// Fleeting is what another runtime would not have.
	Fleeting []Fleeting
}

// Outcome is a literal that an expression may evaluate to.
type Outcome struct {
	Text     string
	IsString bool
}

// Use is one use of a variable.
type Use struct {
	Name     string
	Scope    string // that it is qualified by, "" for none
	Position Position
	Assigned bool // it is set here
	Guarded  bool // typeof looks at it in this source, so that it may be undeclared
}

// ReadExpression reads an expression. The references are as in Expression; the
// error is an *Error.
func (l *Language) ReadExpression(src string, at Position, references ...Reference) (*Reading, error) {
	s := l.source(src, at, references)
	node, err := s.parseExpression()
	if err != nil {
		return nil, err
	}
	if err := s.inspect(node); err != nil {
		return nil, err
	}
	r := newReader(s, l)
	if err := r.read(reflect.ValueOf(&node).Elem()); err != nil {
		return nil, err
	}
	result := r.reading()
	result.Path = pathOf(node)
	result.Fleeting = fleetingIn(s, reflect.ValueOf(&node).Elem())
	result.Outcomes, result.Open = outcomes(node, nil)
	return result, nil
}

// ReadScript reads a script.
func (l *Language) ReadScript(src string, at Position, references ...Reference) (*Reading, error) {
	if len(src) > longestScript {
		return &Reading{}, nil
	}
	s := l.source(src, at, references)
	program, err := s.parse("", s.text, "")
	if err != nil {
		return nil, err
	}
	if err := s.inspect(program); err != nil {
		return nil, err
	}
	r := newReader(s, l)
	if err := r.read(reflect.ValueOf(program)); err != nil {
		return nil, err
	}
	result := r.reading()
	result.Declares = declaredNames(program)
	result.Fleeting = fleetingIn(s, reflect.ValueOf(program))
	return result, nil
}

// pathOf writes a variable or a chain of plain properties, "" for anything else.
func pathOf(node ast.Expression) string {
	switch n := node.(type) {
	case *ast.Identifier:
		return plain(n.Name)
	case *ast.DotExpression:
		if left := pathOf(n.Left); left != "" {
			return left + "." + plain(n.Identifier.Name)
		}
	}
	return ""
}

// longestChain bounds the chains that are told of: longer ones are no use of a
// variable that a check has a word about.
const longestChain = 32

// plainChain tells whether a node is a chain of plain properties, and not too long.
func plainChain(node ast.Expression) bool {
	for range longestChain {
		switch n := node.(type) {
		case *ast.Identifier:
			return true
		case *ast.DotExpression:
			node = n.Left
		default:
			return false
		}
	}
	return false
}

// outcomes lists the literals that an expression may evaluate to.
func outcomes(node ast.Expression, list []Outcome) (_ []Outcome, open bool) {
	switch n := node.(type) {
	case *ast.StringLiteral:
		return append(list, Outcome{n.Value.String(), true}), false
	case *ast.NumberLiteral:
		return append(list, Outcome{n.Literal, false}), false
	case *ast.BooleanLiteral:
		return append(list, Outcome{n.Literal, false}), false
	case *ast.ConditionalExpression:
		list, first := outcomes(n.Consequent, list)
		list, second := outcomes(n.Alternate, list)
		return list, first || second
	}
	return list, true
}

// reader collects the variables of a syntax tree. A name that is bound anywhere
// in the tree, as a parameter, say, counts as bound everywhere in it: there are
// no uses too many for that, only too few.
type reader struct {
	source   *source
	language *Language
	uses     []Use
	bound    map[string]bool
	guarded  map[string]bool
	paths    []string
	cursor   cursor
}

func newReader(s *source, l *Language) *reader {
	return &reader{source: s, language: l, bound: make(map[string]bool), guarded: make(map[string]bool), cursor: s.cursor()}
}

// read reads a whole tree.
func (r *reader) read(tree reflect.Value) error {
	err := r.source.guarded(func() error {
		r.value(tree, 0)
		return nil
	})
	if err != nil {
		return r.source.brokenOff(err)
	}
	return nil
}

// bind notes that names are bound.
func (r *reader) bind(names []string) {
	for _, name := range names {
		r.bound[name] = true
	}
}

func (r *reader) reading() *Reading {
	result := &Reading{Paths: r.paths}
	for _, use := range r.uses {
		if use.Scope == "" && r.bound[use.Name] {
			continue
		}
		use.Guarded = r.guarded[use.Name]
		result.Uses = append(result.Uses, use)
	}
	return result
}

// value visits every node below v, as walker does.
func (r *reader) value(v reflect.Value, depth int) {
	switch v.Kind() {
	case reflect.Interface:
		if !v.IsNil() {
			r.value(v.Elem(), depth)
		}
	case reflect.Pointer:
		if v.IsNil() || v.Type() == fileType || depth > deepestTree {
			return
		}
		if node, ok := v.Interface().(ast.Node); ok && r.node(node, depth) {
			return
		}
		r.fields(v.Elem(), depth+1)
	case reflect.Slice:
		for i := range v.Len() {
			r.value(v.Index(i), depth)
		}
	case reflect.Struct:
		if v.CanAddr() && reflect.PointerTo(v.Type()).Implements(nodeType) {
			if r.node(v.Addr().Interface().(ast.Node), depth) {
				return
			}
		}
		r.fields(v, depth)
	}
}

func (r *reader) fields(v reflect.Value, depth int) {
	if v.Kind() != reflect.Struct {
		return
	}
	for i := range v.NumField() {
		if v.Type().Field(i).Name != "DeclarationList" {
			r.value(v.Field(i), depth)
		}
	}
}

// node looks at one node, and tells whether it has seen to the children.
func (r *reader) node(node ast.Node, depth int) (done bool) {
	below := func(e ast.Expression) { r.value(reflect.ValueOf(&e).Elem(), depth+1) }
	switch n := node.(type) {
	case *ast.Identifier:
		r.use(n.Name.String(), "", n.Idx, false)
		return true
	case *ast.DotExpression:
		if plainChain(n) {
			r.paths = append(r.paths, pathOf(n))
		}
		if scope, ok := n.Left.(*ast.Identifier); ok && r.language.index(scope.Name.String()) >= 0 {
			r.use(n.Identifier.Name.String(), scope.Name.String(), n.Idx0(), false)
			return true
		}
		below(n.Left)
		return true
	case *ast.BracketExpression:
		scope, ok := n.Left.(*ast.Identifier)
		key, isText := n.Member.(*ast.StringLiteral)
		if ok && isText && r.language.index(scope.Name.String()) >= 0 {
			r.use(key.Value.String(), scope.Name.String(), n.Idx0(), false)
			return true
		}
	case *ast.UnaryExpression:
		if n.Operator == token.TYPEOF && plainChain(n.Operand) {
			path := pathOf(n.Operand)
			name, _, _ := strings.Cut(path, ".")
			r.guarded[name] = true
		}
		if n.Operator == token.INCREMENT || n.Operator == token.DECREMENT {
			r.assigned(n.Operand)
		}
	case *ast.AssignExpression:
		r.assigned(n.Left)
	case *ast.ForIntoExpression:
		r.assigned(n.Expression)
	case *ast.PropertyShort:
		r.use(n.Name.Name.String(), "", n.Name.Idx, false)
		below(n.Initializer)
		return true
	case *ast.Binding:
		r.bind(appendNames(nil, n.Target))
	case *ast.ForDeclaration:
		r.bind(appendNames(nil, n.Target))
	case *ast.CatchStatement:
		r.bind(appendNames(nil, n.Parameter))
	case *ast.ParameterList:
		r.bind(appendNames(nil, n.Rest))
	case *ast.FunctionLiteral:
		r.bound["arguments"] = true
		if n.Name != nil {
			r.bind(appendNames(nil, n.Name))
		}
	case *ast.ClassLiteral:
		if n.Name != nil {
			r.bind(appendNames(nil, n.Name))
		}
	case *ast.LabelledStatement:
		r.value(reflect.ValueOf(&n.Statement).Elem(), depth+1)
		return true
	case *ast.BranchStatement, *ast.MetaProperty:
		return true
	}
	return false
}

// assigned notes that a variable is set; its use is noted too.
func (r *reader) assigned(target ast.Expression) {
	switch n := target.(type) {
	case *ast.Identifier:
		r.use(n.Name.String(), "", n.Idx, true)
	case *ast.DotExpression:
		if scope, ok := n.Left.(*ast.Identifier); ok && r.language.index(scope.Name.String()) >= 0 {
			r.use(n.Identifier.Name.String(), scope.Name.String(), n.Idx0(), true)
		}
	case *ast.ArrayPattern, *ast.ObjectPattern:
		for _, name := range appendNames(nil, target) {
			r.use(name, "", target.Idx0(), true)
		}
	}
}

func (r *reader) use(name, scope string, at file.Idx, assigned bool) {
	place := r.cursor.position(int(at) - r.source.file.Base() - r.source.prefix)
	r.uses = append(r.uses, Use{Name: strings.Clone(name), Scope: scope, Position: place, Assigned: assigned})
}
