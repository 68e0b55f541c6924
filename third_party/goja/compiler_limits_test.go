package goja

import (
	stdcontext "context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/dop251/goja/parser"
)

// looked is a context that ends after some looks at it.
type looked struct {
	left  int
	looks int
}

func (l *looked) Deadline() (time.Time, bool) { return time.Time{}, false }
func (l *looked) Done() <-chan struct{}       { return nil }
func (l *looked) Value(any) any               { return nil }
func (l *looked) Err() error {
	l.looks++
	if l.looks > l.left {
		return stdcontext.Canceled
	}
	return nil
}

// TestCompilingEndsWithItsContext: soon after, wherever in a program the compiler is.
func TestCompilingEndsWithItsContext(t *testing.T) {
	for name, src := range map[string]string{
		"statements":           strings.Repeat("a;", 100_000),
		"a function":           "function f() {" + strings.Repeat("a;", 100_000) + "}",
		"elements of an array": "[" + strings.Repeat("a,", 100_000) + "]",
		"constants":            strings.Repeat("1+", 900) + "1;" + strings.Repeat("'a'+'b';", 20_000),
	} {
		program, err := parser.ParseFile(nil, "", src, 0)
		if err != nil {
			t.Fatal(err)
		}
		ctx := &looked{left: 3}
		if _, err := CompileASTWithin(CompileLimits{Context: ctx}, program, false); !errors.Is(err, stdcontext.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
		if ctx.looks > 10 {
			t.Errorf("%s: %d looks", name, ctx.looks)
		}
	}
}

// TestInstructionsAreBounded: a program whose compiled form has the square of its length
// is refused before it is there.
func TestInstructionsAreBounded(t *testing.T) {
	src := "for(;;){" + strings.Repeat("{let a; (function(){a});", 200) + strings.Repeat("if(b)break;", 2000) + strings.Repeat("}", 200) + "}"
	program, err := parser.ParseFile(nil, "", src, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := CompileASTWithin(CompileLimits{Instructions: 8 * len(src)}, program, false); !errors.Is(err, ErrTooManyInstructions) {
		t.Errorf("%v", err)
	}
	if _, err := CompileASTWithin(CompileLimits{}, program, false); err != nil {
		t.Error(err)
	}
}
