package srgs

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/dop251/goja"

	"ccxmld/script"
)

// Interpret implements Grammar. The error of a script in a tag is a *script.Error.
func (g *Compiled) Interpret(digits string, limits script.Limits) (any, error) {
	d, err := g.derive(digits)
	if err != nil {
		return nil, err
	}
	i := &interpretation{derivation: d}
	whole := step{to: int32(len(digits))}
	if !g.scripts {
		result, err := i.rule(whole, 0)
		if err != nil {
			return nil, err
		}
		return result.literal, nil
	}
	i.runtime = language.NewRuntime(limits)
	i.scopes = make(map[*document]*goja.Object)
	var exported any
	err = i.runtime.Together(func() error {
		result, err := i.rule(whole, 0)
		if err != nil {
			return err
		}
		exported, err = i.export(result)
		return err
	})
	return exported, err
}

// interpretation finds out what an input means: the value of a rule is made from
// those of the rules in it, and by its tags (SISR 1.0).
type interpretation struct {
	*derivation
	// With scripts, there is a runtime, with the scope of each document whose
	// tags have run.
	runtime *script.Runtime
	scopes  map[*document]*goja.Object
}

// result is the value of a rule.
type result struct {
	literal string
	value   goja.Value // instead of the literal, unless it is nil
	tagged  bool       // a tag had a part in it
}

// rule gives the value of a rule. The rules in it come first, all of them: their
// tags see nothing of this one's.
//
// Without a tag, and where tags leave out as it is, the value is that of the last rule
// in it (SISR 1.0, default assignment), be it of digits alone; if none of those has a tag
// either, its digits are, all of them: SISR would have a PIN be its last digit.
func (i *interpretation) rule(s step, depth int) (result, error) {
	if depth > deepestDerivation {
		return result{}, fmt.Errorf("the rules are nested more than %d deep in this input", deepestDerivation)
	}
	steps, err := i.through(s.rule, s.from, s.to)
	if err != nil {
		return result{}, err
	}
	whole := result{literal: i.input[s.from:s.to]}
	tags, tagged := false, false
	var latest result
	parts := make([]result, len(steps))
	for n, part := range steps {
		switch {
		case part.tag != nil:
			tags = true
		case part.rule >= 0:
			if parts[n], err = i.rule(part, depth+1); err != nil {
				return result{}, err
			}
			latest, tagged = parts[n], tagged || parts[n].tagged
		}
	}
	if tagged {
		whole = latest
		whole.tagged = true
	}
	switch d := i.rules[s.rule].document; {
	case !tags:
		return whole, nil
	case d.format == literalTags:
		return lastTag(steps), nil
	default:
		return i.execute(d, steps, parts, whole)
	}
}

// lastTag is the value of a rule with literals: the last one (SISR 1.0).
func lastTag(steps []step) (r result) {
	for _, s := range steps {
		if s.tag != nil {
			r = result{literal: s.tag.text, tagged: true}
		}
	}
	return r
}

// execute runs the tags of a rule in their order. They see what has been matched so
// far (SISR 1.0). The value is whole if they set none.
func (i *interpretation) execute(d *document, steps []step, parts []result, whole result) (result, error) {
	if err := i.enter(d); err != nil {
		return result{}, err
	}
	vm := i.runtime.VM()
	scope := i.runtime.OpenScope(ruleScope)
	rules, meta := vm.NewObject(), vm.NewObject()
	text := ""
	var latest, latestMeta goja.Value = goja.Undefined(), goja.Undefined()
	define(rules, "latest", vm.ToValue(func(goja.FunctionCall) goja.Value { return latest }))
	define(meta, "latest", vm.ToValue(func(goja.FunctionCall) goja.Value { return latestMeta }))
	define(meta, "current", vm.ToValue(func(goja.FunctionCall) goja.Value { return metaOf(vm, text) }))
	initial := vm.NewObject()
	i.runtime.Declare(ruleScope, "out", initial)
	i.runtime.Declare(ruleScope, "rules", rules)
	i.runtime.Declare(ruleScope, "meta", meta)
	for n, s := range steps {
		text += i.input[s.from:s.to]
		switch {
		case s.tag != nil:
			if err := i.runtime.Run(s.tag.program, ruleScope); err != nil {
				return result{}, err
			}
		case s.rule >= 0:
			name := i.rules[s.rule].name
			latest, latestMeta = parts[n].in(vm), metaOf(vm, i.input[s.from:s.to])
			define(rules, name, latest)
			define(meta, name, latestMeta)
		}
	}
	out := scope.Get("out")
	switch {
	case out == nil:
		out = goja.Undefined()
	case out.SameAs(initial) && len(initial.Keys()) == 0:
		return whole, nil
	}
	return result{value: out, tagged: true}, nil
}

// enter makes the variables of a document's header those that scripts see.
func (i *interpretation) enter(d *document) error {
	if scope, known := i.scopes[d]; known {
		i.runtime.SwitchScope(documentScope, scope)
		return nil
	}
	i.scopes[d] = i.runtime.OpenScope(documentScope)
	for _, t := range d.header {
		if err := i.runtime.Run(t.program, documentScope); err != nil {
			return err
		}
	}
	return nil
}

// define sets a property without calling what a script may have put there.
func define(object *goja.Object, name string, v goja.Value) {
	// A script that has frozen the object keeps it as it is.
	_ = object.DefineDataProperty(name, v, goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_TRUE)
}

// metaOf describes what was matched (SISR 1.0). Keys are certain.
func metaOf(vm *goja.Runtime, text string) goja.Value {
	meta := vm.NewObject()
	define(meta, "text", vm.ToValue(text))
	define(meta, "score", vm.ToValue(1.0))
	return meta
}

func (r result) in(vm *goja.Runtime) goja.Value {
	if r.value != nil {
		return r.value
	}
	return vm.ToValue(r.literal)
}

// stringify writes the value of the root rule. It is guarded against what is too
// big or too deep, and leaves functions out.
var stringify = func() *script.Expression {
	compiled, err := language.Expression("JSON.stringify(out)", script.Position{})
	if err != nil {
		panic(err)
	}
	return compiled
}()

// export gives a value as plain Go, without anything of the runtime.
func (i *interpretation) export(r result) (any, error) {
	if r.value == nil {
		return r.literal, nil
	}
	if _, isObject := r.value.(*goja.Object); !isObject {
		switch v := r.value.Export().(type) {
		case int64:
			return float64(v), nil
		default:
			return v, nil
		}
	}
	i.runtime.OpenScope(documentScope)
	i.runtime.OpenScope(ruleScope)
	i.runtime.Declare(ruleScope, "out", r.value)
	written, err := i.runtime.Eval(stringify)
	if err != nil || goja.IsUndefined(written) {
		return nil, err
	}
	var exported any
	if err := json.Unmarshal([]byte(written.String()), &exported); err != nil {
		return nil, fmt.Errorf("the value of the grammar's root rule is no JSON: %w", err)
	}
	return exported, nil
}

// Value gives an interpretation as a value of a runtime: maps and slices become
// objects and arrays of its own.
func Value(vm *goja.Runtime, v any) goja.Value {
	switch v := v.(type) {
	case map[string]any:
		object := vm.NewObject()
		for _, name := range slices.Sorted(maps.Keys(v)) {
			define(object, name, Value(vm, v[name]))
		}
		return object
	case []any:
		items := make([]any, len(v))
		for n, item := range v {
			items[n] = Value(vm, item)
		}
		return vm.NewArray(items...)
	case nil:
		return goja.Null()
	}
	return vm.ToValue(v)
}
