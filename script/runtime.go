package script

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/dop251/goja"
)

// Runtime holds the variables of one session and evaluates what a Language has
// compiled. It is not safe for concurrent use; functions that compiled code calls
// may use it again from within the call.
type Runtime struct {
	language *Language
	limits   Limits
	vm       *goja.Runtime
	scopes   []*goja.Object
	builtIns *goja.Object
	watch    watch
	share    *share // nil: it holds little
}

// NewRuntime returns a runtime in which every scope is there and empty.
func (l *Language) NewRuntime(limits Limits) *Runtime {
	r := &Runtime{language: l, limits: limits.withDefaults(), vm: newEngine(limits)}
	r.vm.SetMaxCallStackSize(r.limits.CallDepth)
	r.vm.Bound(r.bounds())
	r.vm.SetEvaluate(r.evaluate)
	// Variables of the document go to an object of their own in front of the
	// engine's global object: that one is shared between runtimes as long as
	// nobody changes it, which saves a kilobyte a session.
	r.builtIns = r.vm.GlobalObject()
	global := r.vm.CreateObject(r.builtIns)
	r.vm.SetGlobalObject(global)
	r.defineGlobal("globalThis", global)
	r.watch.init(r.vm, &r.limits)
	r.scopes = make([]*goja.Object, len(l.scopes))
	for i := range l.scopes {
		r.open(i)
	}
	return r
}

// SetNow sets what time it is for scripts; that on the wall otherwise.
func (r *Runtime) SetNow(now func() time.Time) { r.vm.SetTimeSource(now) }

// SetRandom sets where Math.random has its numbers of [0, 1) from.
func (r *Runtime) SetRandom(random func() float64) { r.vm.SetRandSource(random) }

func newEngine(limits Limits) *goja.Runtime {
	if limits.Full {
		vm := goja.New()
		for _, name := range []string{"BigInt", "BigInt64Array", "BigUint64Array"} {
			_ = vm.GlobalObject().Delete(name) // A power of one takes time without a bound.
		}
		return vm
	}
	return goja.NewClassic()
}

// VM returns the engine, for making values. Functions and objects for documents
// belong into a scope (Declare), or they fall to CleanGlobals. Code run on
// the engine directly is not bounded by the limits.
func (r *Runtime) VM() *goja.Runtime { return r.vm }

// Scope returns the object that holds the variables of the named scope, or nil if
// there is no such scope. The object of a read-only scope cannot be changed.
func (r *Runtime) Scope(name string) *goja.Object {
	if i := r.language.index(name); i >= 0 {
		return r.scopes[i]
	}
	return nil
}

// Variable returns a variable of the named scope, or nil if there is none. It may run the
// document's code (a getter that it has defined), under the limits.
func (r *Runtime) Variable(scope, name string) (v goja.Value, err error) {
	object := r.Scope(scope)
	if object == nil {
		return nil, nil
	}
	err = r.Together(func() error {
		v = object.Get(name)
		return nil
	})
	return v, err
}

// OpenScope replaces the named scope by a new, empty one and returns its object.
// Functions defined in the old one keep seeing the old one.
func (r *Runtime) OpenScope(name string) *goja.Object {
	i := r.language.index(name)
	if i < 0 {
		return nil
	}
	r.open(i)
	return r.scopes[i]
}

func (r *Runtime) open(i int) {
	rule := &r.language.scopes[i]
	var object *goja.Object
	if rule.readOnly {
		object = r.vm.NewDynamicObject(&readOnlyScope{})
		if err := object.SetPrototype(nil); err != nil {
			panic(err) // A new object is extensible.
		}
	} else {
		object = r.vm.CreateObject(nil)
	}
	r.setScope(i, object)
}

// setScope puts an object in a scope's place.
func (r *Runtime) setScope(i int, object *goja.Object) {
	rule := &r.language.scopes[i]
	r.scopes[i] = object
	// Not writable and not enumerable: a stray assignment cannot replace a
	// scope, and CleanGlobals passes over it.
	r.defineGlobal(rule.name, object)
	r.defineGlobal(rule.hidden, object)
}

func (r *Runtime) defineGlobal(name string, v goja.Value) {
	err := r.vm.GlobalObject().DefineDataProperty(name, v, goja.FLAG_FALSE, goja.FLAG_TRUE, goja.FLAG_FALSE)
	if err != nil {
		// Only a document that made the global object its own (froze it) gets here.
		panic(fmt.Errorf("define the global %s: %w", name, err))
	}
}

// Declare creates the variable in the named scope with the value v, or gives v to
// one that exists. It is how a read-only scope gets its variables. It does
// nothing if there is no such scope.
func (r *Runtime) Declare(scope, name string, v goja.Value) {
	if i := r.language.index(scope); i >= 0 {
		r.define(i, name, v)
	}
}

func (r *Runtime) define(i int, name string, v goja.Value) {
	if r.language.scopes[i].readOnly {
		scope := r.scopes[i].Export().(*readOnlyScope)
		scope.define(name, v)
		return
	}
	// A scope that a document has frozen keeps what it has. A setter that it has put
	// there is not called.
	_ = r.scopes[i].DefineDataProperty(name, v, goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_TRUE)
}

// Resolve returns the scope in which a name without prefix is found, searching
// from the innermost outwards.
func (r *Runtime) Resolve(name string) (scope string, ok bool) {
	if i := r.find(name); i >= 0 {
		return r.language.scopes[i].name, true
	}
	return "", false
}

// find returns the index of the innermost scope that has the variable, or -1.
func (r *Runtime) find(name string) int {
	for i, scope := range slices.Backward(r.scopes) {
		if r.has(scope, name) {
			return i
		}
	}
	return -1
}

// has tells whether an object has a property: also one whose getter fails.
func (r *Runtime) has(object *goja.Object, name string) (known bool) {
	err := r.Together(func() error {
		known = object.Get(name) != nil
		return nil
	})
	return known || err != nil
}

// lookUp returns the value of a variable, or nil if there is none, or one that only
// code of the document can tell.
func (r *Runtime) lookUp(name string) (v goja.Value) {
	err := r.Together(func() error {
		for _, scope := range slices.Backward(r.scopes) {
			if v = scope.Get(name); v != nil {
				break
			}
		}
		return nil
	})
	if err != nil { // The engine says it with its place.
		return nil
	}
	return v
}

// CleanGlobals removes the global variables that assignments to undeclared names
// have created since the runtime was made, as they must not live on in the next
// document.
func (r *Runtime) CleanGlobals() {
	global := r.vm.GlobalObject()
	for _, name := range global.Keys() {
		_ = global.Delete(name) // Fails only for what a document made permanent.
	}
}

// run runs a compiled piece and returns its completion value.
func (r *Runtime) run(src *source, program *goja.Program) (goja.Value, error) {
	var value goja.Value
	err := r.guarded(src, func() (err error) {
		value, err = r.vm.RunProgram(program)
		return err
	})
	if err != nil {
		return nil, err
	}
	return value, nil
}

var errEngine = errors.New("the script engine failed")

// guarded calls f, in which the document's code may run, under the limits. The
// error is an *Error.
func (r *Runtime) guarded(src *source, f func() error) (err error) {
	r.watch.begin(src.at)
	defer func() {
		// A mistake in the engine must not take other sessions along.
		if x := recover(); x != nil {
			err = src.recovered(r.vm, x)
		}
		r.watch.end()
	}()
	return src.runError(r.vm, f())
}

// recovered is the error of what a function of the engine has panicked with: one of
// its limits, or a mistake in it.
func (s *source) recovered(vm *goja.Runtime, x any) error {
	cause, ok := x.(error)
	if !ok {
		if v, ok := x.(goja.Value); ok { // thrown where nothing of the engine catches it
			return s.errorf(nil, "%s", describe(vm, v))
		}
		if text, ok := x.(string); ok {
			return s.errorf(errEngine, "%v: %s", errEngine, text)
		}
		return s.errorf(errEngine, "%v: %T", errEngine, x)
	}
	var (
		exceeded    *goja.LimitError
		overflow    *goja.StackOverflowError
		interrupted *goja.InterruptedError
		exception   *goja.Exception
	)
	if errors.As(cause, &exceeded) || errors.As(cause, &overflow) || errors.As(cause, &interrupted) || errors.As(cause, &exception) {
		return s.runError(vm, cause)
	}
	return s.errorf(cause, "%v: %v", errEngine, cause)
}

// readOnlyScope is a scope that only Declare changes. It implements
// goja.DynamicObject. It has few variables, and every session has one: a list
// takes a third of a map's memory.
type readOnlyScope struct {
	names  []string
	values []goja.Value
}

func (s *readOnlyScope) define(name string, v goja.Value) {
	if i := slices.Index(s.names, name); i >= 0 {
		s.values[i] = v
		return
	}
	s.names, s.values = append(s.names, name), append(s.values, v)
}

// Get returns the variable, or nil.
func (s *readOnlyScope) Get(name string) goja.Value {
	if i := slices.Index(s.names, name); i >= 0 {
		return s.values[i]
	}
	return nil
}

// Set refuses: in sloppy code the assignment is ignored.
func (s *readOnlyScope) Set(string, goja.Value) bool { return false }

// Has reports whether the variable exists.
func (s *readOnlyScope) Has(name string) bool { return slices.Contains(s.names, name) }

// Delete refuses, except for what does not exist.
func (s *readOnlyScope) Delete(name string) bool { return !slices.Contains(s.names, name) }

// Keys lists the variables in the order of their declaration.
func (s *readOnlyScope) Keys() []string { return s.names }
