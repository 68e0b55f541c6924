package script

import (
	"strings"

	"github.com/dop251/goja"
	"github.com/dop251/goja/ast"
)

// evalURI stands for texts that scripts make; errors are placed where the
// document uses them.
const evalURI = "eval"

// evaluate compiles and runs a text that a script has given to eval or to the
// constructor of functions, like an expression of the document: in the scopes.
func (r *Runtime) evaluate(code string) goja.Value {
	src := r.language.source(code, Position{URI: evalURI, Line: 1}, nil)
	throw := func(err error) { panic(r.vm.NewSyntaxError(err.Error())) }
	if len(code) > longestExpression {
		throw(src.errorf(nil, "the text to evaluate is longer than %d KiB", longestExpression>>10))
	}
	program, err := src.parse("", src.text, "")
	if err != nil {
		throw(err)
	}
	if strings.HasPrefix(code, constructorPrefix) && !isFunction(program) {
		throw(src.errorf(nil, "SyntaxError: this is not the body of one function"))
	}
	if err := src.inspect(program); err != nil {
		throw(err)
	}
	block := &ast.BlockStatement{LeftBrace: 1, List: program.Body, RightBrace: 1}
	compiled, err := r.language.compile(src, block, len(r.scopes)-1)
	if err != nil {
		throw(err)
	}
	r.vm.CountCompiled(compiled)
	v, err := r.vm.RunProgram(compiled)
	if err != nil {
		panic(err)
	}
	return v
}

// constructorPrefix is how the engine begins the code of a function that is made
// by its constructor.
const constructorPrefix = "(function anonymous("

// isFunction reports whether the program is one function expression.
func isFunction(program *ast.Program) bool {
	if len(program.Body) != 1 {
		return false
	}
	statement, ok := program.Body[0].(*ast.ExpressionStatement)
	if !ok {
		return false
	}
	_, ok = statement.Expression.(*ast.FunctionLiteral)
	return ok
}
