package script

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

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

// lengthOf is the length of an array.
func lengthOf(elements []any) (n int, err error) {
	for _, e := range elements {
		if holes, ok := holesIn(e); ok {
			n += holes
		} else {
			n++
		}
		if n > math.MaxUint32 {
			return 0, errors.New("an array is too long")
		}
	}
	return n, nil
}

// holesIn tells how many elements that are not there something stands for.
func holesIn(e any) (n int, ok bool) {
	list, ok := e.([]any)
	if !ok || len(list) != 2 || list[0] != "h" {
		return 0, false
	}
	number, _ := list[1].(json.Number)
	n, err := strconv.Atoi(string(number))
	return n, err == nil && n > 0 && n <= math.MaxUint32
}

func (re *restorer) elements(made *goja.Object, o *written) error {
	at := 0
	for _, e := range o.Elements {
		if n, ok := holesIn(e); ok {
			at += n
			continue
		}
		p, v, err := attributes(e)
		if err != nil {
			return err
		}
		if p.Value, err = re.value(v); err != nil {
			return err
		}
		if p.Value == nil {
			p.Value = goja.Undefined()
		}
		if err := made.SetElement(at, p); err != nil {
			return err
		}
		at++
	}
	if o.Length != 0 {
		return made.DefineDataProperty("length", re.runtime.vm.ToValue(at), goja.FLAG_FALSE, goja.FLAG_FALSE, goja.FLAG_FALSE)
	}
	return nil
}

func (re *restorer) entries(made *goja.Object, o *written) error {
	step := 1
	if o.Kind == "map" {
		step = 2
	}
	if len(o.Elements)%step != 0 {
		return errors.New("a key has no value")
	}
	for i := 0; i < len(o.Elements); i += step {
		var of [2]goja.Value
		for j := range step {
			v, err := re.value(o.Elements[i+j])
			if err != nil {
				return err
			}
			if of[j] = v; v == nil {
				of[j] = goja.Undefined()
			}
		}
		made.AddEntry(of[0], of[1])
	}
	return nil
}

// attributes takes a value and its attributes out of ["f",flags,value].
func attributes(e any) (p goja.Property, value any, err error) {
	flags := int64(usualFlags)
	if list, ok := e.([]any); ok && len(list) == 3 && list[0] == "f" {
		number, _ := list[1].(json.Number)
		if flags, err = number.Int64(); err != nil {
			return p, nil, err
		}
		e = list[2]
	}
	p.Writable, p.Enumerable, p.Configurable = flags&1 != 0, flags&2 != 0, flags&4 != 0
	return p, e, nil
}

// properties gives an object its properties, and calls each with those that are lost.
func (re *restorer) properties(made *goja.Object, o *written, lost func(name string, p goja.Property)) error {
	if len(o.Property)%2 != 0 {
		return errors.New("a property has no value")
	}
	for i := 0; i < len(o.Property); i += 2 {
		p, name, err := attributes(o.Property[i])
		if err != nil {
			return err
		}
		if p.Key, err = re.value(name); err != nil {
			return err
		}
		if p.Value, err = re.value(o.Property[i+1]); err != nil {
			return err
		}
		switch p.Key.(type) {
		case nil:
			continue // a symbol that is lost
		case goja.String, *goja.Symbol:
		default:
			return errors.New("the name of a property is neither a text nor a symbol")
		}
		if p.Value == nil {
			lost(p.Key.String(), p)
			p.Value = goja.Undefined()
			if re.keeps(made, p.Key) {
				continue
			}
		}
		if err := made.DefineProperty(p); err != nil {
			re.lose(p.Key.String(), err.Error())
		}
	}
	return nil
}

// keeps tells whether an object has a value already in place of one that is lost.
func (re *restorer) keeps(made *goja.Object, key goja.Value) bool {
	name, ok := key.(goja.String)
	return ok && made.GetOwn(name.String()) != nil
}

// scope gives a scope its variables, and takes those away that the snapshot has not.
func (re *restorer) scope(i int) error {
	o := &re.objects[i]
	if o.lost {
		return nil
	}
	scope := re.made[i].(*goja.Object)
	known := make(map[string]bool, len(o.Property)/2)
	for j := 0; j < len(o.Property); j += 2 {
		if _, name, err := attributes(o.Property[j]); err == nil {
			if text, ok := name.(string); ok {
				known[text] = true
			}
		}
	}
	var gone []string
	scope.Properties(func(p goja.Property) bool {
		if _, isSymbol := p.Key.(*goja.Symbol); !isSymbol && !known[p.Key.String()] && (i > 0 || !re.runtime.isOurs(p.Key.String())) {
			gone = append(gone, p.Key.String())
		}
		return true
	})
	for _, name := range gone {
		_ = scope.Delete(name) // Fails only for what a script made permanent.
	}
	return re.properties(scope, o, func(name string, _ goja.Property) {})
}

var errNoPlace = errors.New("there is no such object")

// referenceIn gives the place of the object that a value names.
func referenceIn(v any) (at int, ok bool) {
	list, ok := v.([]any)
	if !ok || len(list) != 1 {
		return 0, false
	}
	number, ok := list[0].(json.Number)
	if !ok {
		return 0, false
	}
	at, err := strconv.Atoi(string(number))
	return at, err == nil
}

// value reads a value; nil for one that is lost.
func (re *restorer) value(v any) (goja.Value, error) {
	switch v := v.(type) {
	case nil:
		return goja.Null(), nil
	case bool:
		return re.runtime.vm.ToValue(v), nil
	case string:
		return re.runtime.vm.ToValue(v), nil
	case json.Number:
		return re.number(v)
	case []any:
		return re.special(v)
	}
	return nil, fmt.Errorf("a value is a %T", v)
}

func (re *restorer) number(v json.Number) (goja.Value, error) {
	if !strings.ContainsAny(string(v), ".eE") {
		if n, err := v.Int64(); err == nil {
			return re.runtime.vm.ToValue(n), nil
		}
	}
	x, err := v.Float64()
	if err != nil {
		return nil, err
	}
	return re.runtime.vm.ToValue(x), nil
}

func (re *restorer) float(v any) (float64, error) {
	number, err := re.value(v)
	if err != nil {
		return 0, err
	}
	switch x := number.Export().(type) {
	case int64:
		return float64(x), nil
	case float64:
		return x, nil
	}
	return 0, errors.New("it is no number")
}

// special reads what JSON has nothing for.
func (re *restorer) special(list []any) (goja.Value, error) {
	if len(list) == 0 {
		return goja.Undefined(), nil
	}
	if at, ok := referenceIn(list); ok {
		if at < 0 || at >= len(re.made) {
			return nil, errNoPlace
		}
		return re.made[at], nil
	}
	name, _ := list[0].(string)
	if name == "u" && len(list) == 2 {
		text, _ := list[1].(string)
		return re.units(text)
	}
	if x, ok := map[string]float64{"NaN": math.NaN(), "Infinity": math.Inf(1), "-Infinity": math.Inf(-1), "-0": math.Copysign(0, -1)}[name]; ok {
		return re.runtime.vm.ToValue(x), nil
	}
	return nil, fmt.Errorf("a value is of the kind %.40q, which is not known", name)
}

// units reads a string that is no text.
func (re *restorer) units(text string) (goja.Value, error) {
	units := make([]uint16, 0, len(text)/4)
	for ; len(text) >= 4; text = text[4:] {
		unit, err := strconv.ParseUint(text[:4], 16, 16)
		if err != nil {
			return nil, err
		}
		units = append(units, uint16(unit))
	}
	return goja.StringFromUTF16(units), nil
}
