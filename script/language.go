package script

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/dop251/goja"
	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/unistring"
)

// Position is a place in a document. Line and Column, which counts characters,
// count from 1; 0 means unknown.
type Position struct {
	URI    string
	Line   int
	Column int
}

// String returns the position as uri:line:column, the form in which compilers and
// editors know it, without what is unknown.
func (p Position) String() string {
	if p.Line == 0 {
		return p.URI
	}
	text := p.URI + ":" + strconv.Itoa(p.Line)
	if p.Column == 0 {
		return text
	}
	return text + ":" + strconv.Itoa(p.Column)
}

// Language is a chain of named scopes and what may be done to them. It is
// immutable and may be shared by any number of goroutines and runtimes.
type Language struct {
	scopes []scopeRule
	// ctx is that in which sources are compiled, nil for any time, and whole the
	// language without it, nil for this one.
	ctx   context.Context
	whole *Language
}

// scopeRule is what a Language knows of one scope.
type scopeRule struct {
	name string
	// hidden is the name of the global through which compiled code reaches
	// the scope. No document can spell it as an identifier, so that a variable
	// called like a scope cannot take the scope's place.
	hidden   string
	open     bool
	readOnly bool
}

// NewLanguage returns the language with these scopes, outermost first. It panics
// if a name is not an identifier or is given twice, since that is a mistake in
// the program and not in a document.
func NewLanguage(scopes ...string) *Language {
	l := &Language{}
	for _, name := range scopes {
		if !IsIdentifier(name) || l.index(name) >= 0 {
			panic(fmt.Sprintf("script: %q cannot name a scope", name))
		}
		l.scopes = append(l.scopes, scopeRule{name: name, hidden: "scope " + name})
	}
	return l
}

// Open returns a copy of l in which an assignment to a property of the named
// scope that does not exist yet creates it, as CCXML 1.0 has it for application
// variables (section 8.2.2). In all other scopes variables must be declared.
func (l *Language) Open(scope string) *Language {
	return l.with(scope, func(s *scopeRule) { s.open = true })
}

// ReadOnly returns a copy of l in which documents cannot change the named scope:
// Assign fails with ErrReadOnly, assignments inside scripts are ignored. Only
// Runtime.Declare sets its variables.
func (l *Language) ReadOnly(scope string) *Language {
	return l.with(scope, func(s *scopeRule) { s.readOnly = true })
}

// Until returns a copy of l that breaks off what it compiles when ctx ends, and compiles
// nothing after that; the errors wrap that of ctx. What has been compiled can be run by
// any runtime of l.
func (l *Language) Until(ctx context.Context) *Language {
	c := *l
	c.ctx, c.whole = ctx, l.Whole()
	return &c
}

// Whole returns the language that Until has bounded.
func (l *Language) Whole() *Language {
	if l.whole != nil {
		return l.whole
	}
	return l
}

func (l *Language) with(scope string, change func(*scopeRule)) *Language {
	i := l.index(scope)
	if i < 0 {
		panic(fmt.Sprintf("script: there is no scope %q", scope))
	}
	c := *l
	c.scopes = slices.Clone(l.scopes)
	change(&c.scopes[i])
	return &c
}

// index returns the place of the named scope in the chain, or -1.
func (l *Language) index(scope string) int {
	return slices.IndexFunc(l.scopes, func(s scopeRule) bool { return s.name == scope })
}

func (l *Language) source(text string, at Position, references []Reference) *source {
	return &source{text: text, at: at, references: references, ctx: l.ctx}
}

// A source may have so many instructions: mostInstructions for each of its bytes, which
// no source has that does not leave many blocks at once again and again, and some more.
const (
	mostInstructions  = 8
	leastInstructions = 10_000
)

// compile wraps the statements into the scopes up to and including the one
// with the index innermost, and compiles them.
func (l *Language) compile(src *source, body ast.Statement, innermost int) (*goja.Program, error) {
	start := body.Idx0()
	for i := innermost; i >= 0; i-- {
		object := &ast.Identifier{Name: unistring.NewFromString(l.scopes[i].hidden), Idx: start}
		body = &ast.WithStatement{With: start, Object: object, Body: body}
	}
	var program *goja.Program
	err := src.guarded(func() (err error) {
		limits := goja.CompileLimits{Context: src.ctx, Instructions: leastInstructions + mostInstructions*len(src.text)}
		program, err = goja.CompileASTWithin(limits, &ast.Program{Body: []ast.Statement{body}, File: src.file}, false)
		return err
	})
	if errors.Is(err, goja.ErrTooManyInstructions) {
		return nil, src.errorf(err, "SyntaxError: the source is too large once it is compiled; it leaves too many blocks at once")
	}
	if err != nil {
		return nil, src.compileError(err)
	}
	return program, nil
}
