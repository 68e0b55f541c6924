package script_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/dop251/goja"

	"ccxmld/script"
)

// TestEachIsBounded: a loop over much stops at the limits, also when what is done
// for each entry never enters the engine. The runtime is good for more then.
func TestEachIsBounded(t *testing.T) {
	short := script.Limits{Time: 50 * time.Millisecond, Steps: 1 << 40, Full: true} // the time, on any machine
	tests := []struct {
		name, object string
		limits       script.Limits
		visit        time.Duration
		reason       string
	}{
		{"entries that take long", "[1,2,3,4,5,6,7,8,9]", short, 30 * time.Millisecond, "longer than 50ms"},
		{"a proxy that never answers", "new Proxy({a: 1}, {get: function() { for (;;) {} }})", short, 0, "longer than 50ms"},
		{"too many entries", "(function(o) { for (var i = 0; i < 2000; i++) o['k' + i] = i; return o })({})",
			script.Limits{ArrayLength: 1000}, 0, "more than 1000 entries"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			l := script.NewLanguage("s")
			r := l.NewRuntime(test.limits)
			expression := func(text string) *script.Expression {
				e, err := l.Expression(text, script.Position{URI: "doc", Line: 1})
				if err != nil {
					t.Fatal(err)
				}
				return e
			}
			err := r.Each(expression(test.object), func(string, goja.Value) error {
				<-time.After(test.visit)
				return nil
			})
			if !errors.Is(err, script.ErrLimit) || !strings.Contains(err.Error(), test.reason) {
				t.Errorf("error %v, want ErrLimit with %q", err, test.reason)
			}
			if v, err := r.Eval(expression("1 + 1")); err != nil || v.String() != "2" {
				t.Errorf("afterwards the runtime gives %v, %v", v, err)
			}
		})
	}
}
