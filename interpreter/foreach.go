package interpreter

import (
	"fmt"
	"strings"

	"github.com/dop251/goja"

	"ccxmld/script"
)

// foreachElement is Voxeo's <foreach> (VX-2): its content runs for each entry of
// an array or object, with the value in one variable and the key in another.
// It opens no scope.
type foreachElement struct {
	place
	object, cond *script.Expression
	item, key    string // variables, "" for none
	scope        string // where they are declared
	actions      []action
}

func compileForeach(e *element) action {
	f := &foreachElement{
		place: e.place, object: e.expression("object"), cond: e.expression("cond"),
		item: e.variable("item"), key: e.variable("name"), scope: e.declarationScope(), actions: e.compilation.actions(e),
	}
	if f.item == "" && f.key == "" {
		e.notice(&e.place, "<foreach> has neither item nor name, so its content cannot tell the entries apart")
	}
	return f
}

// variable reads an attribute that names a variable to be declared; "" where it
// is absent. Some documents have it in quotes.
func (e *element) variable(name string) string {
	text, given := e.attribute(name)
	variable := strings.Trim(strings.TrimSpace(text), `'"`)
	if given && !script.IsIdentifier(variable) {
		e.problem(&e.place, fmt.Sprintf("<%s %s=%.200q>: not a variable name", e.tag, name, text))
		return ""
	}
	return variable
}

// run runs the content once for each entry for which the condition holds. The
// limits of scripts bound all of it.
func (f *foreachElement) run(s *Session) error {
	return s.runtime.Each(f.object, func(key string, value goja.Value) error {
		if f.item != "" {
			s.runtime.Declare(f.scope, f.item, value)
		}
		if f.key != "" {
			s.runtime.Declare(f.scope, f.key, s.runtime.VM().ToValue(key))
		}
		if f.cond != nil {
			holds, err := s.runtime.Eval(f.cond)
			if err != nil {
				return err
			}
			if !holds.ToBoolean() {
				return nil
			}
		}
		return s.runNested(f.actions)
	})
}
