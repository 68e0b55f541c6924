package goja

import (
	stdcontext "context"
	"errors"
	"fmt"

	js_ast "github.com/dop251/goja/ast"
)

// CompileLimits bound the compiling of a parsed program.
type CompileLimits struct {
	// Context breaks compiling off when it ends; the error is that of its end. nil does not.
	Context stdcontext.Context
	// Instructions bounds those of the program and its functions together; beyond it the
	// error is ErrTooManyInstructions. 0 does not. A program may have far more of them than
	// it has characters: each break leaves each of the blocks around it.
	Instructions int
}

// ErrTooManyInstructions is the error for a program beyond CompileLimits.Instructions.
var ErrTooManyInstructions = errors.New("the program has too many instructions once it is compiled")

// CompileASTWithin is CompileAST within limits.
func CompileASTWithin(limits CompileLimits, prg *js_ast.Program, strict bool) (*Program, error) {
	return compileAST(prg, strict, true, nil, limits)
}

// compilingEnded is what the compiler panics with when it is past a limit.
type compilingEnded struct{ error }

// emitsBetweenLooks is how often the compiler looks at its context.
const emitsBetweenLooks = 1024

// look ends compiling that is past its limits.
func (c *compiler) look() {
	if c.limits.Instructions > 0 && c.emitted > c.limits.Instructions {
		panic(&compilingEnded{ErrTooManyInstructions})
	}
	if c.looks++; c.limits.Context != nil && c.looks%emitsBetweenLooks == 1 && c.limits.Context.Err() != nil {
		panic(&compilingEnded{stdcontext.Cause(c.limits.Context)})
	}
}

// mostRepeated bounds what the repetitions in all regular expressions of a program add to
// its text, in characters.
const mostRepeated = 4 * widestRegexp

// lookAtRegexp is called before a regular expression is compiled, which may take long.
func (c *compiler) lookAtRegexp(offset int, pattern string) {
	if width, err := regexpWidth(pattern); err == nil && width > len(pattern) {
		c.repeated += width - len(pattern)
	}
	if c.repeated > mostRepeated {
		c.throwSyntaxError(offset, fmt.Sprintf("Invalid regular expression: with those before it, its repetitions multiply to more than %d characters", mostRepeated))
	}
	c.looks = 0
	c.look()
}

// CountCompiled counts as steps what compiling the program took beyond the length of its
// text: a running script had it compiled.
func (r *Runtime) CountCompiled(p *Program) {
	r.step(int64(p.repeated) * stepsOfRegexp)
}
