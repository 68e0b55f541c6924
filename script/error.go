package script

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/dop251/goja"
	"github.com/dop251/goja/file"
	"github.com/dop251/goja/parser"
)

var (
	// ErrUndeclared is wrapped by the error of an assignment to a variable that
	// was never declared.
	ErrUndeclared = errors.New("not declared")
	// ErrReadOnly is wrapped by the error of an assignment to a scope that
	// documents cannot change.
	ErrReadOnly = errors.New("read-only")
	// ErrLimit is wrapped by the error of a script that was stopped because it
	// exceeded one of its Limits.
	ErrLimit = errors.New("limit exceeded")
)

// Error is what is wrong with an expression or a script: found when it was
// compiled, or raised while it ran.
type Error struct {
	Position Position
	// Origin is where the expression or script begins that was compiled or run.
	// It is in another place than Position if a function called from there failed.
	Origin Position
	// Source is the text of the expression, shortened if it is long.
	Source string
	// Reason says in words what is wrong.
	Reason string
	cause  error
}

// Error returns the position and the reason as "uri:line:column: reason".
func (e *Error) Error() string {
	if p := e.Position.String(); p != "" {
		return p + ": " + e.Reason
	}
	return e.Reason
}

// Unwrap returns ErrUndeclared, ErrReadOnly, ErrLimit, the engine's own error,
// or nil.
func (e *Error) Unwrap() error { return e.cause }

// limitError is the value with which a running script is interrupted.
type limitError struct{ reason string }

func (e *limitError) Error() string { return e.reason }
func (e *limitError) Unwrap() error { return ErrLimit }

// errorf returns an error at the beginning of src.
func (s *source) errorf(cause error, format string, args ...any) *Error {
	return &Error{Position: s.at, Origin: s.at, Source: s.excerpt(), Reason: fmt.Sprintf(format, args...), cause: cause}
}

// errorAt returns an error at a node of the parsed text.
func (s *source) errorAt(idx file.Idx, cause error, format string, args ...any) *Error {
	e := s.errorf(cause, format, args...)
	p := s.file.Position(int(idx) - s.file.Base())
	e.Position = s.position(p.Line, p.Column)
	return e
}

// parseError returns the first complaint of the parser.
func (s *source) parseError(err error) *Error {
	var list parser.ErrorList
	if errors.As(err, &list) && len(list) > 0 {
		e := s.errorf(err, "SyntaxError: %s", list[0].Message)
		e.Position = s.position(list[0].Position.Line, list[0].Position.Column)
		return e
	}
	return s.brokenOff(err)
}

// brokenOff is the error of what was not compiled to its end: there was no time for it,
// or a mistake in the compiler.
func (s *source) brokenOff(err error) *Error {
	if errors.Is(err, errEngine) {
		return s.errorf(err, "%v", err)
	}
	return s.errorf(err, "compiling was broken off: %v", err)
}

// compileError returns the complaint of the compiler about what the parser took.
func (s *source) compileError(err error) *Error {
	var syntax *goja.CompilerSyntaxError
	if errors.As(err, &syntax) {
		e := s.errorf(err, "SyntaxError: %s", syntax.Message)
		if syntax.File != nil {
			p := syntax.File.Position(syntax.Offset)
			e.Position = s.position(p.Line, p.Column)
		}
		return e
	}
	return s.brokenOff(err)
}

// runError returns what went wrong while src ran, at the innermost place of a
// document that took part in it. Text of a thrown object is made by the
// document's code, so it is called while the limits are watched.
func (s *source) runError(vm *goja.Runtime, err error) error {
	if err == nil {
		return nil
	}
	e := s.errorf(err, "")
	var (
		limit     *limitError
		overflow  *goja.StackOverflowError
		exceeded  *goja.LimitError
		exception *goja.Exception
		stack     []goja.StackFrame
	)
	var interrupted *goja.InterruptedError
	switch {
	case errors.As(err, &interrupted):
		stack = interrupted.Stack()
		if errors.As(err, &limit) {
			e.Reason, e.cause = limit.reason, limit
		}
	case errors.As(err, &exceeded):
		stack = exceeded.Stack()
		e.Reason, e.cause = exceeded.Reason, &limitError{exceeded.Reason}
	case errors.As(err, &overflow):
		stack = overflow.Stack()
		e.Reason = "the script calls functions too deeply and was stopped"
		e.cause = &limitError{reason: e.Reason}
	case errors.As(err, &exception):
		stack = exception.Stack()
		e.Reason = describe(vm, exception.Value())
		if errors.As(exception.Unwrap(), &limit) {
			e.Reason, e.cause = limit.reason, limit
		}
	default:
		e.Reason = err.Error()
	}
	for i := range stack {
		if p, ok := s.framePosition(&stack[i]); ok {
			e.Position = p
			break
		}
	}
	return e
}

// describe returns the text of a thrown value. It may run the document's code
// (toString), whose own failure is described too.
func describe(vm *goja.Runtime, v goja.Value) (text string) {
	if v == nil {
		return "unknown error"
	}
	defer func() {
		if x := recover(); x != nil {
			text = "an exception that cannot be shown as text"
		}
	}()
	if ex := vm.Try(func() { text = v.String() }); ex != nil {
		return "an exception that cannot be shown as text"
	}
	if _, ok := v.(*goja.Object); !ok {
		return "uncaught exception: " + shorten(text)
	}
	return shorten(text)
}

// framePosition returns the place of a stack frame in its document. The column
// is known if the frame is one of s itself.
func (s *source) framePosition(frame *goja.StackFrame) (Position, bool) {
	name, p := frame.SrcName(), frame.Position()
	if name == s.fileName() && s.at.URI != evalURI {
		return s.position(p.Line, p.Column), true
	}
	uri, line, ok := splitFileName(name)
	if !ok || uri == evalURI {
		return Position{}, false
	}
	return Position{URI: uri, Line: p.Line + max(line-1, 0)}, true
}

// fileName names a compiled piece by its place; goja hands the name back with
// every stack frame.
func (s *source) fileName() string {
	return s.at.URI + "+" + strconv.Itoa(s.at.Line) + "+" + strconv.Itoa(s.at.Column)
}

// splitFileName takes the document and the line out of such a name.
func splitFileName(name string) (uri string, line int, ok bool) {
	rest, _, ok := cutLast(name)
	if !ok {
		return "", 0, false
	}
	return cutLast(rest)
}

func cutLast(name string) (rest string, number int, ok bool) {
	i := strings.LastIndexByte(name, '+')
	if i < 0 {
		return "", 0, false
	}
	number, err := strconv.Atoi(name[i+1:])
	return name[:i], number, err == nil
}

// longestExcerpt is how much of a source or of a thrown text an error carries,
// in bytes.
const longestExcerpt = 200

func shorten(text string) string {
	text = strings.TrimSpace(text)
	if len(text) <= longestExcerpt {
		return text
	}
	return strings.ToValidUTF8(text[:longestExcerpt], "") + "…"
}
