package script

import (
	"github.com/dop251/goja"
)

// Together calls f; all that it evaluates counts as one evaluation, and the limits
// bound that. What panics in it, such as a getter of the document that f comes
// upon, is returned as an error.
func (r *Runtime) Together(f func() error) (err error) {
	r.watch.begin(Position{})
	defer func() {
		if x := recover(); x != nil {
			if cause, ok := x.(error); ok {
				err = (&source{}).runError(r.vm, cause)
			} else {
				err = (&source{}).recovered(r.vm, x)
			}
		}
		r.watch.end()
	}()
	return f()
}

// Wait stops the clock for the limit of time until GoOn: what is waited for is not of
// the document's code. It matters within Each and Together.
func (r *Runtime) Wait() { r.watch.wait() }

// GoOn lets the clock go on that Wait has stopped.
func (r *Runtime) GoOn() { r.watch.goOn() }

// SwitchScope puts an object in the place of the named scope that OpenScope made
// before, for it, so that several documents can have their own in turn, or for
// another one, so that the two are the same.
func (r *Runtime) SwitchScope(name string, object *goja.Object) {
	if i := r.language.index(name); i >= 0 && !r.language.scopes[i].readOnly {
		r.setScope(i, object)
	}
}
