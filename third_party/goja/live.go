package goja

import (
	"reflect"
	"unsafe"
)

// heldBytes goes through all that the Runtime holds, and returns about how many
// bytes it takes, and of how many parts it consists. It stops once there are more
// bytes than most.
//
// It follows the fields of this package's types and nothing else: what the host
// has put into the Runtime is the host's. What a function of Go has captured is not
// seen, so that functions of this package keep what scripts give them in fields.
func (r *Runtime) heldBytes(most int64) (bytes, parts int64) {
	w := holdings{seen: make(map[unsafe.Pointer]struct{}), most: most}
	w.add(unsafe.Pointer(&r.global), reflect.TypeOf(&r.global).Elem())
	w.add(unsafe.Pointer(&r.globalObject), reflect.TypeOf(&r.globalObject).Elem())
	w.add(unsafe.Pointer(&r.symbolRegistry), reflect.TypeOf(&r.symbolRegistry).Elem())
	w.add(unsafe.Pointer(&r.lastMatch), reflect.TypeOf(&r.lastMatch).Elem())
	w.add(unsafe.Pointer(r.vm), reflect.TypeOf(r.vm).Elem())
	for len(w.todo) > 0 && w.bytes <= most {
		next := w.todo[len(w.todo)-1]
		w.todo = w.todo[:len(w.todo)-1]
		w.visit(reflect.NewAt(next.typ, next.at).Elem())
	}
	return w.bytes, int64(len(w.seen))
}

// holdings is a walk through what a Runtime holds.
type holdings struct {
	seen  map[unsafe.Pointer]struct{}
	todo  []holding
	bytes int64
	most  int64
}

type holding struct {
	at  unsafe.Pointer
	typ reflect.Type
}

func (w *holdings) add(at unsafe.Pointer, typ reflect.Type) {
	if at == nil || !holds(typ) {
		return
	}
	if _, ok := w.seen[at]; ok {
		return
	}
	w.seen[at] = struct{}{}
	w.todo = append(w.todo, holding{at, typ})
}

var packagePath = reflect.TypeOf(Runtime{}).PkgPath()

// holds tells whether values of a type may hold what belongs to the Runtime.
func holds(typ reflect.Type) bool {
	switch typ {
	case reflect.TypeOf(Runtime{}), reflect.TypeOf(Program{}), reflect.TypeOf(objectTemplate{}),
		reflect.TypeOf(objectGoReflect{}), reflect.TypeOf(profTracker{}):
		return false
	}
	if typ.Kind() == reflect.Struct {
		return typ.PkgPath() == packagePath
	}
	return true
}

// visit goes through one value, and notes what it points to.
func (w *holdings) visit(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() || !holds(v.Type().Elem()) {
			return
		}
		at := v.UnsafePointer()
		if _, ok := w.seen[at]; !ok {
			w.bytes += int64(v.Type().Elem().Size())
			w.add(at, v.Type().Elem())
		}
	case reflect.Interface:
		// The type first: interruptVal, an interface{}, is written by whoever interrupts.
		if v.Type().PkgPath() == packagePath && !v.IsNil() {
			w.visit(v.Elem())
		}
	case reflect.String:
		w.text(unsafe.Pointer(unsafe.StringData(v.String())), v.Len())
	case reflect.Slice:
		w.slice(v)
	case reflect.Array:
		for i := 0; i < v.Len(); i++ {
			w.visit(v.Index(i))
		}
	case reflect.Map:
		w.keyed(v)
	case reflect.Struct:
		if !holds(v.Type()) {
			return
		}
		for i := 0; i < v.NumField(); i++ {
			w.visit(v.Field(i))
		}
	case reflect.Float64, reflect.Int64:
		w.bytes += 8
	}
}

func (w *holdings) text(at unsafe.Pointer, n int) {
	const header = 16
	w.bytes += header
	if _, ok := w.seen[at]; !ok && n > 0 {
		w.seen[at] = struct{}{}
		w.bytes += int64(n)
	}
}

func (w *holdings) slice(v reflect.Value) {
	if v.Cap() == 0 || !holds(v.Type().Elem()) {
		return
	}
	at := v.UnsafePointer()
	if _, ok := w.seen[at]; ok {
		return
	}
	w.seen[at] = struct{}{}
	w.bytes += int64(v.Cap()) * int64(v.Type().Elem().Size())
	switch v.Type().Elem().Kind() {
	case reflect.Uint8, reflect.Uint16, reflect.Int, reflect.Int32:
		return
	}
	for i := 0; i < v.Len() && w.bytes <= w.most; i++ {
		w.visit(v.Index(i))
	}
}

func (w *holdings) keyed(v reflect.Value) {
	if v.Len() == 0 {
		return
	}
	at := v.UnsafePointer()
	if _, ok := w.seen[at]; ok {
		return
	}
	w.seen[at] = struct{}{}
	const slack = 8
	w.bytes += int64(v.Len()) * int64(v.Type().Key().Size()+v.Type().Elem().Size()+slack)
	for i := v.MapRange(); i.Next() && w.bytes <= w.most; {
		w.visit(i.Key())
		w.visit(i.Value())
	}
}
