package interpreter_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"ccxmld/interpreter"
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

// TestCompilingStops: what is left of a document is not gone through once the context has
// ended, wherever it stands.
func TestCompilingStops(t *testing.T) {
	for name, content := range map[string]string{
		"actions":         `<transition>%s</transition>`,
		"partitions":      `<transition><if cond="1">%s</if></transition>`,
		"foreach":         `<transition><foreach item="a" object="b">%s</foreach></transition>`,
		"transitions":     `%s`,
		"of an extension": `<transition>%s</transition>`,
	} {
		t.Run(name, func(t *testing.T) {
			each := map[string]string{"transitions": `<transition cond="1"/>`, "of an extension": `<x:a xmlns:x="u"/>`}[name]
			if each == "" {
				each = `<log expr="1"/>`
			}
			text := fmt.Sprintf(`<ccxml version="1.0"><eventprocessor>`+content+`</eventprocessor></ccxml>`, strings.Repeat(each, 10_000))
			source, err := parseSource("a.ccxml", text)
			if err != nil {
				t.Fatal(err)
			}
			const enough = 1 << 30
			whole := &ending{Context: t.Context(), left: enough}
			if _, err := interpreter.NewCompiler().Until(whole).CompileSource(source); err != nil {
				t.Fatal(err)
			}
			ctx := &ending{Context: t.Context(), left: (enough - whole.left) * 3 / 4}
			if _, err := interpreter.NewCompiler().Until(ctx).CompileSource(source); !errors.Is(err, context.Canceled) && !strings.Contains(err.Error(), "broken off") {
				t.Fatal(err)
			}
			if ctx.after > 50 {
				t.Errorf("the context was looked at %d times after its end", ctx.after)
			}
		})
	}
}

// TestLongBase: a base is no longer than many references can be resolved against.
func TestLongBase(t *testing.T) {
	long := strings.Repeat("x", 1500)
	for text, want := range map[string]string{
		`<ccxml version="1.0" xml:base="http://a/` + long + `/"><eventprocessor><transition/></eventprocessor></ccxml>`:                         "",
		`<ccxml version="1.0" xml:base="http://a/` + long + long + `/"><eventprocessor><transition/></eventprocessor></ccxml>`:                  "longer than 2000 bytes",
		`<ccxml version="1.0" xml:base="http://a/` + long + `/"><eventprocessor><transition xml:base="` + long + `"/></eventprocessor></ccxml>`: "longer than 2000 bytes",
		`<ccxml version="1.0"><eventprocessor><transition><log expr="1" xml:base="http://a/%zz"/></transition></eventprocessor></ccxml>`:        "not a URI",
	} {
		source, err := parseSource("http://h/a.ccxml", text)
		if err != nil {
			t.Fatal(err)
		}
		_, err = interpreter.NewCompiler().CompileSource(source)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
