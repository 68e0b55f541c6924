package interpreter

import (
	"fmt"
	"log/slog"

	"ccxmld/script"
)

// VoxeoNamespace is that of Voxeo's own elements.
const VoxeoNamespace = "http://community.voxeo.com/xmlns/ccxml"

// ExtensionName is the qualified name of an element that is not CCXML's own.
type ExtensionName struct {
	Namespace string
	Local     string
}

// Extension is an element of another namespace that may stand in a transition.
type Extension struct {
	Name       ExtensionName
	Attributes []string // all are expressions, and all may be absent
	DebugLog   bool     // Run wants Invocation.DebugLog

	// Run does what the element says, in the session's goroutine; it must not
	// block. An error is reported to the operator and the transition goes on.
	Run func(Invocation) error
}

// Invocation is one execution of an extension element.
type Invocation struct {
	SessionID string
	Position  script.Position
	Values    map[string]string // of the attributes that are there
	DebugLog  string
	Logger    *slog.Logger
}

// extensionElement is an extension in a document.
type extensionElement struct {
	place
	extension *Extension
	values    map[string]*script.Expression
}

// extension compiles an element of another namespace. One that nobody registered
// raises error.unsupported when it is reached (DOC-14).
func (c *compilation) extension(e *element) action {
	name := ExtensionName{e.node.NamespaceURI, e.node.Data}
	extension, ok := c.extensions[name]
	if !ok {
		reason := fmt.Sprintf("<%s> of namespace %q is not known", qualifiedName(e.node), name.Namespace)
		c.noticeAs(CodeUnsupported, &e.place, reason+"; it raises error.unsupported when it is reached")
		return &unsupported{e.place, reason}
	}
	result := &extensionElement{e.place, extension, make(map[string]*script.Expression)}
	for _, attribute := range extension.Attributes {
		if compiled := e.expression(attribute); compiled != nil {
			result.values[attribute] = compiled
		}
	}
	e.checkAttributes(expr(extension.Attributes...))
	c.document.wantsDebugLog = c.document.wantsDebugLog || extension.DebugLog
	return result
}

func (x *extensionElement) run(s *Session) error {
	invocation := Invocation{SessionID: s.ID(), Position: x.position, Values: make(map[string]string, len(x.values)), Logger: s.log()}
	for name, e := range x.values {
		text, err := s.text(e, "")
		if err != nil {
			return err
		}
		invocation.Values[name] = text
	}
	if x.extension.DebugLog {
		invocation.DebugLog = s.debug.text()
	}
	if err := x.extension.Run(invocation); err != nil {
		s.log().Error("extension element failed", "document", x.position.String(), "element", x.tag, "error", err)
	}
	return nil
}
