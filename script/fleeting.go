package script

import (
	"reflect"

	"github.com/dop251/goja/ast"
)

// Fleeting is something in a source whose value is not carried over to another runtime
// (Snapshot), and begins anew there or is gone.
type Fleeting struct {
	Position Position
	What     string // in words
}

// fleeting goes through a tree for what makes values that are not carried over: those that
// can be seen in the text. In linear time: a name leads to the functions that bind it.
type fleeting struct {
	source    *source
	cursor    cursor
	functions []function               // around the node
	binders   map[string][]int         // the functions around the node that bind a name, innermost last
	returned  map[ast.Node]bool        // functions and objects that leave their function
	plain     map[*ast.Identifier]bool // names behind a dot
	list      []Fleeting
}

// function is a function around the node.
type function struct {
	names    []string
	captured int // the outermost function of which it uses a variable
}

const mostFleeting = 20

func fleetingIn(s *source, tree reflect.Value) []Fleeting {
	f := &fleeting{source: s, cursor: s.cursor(), binders: make(map[string][]int), returned: make(map[ast.Node]bool), plain: make(map[*ast.Identifier]bool)}
	f.value(tree, 0)
	return f.list
}

func (f *fleeting) tell(at ast.Node, what string) {
	if len(f.list) < mostFleeting {
		place := f.cursor.position(int(at.Idx0()) - f.source.file.Base() - f.source.prefix)
		f.list = append(f.list, Fleeting{place, what})
	}
}

// value visits every node below v, as walker does.
func (f *fleeting) value(v reflect.Value, depth int) {
	switch v.Kind() {
	case reflect.Interface:
		if !v.IsNil() {
			f.value(v.Elem(), depth)
		}
	case reflect.Pointer:
		if v.IsNil() || v.Type() == fileType || depth > deepestTree {
			return
		}
		node, _ := v.Interface().(ast.Node)
		leave := f.node(node)
		f.fields(v.Elem(), depth+1)
		leave()
	case reflect.Slice:
		for i := range v.Len() {
			f.value(v.Index(i), depth)
		}
	case reflect.Struct:
		leave := func() {}
		if v.CanAddr() && reflect.PointerTo(v.Type()).Implements(nodeType) {
			leave = f.node(v.Addr().Interface().(ast.Node))
		}
		f.fields(v, depth)
		leave()
	}
}

func (f *fleeting) fields(v reflect.Value, depth int) {
	if v.Kind() != reflect.Struct {
		return
	}
	for i := range v.NumField() {
		if name := v.Type().Field(i).Name; name != "DeclarationList" {
			f.value(v.Field(i), depth)
		}
	}
}

func stay() {}

// node looks at a node; what it returns is called behind its children.
func (f *fleeting) node(node ast.Node) (leave func()) {
	switch n := node.(type) {
	case *ast.FunctionLiteral:
		return f.enter(n, declared(n.ParameterList, n.DeclarationList))
	case *ast.ArrowFunctionLiteral:
		return f.enter(n, declared(n.ParameterList, n.DeclarationList))
	case *ast.DotExpression:
		f.plain[&n.Identifier] = true
	case *ast.Identifier:
		if !f.plain[n] {
			f.use(n.Name.String())
		}
	case *ast.ReturnStatement:
		f.leaves(n.Argument)
	case *ast.PropertyKeyed:
		if n.Kind == ast.PropertyKindGet || n.Kind == ast.PropertyKindSet {
			f.tell(n.Key, "a property with a getter or a setter")
		}
	case *ast.NewExpression:
		if callee, ok := n.Callee.(*ast.Identifier); ok {
			switch name := callee.Name.String(); name {
			case "Proxy", "Promise", "WeakMap", "WeakSet":
				f.tell(n, "a "+name)
			}
		}
	}
	return stay
}

// declared are the names that a function binds.
func declared(parameters *ast.ParameterList, list []*ast.VariableDeclaration) (names []string) {
	if parameters != nil {
		for _, binding := range parameters.List {
			names = appendNames(names, binding.Target)
		}
		names = appendNames(names, parameters.Rest)
	}
	for _, declaration := range list {
		for _, binding := range declaration.List {
			names = appendNames(names, binding.Target)
		}
	}
	return names
}

// enter begins a function.
func (f *fleeting) enter(node ast.Node, names []string) (leave func()) {
	depth := len(f.functions)
	f.functions = append(f.functions, function{names, depth})
	for _, name := range names {
		f.binders[name] = append(f.binders[name], depth)
	}
	return func() {
		inner := f.functions[depth]
		f.functions = f.functions[:depth]
		for _, name := range names {
			f.binders[name] = f.binders[name][:len(f.binders[name])-1]
		}
		if depth > 0 {
			f.functions[depth-1].captured = min(f.functions[depth-1].captured, inner.captured)
		}
		if inner.captured < depth && f.returned[node] {
			f.tell(node, "what a function keeps in variables of the one that returns it")
		}
	}
}

// use notes that a variable is used.
func (f *fleeting) use(name string) {
	binders := f.binders[name]
	if len(binders) == 0 {
		return
	}
	innermost := &f.functions[len(f.functions)-1]
	innermost.captured = min(innermost.captured, binders[len(binders)-1])
}

// leaves notes the functions that a value brings out of the function that returns it.
func (f *fleeting) leaves(value ast.Expression) {
	switch n := value.(type) {
	case *ast.FunctionLiteral:
		f.returned[n] = true
	case *ast.ArrowFunctionLiteral:
		f.returned[n] = true
	case *ast.ObjectLiteral:
		for _, property := range n.Value {
			if keyed, ok := property.(*ast.PropertyKeyed); ok {
				f.leaves(keyed.Value)
			}
		}
	}
}
