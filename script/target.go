package script

import (
	"github.com/dop251/goja"
	"github.com/dop251/goja/ast"
)

// Target is a compiled left-hand side: a variable (a), a variable of a named
// scope (application.a), or a property (a.b, a['b'], a[i].c). It is immutable
// and shared by all sessions.
type Target struct {
	source *source
	// name is the variable or the property, if it is known in advance.
	name string
	// object is what has the property; nil for a variable. If it is just the
	// name of a scope, scope says which.
	object *Expression
	scope  int
	// key computes the property's name, if name does not say it.
	key *Expression
}

// String returns the source text.
func (t *Target) String() string { return t.source.text }

// Position returns where the target stands in its document.
func (t *Target) Position() Position { return t.source.at }

// Errorf returns an error about the target.
func (t *Target) Errorf(format string, args ...any) *Error {
	return t.source.errorf(nil, format, args...)
}

// Target compiles src, which must be something that can be assigned to. The
// references are as in Expression; the error is an *Error.
func (l *Language) Target(src string, at Position, references ...Reference) (*Target, error) {
	s := l.source(src, at, references)
	defer s.compiled()
	node, err := s.parseExpression()
	if err != nil {
		return nil, err
	}
	t := &Target{source: s, scope: -1}
	var object, key ast.Expression
	switch n := node.(type) {
	case *ast.Identifier:
		t.name = plain(n.Name)
		return t, nil
	case *ast.DotExpression:
		t.name, object = plain(n.Identifier.Name), n.Left
	case *ast.BracketExpression:
		object = n.Left
		if literal, ok := n.Member.(*ast.StringLiteral); ok {
			t.name = literal.Value.String()
		} else {
			key = n.Member
		}
	default:
		return nil, s.errorf(nil, "SyntaxError: %s is not a variable or property, so nothing can be assigned to it", s.excerpt())
	}
	if id, ok := object.(*ast.Identifier); ok {
		t.scope = l.index(id.Name.String())
	}
	if t.object, err = l.expression(s, object); err != nil {
		return nil, err
	}
	if key != nil {
		t.key, err = l.expression(s, key)
	}
	return t, err
}

// Assign sets what t denotes to v. The error is an *Error that wraps
// ErrUndeclared for a variable that was not declared, and ErrReadOnly for one
// that documents cannot change. A property of an object need not exist.
func (r *Runtime) Assign(t *Target, v goja.Value) error {
	p, err := r.place(t)
	if err != nil {
		return err
	}
	if err := r.assignable(t, p); err != nil {
		return err
	}
	return r.guarded(t.source, func() error { return p.object.Set(p.name, v) })
}

// Declared reports whether Assign would find what t denotes, so that an
// operation whose result goes there may begin. It evaluates what t needs to have
// evaluated, as Assign does.
func (r *Runtime) Declared(t *Target) bool {
	p, err := r.place(t)
	return err == nil && r.assignable(t, p) == nil
}

// place is where an assignment goes: a property of an object, which is the scope
// with the index scope, or no scope if that is -1.
type place struct {
	object *goja.Object
	scope  int
	name   string
}

// place finds the object and the property that t denotes at present.
func (r *Runtime) place(t *Target) (place, error) {
	if t.object == nil {
		i := r.find(t.name)
		if i < 0 {
			return place{}, t.source.errorf(ErrUndeclared, "%s is not declared", t.name)
		}
		return place{r.scopes[i], i, t.name}, nil
	}
	p := place{scope: -1, name: t.name}
	if t.scope >= 0 && r.find(t.object.variable) < 0 {
		p.object, p.scope = r.scopes[t.scope], t.scope
	} else {
		v, err := r.Eval(t.object)
		if err != nil {
			return p, err
		}
		object, ok := v.(*goja.Object)
		if !ok {
			return p, t.source.errorf(nil, "TypeError: %s is %s, which has no properties to assign to", t.object, shorten(v.String()))
		}
		p.object, p.scope = object, r.scopeOf(object)
	}
	if t.key != nil {
		v, err := r.Eval(t.key)
		if err != nil {
			return p, err
		}
		err = r.guarded(t.source, func() error { p.name = v.String(); return nil })
		if err != nil {
			return p, err
		}
	}
	return p, nil
}

// assignable returns an error if the rules of the scopes forbid the assignment.
func (r *Runtime) assignable(t *Target, p place) error {
	if p.scope < 0 {
		return nil
	}
	rule := r.language.scopes[p.scope]
	if rule.readOnly {
		return t.source.errorf(ErrReadOnly, "%s cannot be changed: the scope %s is read-only", t.source.excerpt(), rule.name)
	}
	if !rule.open && !r.has(p.object, p.name) {
		return t.source.errorf(ErrUndeclared, "%s is not declared", t.source.excerpt())
	}
	return nil
}

// scopeOf returns the index of the scope that object is, or -1.
func (r *Runtime) scopeOf(object *goja.Object) int {
	for i, scope := range r.scopes {
		if scope == object {
			return i
		}
	}
	return -1
}
