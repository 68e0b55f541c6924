package script

import (
	"errors"

	"github.com/dop251/goja"
)

// Text returns a value as ECMAScript's String function does. It may run the
// document's code (toString), under the limits.
func (r *Runtime) Text(v goja.Value) (text string, err error) {
	err = r.convert(func() { text = v.String() })
	return text, err
}

// Export returns a value as plain Go: nil, bool, int64, float64, string, []any or
// map[string]any. It may run the document's code (getters), under the limits.
func (r *Runtime) Export(v goja.Value) (exported any, err error) {
	err = r.convert(func() { exported = v.Export() })
	return exported, err
}

// convert runs f, a conversion of a value to Go, under the limits. The error
// knows no place, since values have none.
func (r *Runtime) convert(f func()) error {
	err := r.guarded(&source{}, func() error {
		if exception := r.vm.Try(f); exception != nil {
			return exception
		}
		return nil
	})
	if err == nil {
		return nil
	}
	var e *Error
	if errors.As((&source{}).runError(r.vm, err), &e) {
		return e
	}
	return err
}

// Variable returns the name of the variable that t denotes, "" if it is a
// property.
func (t *Target) Variable() string {
	if t.object != nil {
		return ""
	}
	return t.name
}
