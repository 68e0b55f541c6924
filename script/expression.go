package script

import (
	"errors"
	"strings"

	"github.com/dop251/goja"
	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/parser"
)

// Expression is a compiled expression. It is immutable and shared by all
// sessions.
type Expression struct {
	source  *source
	program *goja.Program
	// constant is the value of an expression that is a literal, and variable
	// the name if it is just that: neither needs the engine to run.
	constant goja.Value
	variable string
	failure  error // why it cannot be evaluated
}

// Unparsable returns an expression in the place of one that Language.Expression
// refused with err: evaluating it fails with that.
func Unparsable(err error) *Expression {
	e := &Expression{source: &source{}, failure: err}
	var refused *Error
	if errors.As(err, &refused) {
		e.source.text, e.source.at = refused.Source, refused.Origin
	}
	return e
}

// Undefined returns an expression in the place of an empty one: its value is undefined.
func Undefined(at Position) *Expression {
	return &Expression{source: &source{at: at}, constant: goja.Undefined()}
}

// String returns the source text.
func (e *Expression) String() string { return e.source.text }

// Position returns where the expression stands in its document.
func (e *Expression) Position() Position { return e.source.at }

// Errorf returns an error about the value of the expression.
func (e *Expression) Errorf(format string, args ...any) *Error {
	return e.source.errorf(nil, format, args...)
}

// Expression compiles src, which must be one ECMAScript expression (the comma
// operator included). An object literal is an object, not a block. references are
// those that src holds decoded, in their order. The error is an *Error.
func (l *Language) Expression(src string, at Position, references ...Reference) (*Expression, error) {
	s := l.source(src, at, references)
	defer s.compiled()
	node, err := s.parseExpression()
	if err != nil {
		return nil, err
	}
	return l.expression(s, node)
}

// expression compiles a parsed expression.
func (l *Language) expression(s *source, node ast.Expression) (*Expression, error) {
	e := &Expression{source: s}
	if id, ok := node.(*ast.Identifier); ok {
		e.variable = id.Name.String()
	}
	if err := s.inspect(node); err != nil {
		return nil, err
	}
	program, err := l.compile(s, &ast.ExpressionStatement{Expression: node}, len(l.scopes)-1)
	if err != nil {
		return nil, err
	}
	e.program = program
	e.constant = constantOf(node)
	return e, nil
}

// parseExpression parses the source as the index in x[…]. If the brackets of
// the result are the first and the last ones, what is between them is one whole
// expression: it can neither close a bracket early nor be a statement.
func (s *source) parseExpression() (ast.Expression, error) {
	if strings.TrimSpace(s.text) == "" {
		return nil, s.errorf(nil, "SyntaxError: an expression is expected here, but there is nothing")
	}
	if len(s.text) > longestExpression {
		return nil, s.errorf(nil, "SyntaxError: the expression is longer than %d KiB", longestExpression>>10)
	}
	program, err := s.parse("x[", s.spaced(), "\n]")
	if err != nil {
		return nil, s.endsEarly(err)
	}
	if len(program.Body) == 1 {
		if statement, ok := program.Body[0].(*ast.ExpressionStatement); ok {
			if index, ok := statement.Expression.(*ast.BracketExpression); ok && s.whole(index) {
				return index.Member, nil
			}
		}
	}
	return nil, s.errorf(nil, "SyntaxError: this is not one expression: %s", s.excerpt())
}

// endsEarly says that an expression is unfinished where the parser stumbled over
// the bracket that parseExpression put behind it.
func (s *source) endsEarly(err error) error {
	var list parser.ErrorList
	if errors.As(err, &list) && strings.Contains(list[0].Message, "Unexpected token ]") &&
		s.offset(list[0].Position.Line, list[0].Position.Column) > len(s.text) {
		return s.errorf(err, "SyntaxError: the expression ends too early: %s", s.excerpt())
	}
	return err
}

// whole reports whether the brackets of index are those that parseExpression put
// around the source.
func (s *source) whole(index *ast.BracketExpression) bool {
	text, base := s.file.Source(), s.file.Base()
	left, ok := index.Left.(*ast.Identifier)
	return ok && int(left.Idx)-base == strings.IndexByte(text, 'x') &&
		int(index.LeftBracket) == int(left.Idx)+1 &&
		int(index.RightBracket)-base == len(text)-1
}

// constantOf returns the value of a literal, or nil.
func constantOf(node ast.Expression) goja.Value {
	switch node.(type) {
	case *ast.StringLiteral, *ast.NumberLiteral, *ast.BooleanLiteral, *ast.NullLiteral:
		// The engine itself makes the value; values of these types are
		// immutable and belong to no runtime.
		program := &ast.Program{Body: []ast.Statement{&ast.ExpressionStatement{Expression: node}}}
		compiled, err := goja.CompileAST(program, false)
		if err != nil {
			return nil
		}
		value, err := goja.New().RunProgram(compiled)
		if err != nil {
			return nil
		}
		return value
	}
	return nil
}

// Eval returns the value of the expression in the runtime's present scopes. The
// error is an *Error.
func (r *Runtime) Eval(e *Expression) (goja.Value, error) {
	if e.constant != nil {
		return e.constant, nil
	}
	if e.failure != nil {
		return nil, e.failure
	}
	if e.variable != "" {
		if v := r.lookUp(e.variable); v != nil {
			return v, nil
		}
	}
	return r.run(e.source, e.program)
}
