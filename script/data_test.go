package script

import (
	"reflect"
	"strings"
	"testing"

	"github.com/dop251/goja"
)

func TestData(t *testing.T) {
	tests := []struct {
		expression string
		want       any
		problem    string
	}{
		{`({a: 1, b: [true, null, , "x"], c: {d: 1.5}})`,
			map[string]any{"a": int64(1), "b": []any{true, nil, nil, "x"}, "c": map[string]any{"d": 1.5}}, ""},
		{`[undefined, NaN, 1 / 0, function () {}, new Map()]`, []any{nil, nil, nil, nil, nil}, ""},
		{`new Date(0)`, "1970-01-01T00:00:00Z", ""},
		{`[new String("s"), new Number(2), new Boolean(false)]`, []any{"s", int64(2), false}, ""},
		{`(function () { var o = {}; o.o = o; return o; })()`, nil, "contains itself"},
		{`(function () { var a = [1]; for (var i = 0; i < 20; i++) a = [a, a]; return a; })()`, nil, "more than 10000 parts"},
		{`(function () { var a = []; for (var i = 0; i < 20000; i++) a = [a]; return a; })()`, nil, "more than 10000 parts"},
		{`(function () { var a = []; a.length = 4000000000; return a; })()`, nil, "more than 10000 parts"},
		{`new Set([1])`, map[string]any{}, ""},
		{`({get a() { throw "no"; }})`, nil, "no"},
		{`({get a() { while (true) { } }})`, nil, "and was stopped"},
	}
	language := NewLanguage("scope")
	limits := Limits{Steps: 3_000_000, Full: true}
	for _, test := range tests {
		r := language.NewRuntime(limits)
		e, err := language.Expression(test.expression, Position{})
		if err != nil {
			t.Fatal(err)
		}
		v, err := r.Eval(e)
		if err != nil {
			t.Fatal(err)
		}
		got, err := r.Data(v, func(any) any { return nil })
		switch {
		case test.problem == "" && (err != nil || !reflect.DeepEqual(got, test.want)):
			t.Errorf("%s: %#v, %v; want %#v", test.expression, got, err, test.want)
		case test.problem != "" && (err == nil || !strings.Contains(err.Error(), test.problem)):
			t.Errorf("%s: %v; want %q", test.expression, err, test.problem)
		}
	}
	r := language.NewRuntime(Limits{})
	object := r.VM().NewDynamicObject(&readOnlyScope{})
	if got, err := r.Data(r.VM().NewArray(object), func(o any) any { return reflect.TypeOf(o).String() }); err != nil || !reflect.DeepEqual(got, []any{"*script.readOnlyScope"}) {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := r.Data(goja.Undefined(), nil); got != nil || err != nil {
		t.Errorf("%v, %v", got, err)
	}
}

// TestAccessors: functions that a document puts in the place of variables run under the
// limits when they are read, and are not called when the variable is declared.
func TestAccessors(t *testing.T) {
	language := NewLanguage("scope")
	r := language.NewRuntime(Limits{})
	run := func(text string) {
		t.Helper()
		s, err := language.Script(text, Position{})
		if err == nil {
			err = r.Run(s, "scope")
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	run(`Object.defineProperty(scope, "v", {get: function () { while (true) { } }, set: function () { while (true) { } }, configurable: true})`)
	if v, err := r.Variable("scope", "v"); v != nil || err == nil || !strings.Contains(err.Error(), "and was stopped") {
		t.Errorf("%v, %v", v, err)
	}
	if scope, ok := r.Resolve("v"); scope != "scope" || !ok {
		t.Errorf("%q, %v", scope, ok)
	}
	r.Declare("scope", "v", r.VM().ToValue(1))
	if v, err := r.Variable("scope", "v"); err != nil || v.ToInteger() != 1 {
		t.Errorf("%v, %v", v, err)
	}
	if v, err := r.Variable("scope", "none"); v != nil || err != nil {
		t.Errorf("%v, %v", v, err)
	}
}
