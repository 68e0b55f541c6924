package interpreter

import (
	"encoding/xml"
	"strings"

	"github.com/antchfx/xmlquery"
)

// InlineEvent is the name of the event by which the inline content of a <send>
// comes to a session or a dialog: CCXML 1.0 gives it none (9.2.3).
const InlineEvent = "user.content"

// inlineContent compiles the XML in a <send>: one element of another namespace
// (SND-2). It is sent as it stands; "" if there is none or it has problems.
func (e *element) inlineContent() string {
	var content *xmlquery.Node
	for child := range children(e.node) {
		if content != nil {
			e.problem(&e.compilation.element(child, e.base).place, "<send> takes one element of inline content; put this one into the first")
			return ""
		}
		content = child
	}
	if content == nil {
		return ""
	}
	if isCCXML(content) {
		e.problem(&e.compilation.element(content, e.base).place,
			"<"+qualifiedName(content)+"> cannot stand in <send>: inline content needs a namespace of its own")
		return ""
	}
	var b strings.Builder
	writeXML(&b, content, missingNamespaces(content))
	return b.String()
}

// missingNamespaces gives the declarations that an element and what is in it use,
// and that stand on its ancestors.
func missingNamespaces(node *xmlquery.Node) []xmlquery.Attr {
	used := make(map[string]bool)
	usedPrefixes(node, used)
	declared := make(map[string]bool)
	for _, attribute := range node.Attr {
		if prefix, ok := declares(attribute); ok {
			declared[prefix] = true
		}
	}
	var missing []xmlquery.Attr
	for parent := node.Parent; parent != nil; parent = parent.Parent {
		for _, attribute := range parent.Attr {
			if prefix, ok := declares(attribute); ok && !declared[prefix] {
				declared[prefix] = true
				if used[prefix] {
					missing = append(missing, attribute)
				}
			}
		}
	}
	return missing
}

func usedPrefixes(node *xmlquery.Node, used map[string]bool) {
	used[node.Prefix] = true
	for _, attribute := range node.Attr {
		if attribute.Name.Space != "" { // unprefixed attributes have no namespace
			used[attribute.Name.Space] = true
		}
	}
	for child := range children(node) {
		usedPrefixes(child, used)
	}
}

// declares gives the prefix that an attribute declares, "" for the default
// namespace.
func declares(attribute xmlquery.Attr) (prefix string, ok bool) {
	switch {
	case attribute.Name.Space == "xmlns":
		return attribute.Name.Local, true
	case attribute.Name.Space == "" && attribute.Name.Local == "xmlns":
		return "", true
	}
	return "", false
}

// writeXML writes an element with what is in it, less comments. A strings.Builder
// does not fail.
func writeXML(b *strings.Builder, node *xmlquery.Node, more []xmlquery.Attr) {
	name := qualifiedName(node)
	b.WriteString("<" + name)
	for _, attributes := range [][]xmlquery.Attr{more, node.Attr} {
		for _, attribute := range attributes {
			b.WriteByte(' ')
			if attribute.Name.Space != "" {
				b.WriteString(attribute.Name.Space + ":")
			}
			b.WriteString(attribute.Name.Local + `="`)
			_ = xml.EscapeText(b, []byte(attribute.Value))
			b.WriteByte('"')
		}
	}
	if node.FirstChild == nil {
		b.WriteString("/>")
		return
	}
	b.WriteByte('>')
	for child := node.FirstChild; child != nil; child = child.NextSibling {
		switch child.Type {
		case xmlquery.ElementNode:
			writeXML(b, child, nil)
		case xmlquery.TextNode, xmlquery.CharDataNode:
			_ = xml.EscapeText(b, []byte(child.Data))
		}
	}
	b.WriteString("</" + name + ">")
}
