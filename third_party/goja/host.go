package goja

import "github.com/dop251/goja/unistring"

// GetOwn returns the value of a data property that the object itself has, or nil.
// No code of scripts runs for it.
func (o *Object) GetOwn(name string) Value {
	if _, ok := o.self.(*proxyObject); ok {
		return nil
	}
	v := o.self.getOwnPropStr(unistring.NewFromString(name))
	if p, ok := v.(*valueProperty); ok {
		if p.accessor {
			return nil
		}
		return p.value
	}
	return v
}

// callable returns the function that a property with this name is.
func (r *Runtime) callable(v Value, name string) func(FunctionCall) Value {
	if f := toMethod(v); f != nil {
		return f
	}
	panic(r.NewTypeError("%s is not a function", name))
}
