package lint

import (
	"context"
	"strings"

	"ccxmld/interpreter"
	"ccxmld/script"
)

// Dialog is what a <dialogstart> or <dialogprepare> names, where that is a
// constant.
type Dialog struct {
	Position script.Position // of src
	Source   string
	Base     string // what Source is resolved against
	Type     string // "" where it is not given, which is VoiceXML
}

// Dialogs lists the dialogs of a document whose source and type are constants, those
// that it has found when ctx ends.
func Dialogs(ctx context.Context, compiler *interpreter.Compiler, source interpreter.Source) (dialogs []Dialog) {
	compiler = compiler.Until(ctx)
	c := &check{
		ctx: ctx, compiler: compiler, outline: compiler.Outline(source), scripts: make(map[*interpreter.OutlineElement]*script.Reading),
		readings: make(map[*interpreter.OutlineAttribute]*script.Reading),
	}
	if c.outline.Root == nil {
		return nil
	}
	c.gather(c.outline.Root)
	for _, e := range c.elements {
		if e.Foreign || e.Tag != "dialogstart" && e.Tag != "dialogprepare" {
			continue
		}
		src, known := c.constant(e, "src")
		kind, typed := c.constant(e, "type")
		if known && src.IsString && (typed || e.Attribute("type") == nil) {
			dialogs = append(dialogs, Dialog{at(e, "src"), strings.TrimSpace(src.Text), e.Base, strings.ToLower(kind.Text)})
		}
	}
	return dialogs
}
