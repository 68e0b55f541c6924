package goja

import (
	"fmt"
	"time"
)

// Bounds are what the scripts of a Runtime may take. Zero fields do not bound.
type Bounds struct {
	// RegexpInput bounds the UTF-16 units in which a regular expression is looked
	// for that can be matched by backtracking only.
	RegexpInput int
	// NoBacktracking refuses to match such expressions.
	NoBacktracking bool
}

// LimitError ends a script that has exceeded a bound. Scripts cannot catch it.
type LimitError struct {
	baseUncatchableException
	Reason string // in words
}

// Error returns the reason.
func (e *LimitError) Error() string { return e.Reason }

// Stack returns where the script was.
func (e *LimitError) Stack() []StackFrame { return e.stack }

// Bound sets the bounds.
func (r *Runtime) Bound(b Bounds) { r.bounds = b }

// exceeded ends the running script.
func (r *Runtime) exceeded(format string, args ...interface{}) {
	panic(r.limitError(fmt.Sprintf(format, args...)))
}

func (r *Runtime) limitError(reason string) *LimitError {
	e := &LimitError{Reason: reason}
	e.stack = r.vm.captureStack(nil, 0)
	return e
}

// regexpTime bounds one match by backtracking.
const regexpTime = time.Second

// checkBacktracking is called before a match by backtracking.
func (r *Runtime) checkBacktracking(pattern string, s String) {
	if r.bounds.NoBacktracking {
		r.exceeded("the regular expression /%s/ has a lookaround or a backreference, which is not allowed here", pattern)
	}
	if n := r.bounds.RegexpInput; n > 0 && s.Length() > n {
		r.exceeded("the regular expression /%s/ has a lookaround or a backreference, and is matched with texts of at most %d characters", pattern, n)
	}
}

// matchFailed is called with the error of a match by backtracking: its time is up.
func (r *Runtime) matchFailed(pattern string) {
	r.exceeded("the regular expression /%s/ took longer than %v to match and was stopped", pattern, regexpTime)
}
