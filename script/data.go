package script

import (
	"fmt"
	"math"
	"reflect"
	"strconv"
	"time"

	"github.com/dop251/goja"
)

// mostParts bounds the values that Data gives, so that one that contains itself does
// not go on for ever.
const mostParts = 10000

// Data gives a value as data that may leave the runtime, as JSON has it: nil, bool,
// int64, float64, string, []any or map[string]any, and a date as its text. What is none
// of these, as functions and what is not a number, is nil. Objects of Go are what
// other makes of them, if it is not nil. A value with more than 10,000 parts, or that
// contains itself, is an error. It may run the document's code (getters), under
// the limits.
func (r *Runtime) Data(v goja.Value, other func(any) any) (made any, err error) {
	d := data{other: other}
	if err := r.convert(func() { made = d.of(v) }); err != nil {
		return nil, err
	}
	if d.parts > mostParts {
		return nil, fmt.Errorf("the value has more than %d parts, or contains itself", mostParts)
	}
	return made, nil
}

// data is what Data has made so far.
type data struct {
	parts int
	other func(any) any
}

var (
	objectType = reflect.TypeFor[map[string]any]()
	arrayType  = reflect.TypeFor[[]any]()
)

func (d *data) of(v goja.Value) any {
	if d.parts++; d.parts > mostParts || v == nil {
		return nil
	}
	object, ok := v.(*goja.Object)
	switch {
	case ok && object.ClassName() == "String":
		return object.String()
	case ok && object.ExportType() == objectType:
		made := make(map[string]any)
		for _, key := range object.Keys() {
			if d.parts > mostParts {
				break
			}
			made[key] = d.of(object.Get(key))
		}
		return made
	case ok && object.ExportType() == arrayType:
		made := []any{}
		length := object.Get("length")
		if length == nil { // a Set, which JSON has nothing for
			return map[string]any{}
		}
		for i := range int(length.ToInteger()) {
			if d.parts > mostParts {
				break
			}
			made = append(made, d.of(object.Get(strconv.Itoa(i))))
		}
		return made
	}
	switch value := v.Export().(type) {
	case nil:
		return nil
	case string, bool, int64:
		return value
	case float64:
		if math.IsNaN(value) || math.IsInf(value, 0) {
			return nil
		}
		return value
	case time.Time:
		return value.UTC().Format(time.RFC3339Nano)
	default:
		if d.other != nil {
			return d.other(value)
		}
	}
	return nil
}
