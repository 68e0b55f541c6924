package script

import (
	"slices"

	"github.com/dop251/goja/ast"
)

// Lack is something that a source uses and that its author knows from another
// engine: it is undefined here.
type Lack struct {
	Position Position
	Name     string
	Instead  string // what to write
}

// String says in words what is not there and what to write.
func (l Lack) String() string {
	if l.Instead == laterInstead {
		return l.Name + " is not there unless limits.ecmascript is full; write what ECMAScript 5 has"
	}
	return l.Name + " is not there, it is of another ECMAScript engine; write " + l.Instead
}

// IsLacking tells whether a global name is one that Lacks are told of.
func IsLacking(name string) bool {
	return lackingGlobals[name] != "" || slices.Contains(laterGlobals, name)
}

// Lacks are what the expression uses and is not there.
func (e *Expression) Lacks() []Lack { return e.source.lacks }

// Lacks are what the target uses and is not there.
func (t *Target) Lacks() []Lack { return t.source.lacks }

// Lacks are what the script uses and is not there.
func (s *Script) Lacks() []Lack { return s.source.lacks }

// lackingGlobals are global names of older engines: of Mozilla's (Rhino, in which
// platforms for CCXML were written), and of Microsoft's.
var lackingGlobals = map[string]string{
	"java": javaInstead, "javax": javaInstead, "Packages": javaInstead, "importPackage": javaInstead,
	"importClass": javaInstead, "JavaImporter": javaInstead, "JavaAdapter": javaInstead,
	"uneval": "JSON.stringify(value)", "isXMLName": xmlInstead, "XMLList": xmlInstead, "QName": xmlInstead,
	"ActiveXObject": "<send> to an HTTP server", "VBArray": "an Array", "Enumerator": "an index from 0 to length",
	"ScriptEngine": "nothing; it told which engine runs",
}

const (
	javaInstead = "ECMAScript alone, or <send> to an HTTP server that does it in Java"
	xmlInstead  = "text, and regular expressions that read it: ECMAScript for XML (E4X) is not there"
)

// laterGlobals are those of ECMAScript 2015 and later that documents get with
// Limits.Full only.
var laterGlobals = []string{
	"Proxy", "Reflect", "Symbol", "Promise", "WeakMap", "WeakSet", "WeakRef", "ArrayBuffer", "DataView", "Int8Array",
	"Uint8Array", "Uint8ClampedArray", "Int16Array", "Uint16Array", "Int32Array", "Uint32Array", "Float32Array",
	"Float64Array",
}

const laterInstead = "what ECMAScript 5 has"

// lackingProperties are properties that each object or function had in them.
var lackingProperties = map[string]string{
	"toSource": "JSON.stringify(value)", "watch": "Object.defineProperty with a setter",
	"unwatch": "Object.defineProperty with writable: true", "__noSuchMethod__": "a test of typeof before the call",
	"__parent__": "a variable of its own", "__count__": "Object.keys(value).length",
}

// genericMethods are those that Mozilla's Array and String had themselves, too.
var genericMethods = []string{
	"charAt", "charCodeAt", "concat", "every", "filter", "forEach", "indexOf", "join", "lastIndexOf", "map",
	"match", "pop", "push", "reduce", "replace", "reverse", "search", "shift", "slice", "some", "sort", "splice",
	"split", "substr", "substring", "toLowerCase", "toUpperCase", "trim", "unshift",
}

// lack notes what a node uses that is not there.
func (w *walker) lack(node ast.Node) {
	switch n := node.(type) {
	case *ast.Identifier:
		name := n.Name.String()
		if n == w.property {
			return
		}
		if instead := lackingGlobals[name]; instead != "" {
			w.lacks(n, name, instead)
		} else if slices.Contains(laterGlobals, name) {
			w.lacks(n, name, laterInstead)
		}
	case *ast.FunctionLiteral:
		w.body = n.Body
		if n.Async || n.Generator {
			w.lacks(n, "a generator or an asynchronous function", laterInstead)
		}
	case *ast.BlockStatement:
		if n != w.body {
			w.blockFunctions(n)
		}
	case *ast.ArrowFunctionLiteral:
		w.body, _ = n.Body.(*ast.BlockStatement)
		if n.Async {
			w.lacks(n, "an asynchronous function", laterInstead)
		}
	case *ast.DotExpression:
		name := n.Identifier.Name.String()
		w.property = &n.Identifier
		if instead := lackingProperties[name]; instead != "" {
			w.lacks(&n.Identifier, name, instead)
			return
		}
		left, _ := n.Left.(*ast.Identifier)
		if left != nil && (left.Name == "Array" || left.Name == "String") && slices.Contains(genericMethods, name) {
			w.lacks(left, left.Name.String()+"."+name, left.Name.String()+".prototype."+name+".call(value, …)")
		}
		if name == "caller" && plainChain(n.Left) && pathOf(n.Left) == "arguments.callee" || name == "caller" && left != nil && left.Name == "arguments" {
			w.lacks(&n.Identifier, name, "an argument that says who calls")
		}
	}
}

// blockFunctions notes functions that a block declares, which older engines know outside
// of it, too.
func (w *walker) blockFunctions(block *ast.BlockStatement) {
	for _, statement := range block.List {
		if f, ok := statement.(*ast.FunctionDeclaration); ok && f.Function.Name != nil {
			name := f.Function.Name.Name.String()
			w.lacks(f.Function, name+" outside of the block that declares it", "var "+name+" = function (…) {…}; in its place")
		}
	}
}

func (w *walker) lacks(at ast.Node, name, instead string) {
	const most = 20 // enough to tell of one source
	if len(w.source.lacks) < most && w.source.file != nil {
		w.source.lacks = append(w.source.lacks, Lack{Position: w.source.errorAt(at.Idx0(), nil, "").Position, Name: name, Instead: instead})
	}
}
