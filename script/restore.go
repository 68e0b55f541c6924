package script

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/dop251/goja"
)

// Restore gives the runtime the variables that Snapshot has written, in place of those
// that it has, once the scripts of the document have been run. What could not be carried
// over keeps what they have made of it, or is undefined; lost names what is missing and
// was not when it was written. No setters run, and the limits bound it all: what is
// restored counts as what the session holds.
func (r *Runtime) Restore(v Variables, c Carried) (lost []Lost, err error) {
	if len(v) == 0 {
		return nil, errors.New("there are no variables to restore")
	}
	objects, err := readObjects(v)
	if err != nil {
		return nil, err
	}
	if len(objects) <= len(r.scopes) {
		return nil, fmt.Errorf("the variables are of %d scopes, and there are %d here", len(objects)-1, len(r.scopes))
	}
	re := &restorer{runtime: r, Carried: c, objects: objects, made: make([]goja.Value, len(objects)), hold: make(map[int]func(Held))}
	err = r.guarded(&source{}, func() error {
		return re.restore()
	})
	if err == nil && r.vm.Held() >= r.limits.Memory { // until they are reached, they do not count
		err = fmt.Errorf("they hold more than %d MiB of memory", max(r.limits.Memory>>20, 1))
	}
	if err != nil {
		return nil, fmt.Errorf("the variables cannot be restored: %w", err)
	}
	return re.lost, nil
}

// written is an object as it is written.
type written struct {
	Kind      string          `json:"k"`
	Property  []any           `json:"p"`
	Elements  []any           `json:"e"`
	Value     any             `json:"v"`
	Flags     string          `json:"f"`
	Fixed     int             `json:"x"`
	Length    int             `json:"z"` // is not writable
	Prototype json.RawMessage `json:"n"`
	Buffer    any             `json:"b"`
	Region    []int           `json:"r"` // of a view
	BuiltIn   string          `json:"i"` // where the engine has it
	Of        any             `json:"q"` // the function whose prototype it is
	Text      any             `json:"t"` // of a function
	Captured  []string        `json:"c"` // where a function is that has captured variables
	Symbol    string          `json:"y"`
	Shared    any             `json:"s"` // the key of a symbol of Symbol.for
	Own       *string         `json:"w"` // the description of a symbol of the document's own
	Host      json.RawMessage `json:"h"`
	lost      bool
}

// UnmarshalJSON reads an object, 0 for one that is not there.
func (o *written) UnmarshalJSON(text []byte) error {
	if string(text) == "0" {
		o.lost = true
		return nil
	}
	type plain written
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	return d.Decode((*plain)(o))
}

func readObjects(v Variables) (objects []written, err error) {
	if err := json.Unmarshal(v, &objects); err != nil {
		return nil, fmt.Errorf("the variables cannot be read: %w", err)
	}
	return objects, nil
}

// restorer restores the variables of a runtime.
type restorer struct {
	Carried
	runtime *Runtime
	objects []written
	made    []goja.Value // nil for what is lost
	hold    map[int]func(Held)
	lost    []Lost
	again   map[string]*goja.Object // functions that the document's scripts have made, by their texts
}

func (re *restorer) lose(path, why string) {
	if len(re.lost) < mostLost {
		re.lost = append(re.lost, Lost{path, why})
	}
}

// restore makes all objects first, then says what they have: they may lead to each other.
func (re *restorer) restore() error {
	r := re.runtime
	re.made[0] = r.vm.GlobalObject()
	for i, scope := range r.scopes {
		re.made[i+1] = scope
	}
	first := len(r.scopes) + 1
	for _, pass := range []func(i int, o *written) error{re.make, re.makeView, re.makeOf, re.fill} {
		for i := first; i < len(re.objects); i++ {
			if o := &re.objects[i]; !o.lost {
				if err := pass(i, o); err != nil {
					return fmt.Errorf("object %d: %w", i, err)
				}
			}
		}
	}
	for i := range first {
		if err := re.scope(i); err != nil {
			return err
		}
	}
	for i := first; i < len(re.objects); i++ {
		if o, ok := re.made[i].(*goja.Object); ok && re.objects[i].Fixed != 0 {
			o.PreventExtensions()
		}
	}
	return nil
}

// make makes an object that needs no other one.
func (re *restorer) make(i int, o *written) (err error) {
	s := goja.Structure{Usual: true}
	switch {
	case o.BuiltIn != "":
		re.made[i] = re.builtIn(o.BuiltIn)
		return nil
	case o.Of != nil:
		return nil // makeOf
	case o.Text != nil:
		return re.function(i, o)
	case o.Symbol != "":
		return re.symbol(i, o.Symbol)
	case o.Shared != nil:
		key, err := re.value(o.Shared)
		if _, ok := key.(goja.String); err != nil || !ok {
			return errors.New("it is a symbol without a key")
		}
		re.made[i] = re.runtime.vm.SymbolFor(key)
		return nil
	case o.Own != nil:
		re.made[i] = goja.NewSymbol(*o.Own)
		return nil
	case o.Host != nil:
		return re.host(i, o)
	}
	switch o.Kind {
	case "":
		s.Kind = goja.KindPlain
	case "array":
		s.Kind = goja.KindArray
		if s.Length, err = lengthOf(o.Elements); err != nil {
			return err
		}
	case "date":
		s.Kind = goja.KindDate
		if s.Time, err = re.float(o.Value); err != nil {
			return err
		}
	case "regexp":
		s.Kind, s.Flags = goja.KindRegExp, o.Flags
		if s.Source, err = re.value(o.Value); err != nil {
			return err
		}
	case "map":
		s.Kind = goja.KindMap
	case "set":
		s.Kind = goja.KindSet
	case "boxed":
		s.Kind = goja.KindBoxed
		if s.Value, err = re.boxed(o.Value); err != nil {
			return err
		}
	case "error":
		s.Kind = goja.KindError
		s.Name, _ = o.Value.(string)
	case "buffer":
		s.Kind = goja.KindArrayBuffer
		text, _ := o.Value.(string)
		if s.Bytes, err = base64.StdEncoding.DecodeString(text); err != nil {
			return err
		}
	case "view":
		return nil // makeView
	default:
		return fmt.Errorf("it is of the kind %.40q, which is not known", o.Kind)
	}
	re.made[i], err = object(re.runtime.vm.Make(s))
	return err
}

// object keeps nil from becoming a value.
func object(o *goja.Object, err error) (goja.Value, error) {
	if err != nil {
		return nil, err
	}
	return o, nil
}

// boxed is what is in a box: a symbol may come later among the objects.
func (re *restorer) boxed(v any) (goja.Value, error) {
	at, ok := referenceIn(v)
	if !ok {
		return re.value(v)
	}
	if at < 0 || at >= len(re.objects) {
		return nil, errNoPlace
	}
	if re.made[at] == nil {
		if o := &re.objects[at]; o.Symbol != "" || o.Shared != nil || o.Own != nil {
			if err := re.make(at, o); err != nil {
				return nil, err
			}
		}
	}
	return re.made[at], nil
}

// makeView makes a view of a buffer.
func (re *restorer) makeView(i int, o *written) error {
	if o.Kind != "view" {
		return nil
	}
	v, err := re.value(o.Buffer)
	buffer, ok := v.(*goja.Object)
	if err != nil || !ok || len(o.Region) != 2 {
		return errors.New("it is a view of no buffer")
	}
	s := goja.Structure{Kind: goja.KindTypedArray, Usual: true, Buffer: buffer, Offset: o.Region[0], Length: o.Region[1]}
	if s.Name, _ = o.Value.(string); s.Name == "" {
		s.Kind = goja.KindDataView
	}
	re.made[i], err = object(re.runtime.vm.Make(s))
	return err
}

// makeOf finds the prototype of a function's objects.
func (re *restorer) makeOf(i int, o *written) error {
	if o.Of == nil {
		return nil
	}
	v, err := re.value(o.Of)
	if err != nil {
		return err
	}
	if f, ok := v.(*goja.Object); ok && f.Structure().Kind == goja.KindFunction {
		if prototype, ok := f.GetOwn("prototype").(*goja.Object); ok {
			re.made[i] = prototype
		}
	}
	return nil
}

// fill gives an object its prototype, and what it has.
func (re *restorer) fill(i int, o *written) error {
	made, ok := re.made[i].(*goja.Object)
	if !ok || o.Of != nil || o.BuiltIn != "" {
		return nil
	}
	if err := re.prototype(made, o); err != nil {
		return err
	}
	if o.Host != nil {
		return re.held(i, o)
	}
	switch o.Kind {
	case "array":
		if err := re.elements(made, o); err != nil {
			return err
		}
	case "map", "set":
		if err := re.entries(made, o); err != nil {
			return err
		}
	}
	return re.properties(made, o, func(string, goja.Property) {})
}

func (re *restorer) prototype(made *goja.Object, o *written) error {
	if len(o.Prototype) == 0 || o.Text != nil {
		return nil
	}
	var prototype *goja.Object
	if string(o.Prototype) != "null" {
		v, err := re.rawValue(o.Prototype)
		if err != nil {
			return err
		}
		p, ok := v.(*goja.Object)
		if !ok {
			re.lose("an object", "its prototype is not there")
			return nil
		}
		prototype = p
	}
	return made.SetPrototype(prototype)
}

func (re *restorer) rawValue(text json.RawMessage) (goja.Value, error) {
	var v any
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	return re.value(v)
}
