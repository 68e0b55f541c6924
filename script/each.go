package script

import (
	"fmt"

	"github.com/dop251/goja"
)

// Each evaluates e, which must give an array or an object, and calls visit for
// each of its own enumerable properties: the keys are those it has at the
// beginning, the values those it has when their turn comes. Everything that visit
// evaluates counts as one evaluation together with the loop, and the limits bound
// that. An error of visit ends the loop and is returned as it is; others are an
// *Error.
func (r *Runtime) Each(e *Expression, visit func(key string, value goja.Value) error) error {
	r.watch.begin(e.source.at)
	defer r.watch.end()
	value, err := r.Eval(e)
	if err != nil {
		return err
	}
	object, ok := value.(*goja.Object)
	if !ok {
		return e.source.errorf(nil, "TypeError: %s is %s; expected an array or an object", e.source.excerpt(), value)
	}
	var keys []string
	if err := r.touch(e, func() { keys = object.Keys() }); err != nil {
		return err
	}
	if len(keys) > r.limits.ArrayLength {
		limit := &limitError{fmt.Sprintf("%s has more than %d entries", e.source.excerpt(), r.limits.ArrayLength)}
		return e.source.errorf(limit, "%s", limit.reason)
	}
	for _, key := range keys {
		// An interrupt stops the engine only, and visits may go without it.
		if reason := r.watch.stopped(); reason != "" {
			return e.source.errorf(&limitError{reason}, "%s", reason)
		}
		var item goja.Value
		if err := r.touch(e, func() { item = object.Get(key) }); err != nil {
			return err
		}
		if item == nil { // a visit before has taken it away
			continue
		}
		if err := visit(key, item); err != nil {
			return err
		}
	}
	return nil
}

// touch calls f, which asks an object of the document for something: a getter
// or a proxy may run the document's code.
func (r *Runtime) touch(e *Expression, f func()) error {
	return r.guarded(e.source, func() error {
		if exception := r.vm.Try(f); exception != nil {
			return exception
		}
		return nil
	})
}
