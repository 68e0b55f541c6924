package vxml_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"ccxmld/dialog/vxml"
	"ccxmld/fetch"
)

// ending is a context that ends when it is looked at for the nth time, and counts how often
// it is looked at after that.
type ending struct {
	context.Context
	left, after int
}

func (e *ending) Err() error {
	if e.left > 0 {
		e.left--
		return nil
	}
	e.after++
	return context.Canceled
}

// TestCompilingStops: what is left of a page is not gone through once the context has
// ended, wherever it stands.
func TestCompilingStops(t *testing.T) {
	for name, page := range map[string][3]string{
		"forms":     {"", "<form/>", ""},
		"items":     {"<form>", `<block cond="1"/>`, "</form>"},
		"actions":   {"<form><block>", `<log expr="1"/>`, "</block></form>"},
		"branches":  {`<form><block><if cond="1">`, `<log expr="1"/>`, "</if></block></form>"},
		"prompts":   {"<form><block><prompt>", `<value expr="1"/>`, "</prompt></block></form>"},
		"options":   {`<form><field name="f">`, `<option dtmf="1">a</option>`, "</field></form>"},
		"choices":   {"<menu>", `<choice dtmf="1" expr="1"/>`, "</menu>"},
		"grammars":  {`<form><field name="f">`, `<grammar mode="dtmf" version="1.0" root="r"><rule id="r">1</rule></grammar>`, "</field></form>"},
		"a grammar": {`<form><field name="f"><grammar mode="dtmf" version="1.0" root="r"><rule id="r">`, `<item>1 <tag>out = 1</tag></item>`, "</rule></grammar></field></form>"},
		"rules":     {`<form><field name="f"><grammar mode="dtmf" version="1.0" root="r">`, `<tag>out = 1</tag>`, `<rule id="r">1</rule></grammar></field></form>`},
	} {
		t.Run(name, func(t *testing.T) {
			text := `<vxml version="2.1" xmlns="http://www.w3.org/2001/vxml">` + page[0] + strings.Repeat(page[1], 5_000) + page[2] + "</vxml>"
			root, places, err := fetch.ParsePlacedXML([]byte(text), "file:///p.vxml", fetch.XMLLimits{})
			if err != nil {
				t.Fatal(err)
			}
			const enough = 1 << 30
			whole := &ending{Context: t.Context(), left: enough}
			if _, err := vxml.NewCompiler().Until(whole).CompilePlaced(root, "file:///p.vxml", places); err != nil {
				t.Fatal(err)
			}
			ctx := &ending{Context: t.Context(), left: (enough - whole.left) * 3 / 4}
			if _, err := vxml.NewCompiler().Until(ctx).CompilePlaced(root, "file:///p.vxml", places); err == nil || !strings.Contains(err.Error(), "broken off") && !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
			if ctx.after > 50 {
				t.Errorf("the context was looked at %d times after its end", ctx.after)
			}
		})
	}
}

// TestLongBase: a base that is longer than many references can be resolved against is
// ignored.
func TestLongBase(t *testing.T) {
	for base, notices := range map[string]int{"http://a/b/": 0, "http://a/" + strings.Repeat("b", 2000): 1, "http://a/%zz": 1} {
		page, err := compile(t, `<vxml version="2.1" xmlns="http://www.w3.org/2001/vxml" xml:base="`+base+`"><form/></vxml>`)
		if err != nil || len(page.Notices) != notices {
			t.Errorf("%.30s: %v, %v", base, err, page.Notices)
		}
	}
}
