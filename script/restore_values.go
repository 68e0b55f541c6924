package script

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/dop251/goja"
)

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
