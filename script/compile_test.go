package script_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"ccxmld/script"
)

// TestWhatTheParserStumblesOver: what made the engine's parser panic is an error of the
// source.
func TestWhatTheParserStumblesOver(t *testing.T) {
	for _, src := range []string{"let[...", "var [...a", "let[...new.target", "[...a", "(function([...", "for(let[...", "let [...catch", "var{...", "async(...", "class{[..."} {
		for name, err := range map[string]error{
			"a script":              compiled(ccxml().Script(src, at)),
			"a script that is read": compiled(ccxml().ReadScript(src, at)),
			"an expression":         compiled(ccxml().Expression(src, at)),
			"an expression, read":   compiled(ccxml().ReadExpression(src, at)),
			"a target":              compiled(ccxml().Target(src, at)),
		} {
			var e *script.Error
			if !errors.As(err, &e) || e.Position.Line < at.Line || strings.Contains(err.Error(), "engine failed") {
				t.Errorf("%q as %s: %v", src, name, err)
			}
		}
	}
}

func compiled[T any](_ T, err error) error { return err }

// TestCompilingEnds with the context.
func TestCompilingEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	l := ccxml().Until(ctx)
	before, err := l.Script("var a = 1", at)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	for name, err := range map[string]error{
		"a script":      compiled(l.Script("var a = 1", at)),
		"an expression": compiled(l.Expression("1 + 1", at)),
		"a reading":     compiled(l.ReadExpression("1 + 1", at)),
		"a target":      compiled(l.Target("a.b", at)),
	} {
		if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "flow.ccxml:7:20: compiling was broken off") {
			t.Errorf("%s: %v", name, err)
		}
	}
	// What has been compiled is compiled for other scopes when it runs in them.
	r := ccxml().NewRuntime(script.Limits{})
	for _, scope := range []string{"ccxml", "transition"} {
		if err := r.Run(before, scope); err != nil {
			t.Error(err)
		}
	}
}
