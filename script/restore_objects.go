package script

import (
	"encoding/json"
	"errors"
	"strings"

	"github.com/dop251/goja"
)

// symbol finds a symbol of the language.
func (re *restorer) symbol(i int, name string) error {
	for symbol, known := range symbolNames {
		if known == name {
			re.made[i] = symbol
			return nil
		}
	}
	return errors.New("a symbol is not known")
}

// builtIn finds what the engine has; nil if a script has taken it away.
func (re *restorer) builtIn(path string) (found goja.Value) {
	re.runtime.eachBuiltIn(func(at string, o *goja.Object) bool {
		if at == path {
			found = o
		}
		return found == nil
	})
	if found == nil {
		re.lose(path, "the engine has nothing there")
	}
	return found
}

// function finds a function that the document's scripts have made, or makes it of its
// text.
func (re *restorer) function(i int, o *written) error {
	text, err := re.textOf(o.Text)
	if err != nil {
		return err
	}
	if o.Captured != nil {
		if f := re.at(o.Captured); f != nil && f.Structure().Text == text {
			re.made[i] = f
			return nil
		}
		re.lose(strings.Join(o.Captured, "."), "no script has made this function again")
		return nil
	}
	if re.again == nil {
		re.again = re.functions()
	}
	f := re.again[text]
	if f == nil {
		f, err = re.compile(text)
	}
	if err != nil {
		re.lose("a function", err.Error())
		return nil
	}
	re.made[i] = f
	return nil
}

// textOf is the text of a function, which may be one of a script.
func (re *restorer) textOf(v any) (string, error) {
	if text, ok := v.(string); ok {
		return text, nil
	}
	list, _ := v.([]any)
	if len(list) != 2 {
		return "", errors.New("it is a function without a text")
	}
	var of [2]int64
	for j, number := range list {
		n, _ := number.(json.Number)
		var err error
		if of[j], err = n.Int64(); err != nil || of[j] < 0 {
			return "", errors.New("it is a function without a text")
		}
	}
	if of[0] >= int64(len(re.Scripts)) {
		return "", errors.New("it is a function of a script that the document does not have")
	}
	texts := re.Scripts[of[0]].functions().texts
	if of[1] >= int64(len(texts)) {
		return "", errors.New("it is a function that its script does not have")
	}
	return texts[of[1]], nil
}

// at gives the object that these properties lead to; nil for none.
func (re *restorer) at(keys []string) *goja.Object {
	if len(keys) == 0 {
		return nil
	}
	o := re.runtime.vm.GlobalObject()
	if keys[0] != "" {
		o = re.runtime.Scope(keys[0])
	}
	for _, key := range keys[1:] {
		if o == nil || o.Structure().Kind == goja.KindHost {
			return nil
		}
		o, _ = o.GetOwn(key).(*goja.Object)
	}
	return o
}

// functions goes through all that the scopes lead to by now, for the functions in it.
func (re *restorer) functions() map[string]*goja.Object {
	found := make(map[string]*goja.Object)
	seen := make(map[*goja.Object]bool)
	var todo []*goja.Object
	add := func(v goja.Value) {
		if o, ok := v.(*goja.Object); ok && !seen[o] {
			seen[o] = true
			todo = append(todo, o)
		}
	}
	for _, v := range re.made[:len(re.runtime.scopes)+1] {
		add(v)
	}
	for len(todo) > 0 {
		o := todo[0]
		todo = todo[1:]
		switch s := o.Structure(); s.Kind {
		case goja.KindHost, goja.KindProxy, goja.KindBuiltIn:
			continue
		case goja.KindFunction:
			if found[s.Text] == nil && s.Scope != nil {
				found[s.Text] = o
			}
			add(o.GetOwn("prototype"))
		}
		o.Elements(func(_ int, p goja.Property) bool { add(p.Value); return true })
		o.Properties(func(p goja.Property) bool { add(p.Value); return true })
		o.Entries(func(key, value goja.Value) bool { add(key); add(value); return true })
	}
	return found
}

// compile makes a function of its text, in the scopes. That of a method is none by
// itself.
func (re *restorer) compile(text string) (*goja.Object, error) {
	for _, expression := range []string{"(" + text + ")", "({" + text + "})"} {
		e, err := re.runtime.language.Expression(expression, Position{URI: evalURI, Line: 1})
		if err != nil {
			continue
		}
		v, err := re.runtime.Eval(e)
		if err != nil {
			return nil, err
		}
		o, ok := v.(*goja.Object)
		if ok && o.Structure().Kind == goja.KindPlain {
			var method *goja.Object
			o.Properties(func(p goja.Property) bool {
				method, _ = p.Value.(*goja.Object)
				return false
			})
			o, ok = method, method != nil
		}
		if ok && o.Structure().Kind == goja.KindFunction {
			return o, nil
		}
	}
	return nil, errors.New("its text cannot be compiled by itself")
}

// host makes an object of the host again.
func (re *restorer) host(i int, o *written) error {
	if re.Hosted == nil {
		return errors.New("it is an object of the platform, and there are none here")
	}
	made, hold, err := re.Hosted.Read(o.Host)
	if err != nil {
		return err
	}
	if made != nil {
		re.made[i] = made
	}
	if hold != nil {
		re.hold[i] = hold
	}
	return nil
}

// held gives an object of the host what it held.
func (re *restorer) held(i int, o *written) error {
	hold := re.hold[i]
	if hold == nil {
		return nil
	}
	if len(o.Property)%2 != 0 {
		return errors.New("a property has no value")
	}
	for j := 0; j < len(o.Property); j += 2 {
		name, _ := o.Property[j].(string)
		v, err := re.value(o.Property[j+1])
		if err != nil {
			return err
		}
		if v == nil {
			v = goja.Undefined()
		}
		hold(Held{name, v})
	}
	return nil
}
