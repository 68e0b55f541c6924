package vxml

import (
	"github.com/antchfx/xmlquery"
	"github.com/dop251/goja"
)

// document is the XML that <data> has fetched, as scripts see it: the part of DOM
// Level 2 that VoiceXML 2.1, appendix D, asks for. It cannot be changed.
type document struct {
	vm    *goja.Runtime
	nodes map[*xmlquery.Node]*goja.Object // so that a node is always the same object
}

func newDocument(vm *goja.Runtime, root *xmlquery.Node) *goja.Object {
	for root.Parent != nil {
		root = root.Parent
	}
	return newNode(vm, root)
}

func newNode(vm *goja.Runtime, node *xmlquery.Node) *goja.Object {
	d := &document{vm, make(map[*xmlquery.Node]*goja.Object)}
	return d.object(node)
}

// nodeOf gives the node of a document's object, nil for something else.
func nodeOf(object any) any {
	if n, ok := object.(*domNode); ok {
		return n.node
	}
	return nil
}

// documentText gives it as text.
func documentText(object any) any {
	if n, ok := object.(*domNode); ok {
		return n.node.OutputXML(true)
	}
	return nil
}

// object gives the object of a node.
func (d *document) object(n *xmlquery.Node) *goja.Object {
	if o, ok := d.nodes[n]; ok {
		return o
	}
	o := d.vm.NewDynamicObject(&domNode{d, n})
	d.nodes[n] = o
	return o
}

func (d *document) orNull(n *xmlquery.Node) goja.Value {
	if n == nil {
		return goja.Null()
	}
	return d.object(n)
}

// list gives nodes as an array that has item() as a NodeList does.
func (d *document) list(nodes []*xmlquery.Node) goja.Value {
	values := make([]any, len(nodes))
	for i, n := range nodes {
		values[i] = d.object(n)
	}
	array := d.vm.NewArray(values...)
	item := d.vm.ToValue(func(i int) goja.Value {
		if i < 0 || i >= len(nodes) {
			return goja.Null()
		}
		return d.object(nodes[i])
	})
	_ = array.DefineDataProperty("item", item, goja.FLAG_FALSE, goja.FLAG_FALSE, goja.FLAG_FALSE) // a new array takes it
	return array
}

// domNode is a node as an object of ECMAScript. It implements goja.DynamicObject.
type domNode struct {
	document *document
	node     *xmlquery.Node
}

// The types of nodes (DOM Level 2 Core, Node).
const (
	elementType  = 1
	textType     = 3
	cdataType    = 4
	commentType  = 8
	documentType = 9
)

func typeOf(n *xmlquery.Node) int {
	switch n.Type {
	case xmlquery.ElementNode:
		return elementType
	case xmlquery.TextNode:
		return textType
	case xmlquery.CharDataNode:
		return cdataType
	case xmlquery.CommentNode:
		return commentType
	case xmlquery.DocumentNode:
		return documentType
	}
	return 7 // a declaration or an instruction
}

func nameOf(n *xmlquery.Node) string {
	switch typeOf(n) {
	case elementType:
		if n.Prefix != "" {
			return n.Prefix + ":" + n.Data
		}
		return n.Data
	case textType:
		return "#text"
	case cdataType:
		return "#cdata-section"
	case commentType:
		return "#comment"
	case documentType:
		return "#document"
	}
	return n.Data
}

// Get gives a property or method of the node, or nil.
func (n *domNode) Get(key string) goja.Value {
	if v := n.relative(key); v != nil {
		return v
	}
	vm, node := n.document.vm, n.node
	isText := typeOf(node) != elementType && typeOf(node) != documentType
	switch key {
	case "nodeName":
		return vm.ToValue(nameOf(node))
	case "nodeType":
		return vm.ToValue(typeOf(node))
	case "nodeValue", "data":
		if isText {
			return vm.ToValue(node.Data)
		}
		if key == "nodeValue" {
			return goja.Null()
		}
	case "length":
		if isText {
			return vm.ToValue(len([]rune(node.Data)))
		}
	case "textContent":
		return vm.ToValue(node.InnerText())
	case "tagName":
		if typeOf(node) == elementType {
			return vm.ToValue(nameOf(node))
		}
	case "localName":
		return vm.ToValue(node.Data)
	case "prefix":
		return vm.ToValue(node.Prefix)
	case "namespaceURI":
		if node.NamespaceURI == "" {
			return goja.Null()
		}
		return vm.ToValue(node.NamespaceURI)
	}
	return n.method(key)
}

// relative gives a node or nodes that the property stands for, or nil.
func (n *domNode) relative(key string) goja.Value {
	d, node := n.document, n.node
	switch key {
	case "documentElement":
		if typeOf(node) == documentType {
			return d.orNull(firstElement(node))
		}
	case "parentNode":
		return d.orNull(node.Parent)
	case "firstChild":
		return d.orNull(node.FirstChild)
	case "lastChild":
		return d.orNull(node.LastChild)
	case "previousSibling":
		return d.orNull(node.PrevSibling)
	case "nextSibling":
		return d.orNull(node.NextSibling)
	case "ownerDocument":
		root := node
		for root.Parent != nil {
			root = root.Parent
		}
		if root == node {
			return goja.Null()
		}
		return d.object(root)
	case "childNodes":
		var children []*xmlquery.Node
		for child := node.FirstChild; child != nil; child = child.NextSibling {
			children = append(children, child)
		}
		return d.list(children)
	case "attributes":
		if typeOf(node) == elementType {
			return n.attributes()
		}
		return goja.Null()
	}
	return nil
}

// method gives a method, or nil.
func (n *domNode) method(key string) goja.Value {
	d, node, vm := n.document, n.node, n.document.vm
	attribute := func(space, name string) (string, bool) {
		for _, a := range node.Attr {
			if name == qualified(a) && space == "" || space != "" && a.NamespaceURI == space && a.Name.Local == name {
				return a.Value, true
			}
		}
		return "", false
	}
	switch key {
	case "hasChildNodes":
		return vm.ToValue(func() bool { return node.FirstChild != nil })
	case "hasAttributes":
		return vm.ToValue(func() bool { return len(node.Attr) > 0 })
	case "getAttribute":
		return vm.ToValue(func(name string) string { value, _ := attribute("", name); return value })
	case "getAttributeNS":
		return vm.ToValue(func(space, name string) string { value, _ := attribute(space, name); return value })
	case "hasAttribute":
		return vm.ToValue(func(name string) bool { _, ok := attribute("", name); return ok })
	case "hasAttributeNS":
		return vm.ToValue(func(space, name string) bool { _, ok := attribute(space, name); return ok })
	case "getAttributeNode":
		return vm.ToValue(func(name string) goja.Value {
			if value, ok := attribute("", name); ok {
				return d.attribute(name, value)
			}
			return goja.Null()
		})
	case "getElementsByTagName":
		return vm.ToValue(func(name string) goja.Value {
			return d.list(descendants(node, func(n *xmlquery.Node) bool { return name == "*" || nameOf(n) == name }))
		})
	case "getElementsByTagNameNS":
		return vm.ToValue(func(space, name string) goja.Value {
			return d.list(descendants(node, func(n *xmlquery.Node) bool {
				return (space == "*" || n.NamespaceURI == space) && (name == "*" || n.Data == name)
			}))
		})
	case "getElementById":
		return vm.ToValue(func(id string) goja.Value {
			for _, n := range descendants(node, func(n *xmlquery.Node) bool {
				return attributeOf(n, "xml", "id") == id || attributeOf(n, "", "id") == id
			}) {
				return d.object(n)
			}
			return goja.Null()
		})
	case "substringData":
		return vm.ToValue(func(from, count int) string {
			text := []rune(node.Data)
			from = min(max(from, 0), len(text))
			return string(text[from:min(from+max(count, 0), len(text))])
		})
	}
	return nil
}

func qualified(a xmlquery.Attr) string {
	if a.Name.Space == "" {
		return a.Name.Local
	}
	return a.Name.Space + ":" + a.Name.Local
}

// attribute gives an attribute as a node.
func (d *document) attribute(name, value string) *goja.Object {
	o := d.vm.NewObject()
	for _, property := range []struct {
		key   string
		value any
	}{{"nodeName", name}, {"name", name}, {"nodeValue", value}, {"value", value}, {"nodeType", 2}, {"specified", true}} {
		set(o, property.key, d.vm.ToValue(property.value))
	}
	return o
}

// attributes gives all of them, as a NamedNodeMap.
func (n *domNode) attributes() goja.Value {
	d := n.document
	values := make([]any, 0, len(n.node.Attr))
	named := make(map[string]*goja.Object, len(n.node.Attr))
	for _, a := range n.node.Attr {
		o := d.attribute(qualified(a), a.Value)
		values, named[qualified(a)] = append(values, o), o
	}
	array := d.vm.NewArray(values...)
	orNull := func(o *goja.Object, ok bool) goja.Value {
		if !ok {
			return goja.Null()
		}
		return o
	}
	for _, method := range []struct {
		name string
		call any
	}{
		{"getNamedItem", func(name string) goja.Value { o, ok := named[name]; return orNull(o, ok) }},
		{"item", func(i int) goja.Value {
			if i < 0 || i >= len(values) {
				return goja.Null()
			}
			return values[i].(*goja.Object)
		}},
	} {
		_ = array.DefineDataProperty(method.name, d.vm.ToValue(method.call), goja.FLAG_FALSE, goja.FLAG_FALSE, goja.FLAG_FALSE)
	}
	return array
}

// descendants gives the elements below a node that are wanted, in document order.
func descendants(node *xmlquery.Node, wanted func(*xmlquery.Node) bool) []*xmlquery.Node {
	var list []*xmlquery.Node
	for n := node.FirstChild; n != nil; n = following(n, node) {
		if n.Type == xmlquery.ElementNode && wanted(n) {
			list = append(list, n)
		}
	}
	return list
}

// following gives the node after n in document order, within a node.
func following(n, within *xmlquery.Node) *xmlquery.Node {
	if n.FirstChild != nil {
		return n.FirstChild
	}
	for n != within {
		if n.NextSibling != nil {
			return n.NextSibling
		}
		n = n.Parent
	}
	return nil
}

// Set refuses: the document cannot be changed.
func (*domNode) Set(string, goja.Value) bool { return false }

// Has tells whether the node has the property.
func (n *domNode) Has(key string) bool { return n.Get(key) != nil }

// Delete refuses.
func (*domNode) Delete(string) bool { return false }

// Keys lists nothing: what a node has is not enumerated.
func (*domNode) Keys() []string { return nil }
