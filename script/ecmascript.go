package script

import (
	"strings"
	"sync"

	"github.com/dop251/goja"
	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/token"
	"github.com/dop251/goja/unistring"
)

// Script is a compiled piece of ECMAScript. It is immutable and shared by all
// sessions.
type Script struct {
	language *Language
	source   *source
	// names are the variables that the script declares at its top level.
	names []string
	// forScope is what is run, by scope. A function that the script defines
	// sees the scope of its script and the outer ones.
	forScope []func() (*goja.Program, error)
	made     functionsOnce
}

// Position returns where the script stands in its document.
func (s *Script) Position() Position { return s.source.at }

// Script compiles src. The references are as in Expression; the error is an
// *Error.
func (l *Language) Script(src string, at Position, references ...Reference) (*Script, error) {
	script := &Script{language: l.Whole(), source: l.source(src, at, references)}
	defer script.source.compiled()
	body, err := script.parse(script.source)
	if err != nil {
		return nil, err
	}
	script.names = declaredNames(body)
	for i := range l.scopes {
		script.forScope = append(script.forScope, sync.OnceValues(func() (*goja.Program, error) {
			return script.compile(i)
		}))
	}
	// The innermost is compiled now, so that errors are known when the document
	// is loaded.
	_, err = script.forScope[len(l.scopes)-1]()
	if err != nil {
		return nil, err
	}
	return script, nil
}

func (s *Script) parse(src *source) (*ast.Program, error) {
	if len(src.text) > longestScript {
		return nil, src.errorf(nil, "SyntaxError: the script is longer than %d KiB", longestScript>>10)
	}
	program, err := src.parse("", src.text, "")
	if err != nil {
		return nil, err
	}
	return program, src.inspect(program)
}

// compile compiles the script for one scope. It parses anew because compiling
// changes the tree.
func (s *Script) compile(scope int) (*goja.Program, error) {
	src := *s.source
	program, err := s.parse(&src)
	if err != nil {
		return nil, err
	}
	block := &ast.BlockStatement{LeftBrace: 1, List: intoScope(program.Body), RightBrace: 1}
	return s.language.compile(&src, block, scope)
}

// intoScope turns the top-level declarations into assignments to variables
// that the runtime has declared in the scope beforehand. Function declarations
// come first: they are hoisted. A var statement anywhere, for heads included,
// assigns to whatever its name resolves to inside with, which is the variable in
// the scope; the compiler declares nothing because it gets no declaration list.
func intoScope(body []ast.Statement) []ast.Statement {
	var functions, rest []ast.Statement
	for _, statement := range body {
		switch n := statement.(type) {
		case *ast.FunctionDeclaration:
			// Without its name the literal is named by the assignment, and a
			// recursive call finds the variable as it would find a declaration.
			literal := *n.Function
			literal.Name = nil
			functions = append(functions, assign(n.Function.Name, &literal))
		case *ast.ClassDeclaration:
			rest = append(rest, assign(n.Class.Name, n.Class))
		case *ast.LexicalDeclaration:
			for _, binding := range n.List {
				if binding.Initializer == nil {
					binding.Initializer = undefined(binding.Target)
				}
			}
			rest = append(rest, &ast.VariableStatement{Var: n.Idx, List: n.List})
		default:
			rest = append(rest, statement)
		}
	}
	return append(functions, rest...)
}

func assign(name *ast.Identifier, value ast.Expression) ast.Statement {
	return &ast.VariableStatement{Var: name.Idx, List: []*ast.Binding{{Target: name, Initializer: value}}}
}

// undefined is the value of a let without one.
func undefined(at ast.Node) ast.Expression {
	return &ast.UnaryExpression{
		Operator: token.VOID,
		Idx:      at.Idx0(),
		Operand:  &ast.NumberLiteral{Idx: at.Idx0(), Literal: "0", Value: int64(0)},
	}
}

// declaredNames lists what the script declares: var anywhere outside functions,
// and functions, classes, let and const at the top level.
func declaredNames(program *ast.Program) []string {
	var names []string
	for _, declaration := range program.DeclarationList {
		for _, binding := range declaration.List {
			names = appendNames(names, binding.Target)
		}
	}
	for _, statement := range program.Body {
		switch n := statement.(type) {
		case *ast.FunctionDeclaration:
			names = appendNames(names, n.Function.Name)
		case *ast.ClassDeclaration:
			names = appendNames(names, n.Class.Name)
		case *ast.LexicalDeclaration:
			for _, binding := range n.List {
				names = appendNames(names, binding.Target)
			}
		}
	}
	return names
}

// appendNames adds the names that a binding target, which may be a pattern,
// binds.
func appendNames(names []string, target ast.Expression) []string {
	switch n := target.(type) {
	case *ast.Identifier:
		names = append(names, plain(n.Name))
	case *ast.AssignExpression:
		names = appendNames(names, n.Left)
	case *ast.Binding:
		names = appendNames(names, n.Target)
	case *ast.ArrayPattern:
		for _, element := range n.Elements {
			names = appendNames(names, element)
		}
		names = appendNames(names, n.Rest)
	case *ast.ObjectPattern:
		for _, property := range n.Properties {
			switch p := property.(type) {
			case *ast.PropertyShort:
				names = append(names, plain(p.Name.Name))
			case *ast.PropertyKeyed:
				names = appendNames(names, p.Value)
			}
		}
		names = appendNames(names, n.Rest)
	}
	return names
}

func plain(name unistring.String) string { return strings.Clone(name.String()) }

// Run runs the script in the named scope. What it declares at its top level (var,
// function, class, let, const) becomes variables of that scope; a variable that
// exists there keeps its value until the script assigns to it. The error is an
// *Error.
func (r *Runtime) Run(s *Script, scope string) error {
	i := r.language.index(scope)
	if i < 0 {
		return s.source.errorf(nil, "there is no scope %q", scope)
	}
	program, err := s.forScope[i]()
	if err != nil {
		return err
	}
	if len(s.names) > 0 && r.language.scopes[i].readOnly {
		return s.source.errorf(ErrReadOnly, "the script cannot declare variables in %s, which is read-only", scope)
	}
	for _, name := range s.names {
		if !r.has(r.scopes[i], name) {
			r.define(i, name, goja.Undefined())
		}
	}
	_, err = r.run(s.source, program)
	return err
}
