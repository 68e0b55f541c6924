package interpreter

import (
	"maps"
	"slices"
	"strings"

	"github.com/dop251/goja"
)

// thing is a connection, dialog or conference.
type thing interface {
	comparable
	property(s *Session, key string) (any, bool)
	keys() []string
}

// directory holds the session's objects of one kind by id, and their ECMAScript
// views, which are made when a document asks for them. A view of something that
// is gone keeps showing what it was. A session has few of a kind: a list takes
// less room than a map, and is searched as fast.
type directory[T thing] struct {
	session *Session
	items   []listed[T]
	visible func(T) bool // whether documents see it
}

// listed is one item of a directory; view is nil until it is asked for.
type listed[T thing] struct {
	id   string
	item T
	view *goja.Object
}

var _ goja.DynamicObject = (*directory[*Connection])(nil)

// find gives the place of an id, or -1.
func (d *directory[T]) find(id string) int {
	return slices.IndexFunc(d.items, func(l listed[T]) bool { return l.id == id })
}

func (d *directory[T]) add(id string, item T) {
	if i := d.find(id); i >= 0 {
		d.items[i] = listed[T]{id: id, item: item}
		return
	}
	if d.items == nil {
		d.items = make([]listed[T], 0, 1)
	}
	d.items = append(d.items, listed[T]{id: id, item: item})
}

// get gives an item, nil if there is none.
func (d *directory[T]) get(id string) (item T) {
	if i := d.find(id); i >= 0 {
		return d.items[i].item
	}
	return item
}

func (d *directory[T]) remove(id string) {
	if i := d.find(id); i >= 0 {
		d.items = slices.Delete(d.items, i, i+1)
	}
}

func (d *directory[T]) len() int { return len(d.items) }

// object gives the ECMAScript view of an item. That of something that has been
// removed already is a new one each time.
func (d *directory[T]) object(id string, item T) *goja.Object {
	i := d.find(id)
	if i >= 0 && d.items[i].view != nil && d.items[i].item == item {
		return d.items[i].view
	}
	view := d.session.runtime.VM().NewDynamicObject(&itemObject[T]{d.session, item})
	if i >= 0 && d.items[i].item == item {
		d.items[i].view = view
	}
	return view
}

// Get gives the item with this id, as session.connections['id'] asks for it.
func (d *directory[T]) Get(id string) goja.Value {
	i := d.find(id)
	if i < 0 || !d.visible(d.items[i].item) {
		return nil
	}
	return d.object(id, d.items[i].item)
}

// Set refuses: the objects of the session scope are read-only (CCXML 1.0, 8.4).
func (d *directory[T]) Set(string, goja.Value) bool { return false }

// Has tells whether documents see an item with this id.
func (d *directory[T]) Has(id string) bool { return d.Get(id) != nil }

// Delete refuses.
func (d *directory[T]) Delete(string) bool { return false }

// Keys lists the ids for for-in loops.
func (d *directory[T]) Keys() []string {
	ids := make([]string, 0, len(d.items))
	for _, l := range d.items {
		if d.visible(l.item) {
			ids = append(ids, l.id)
		}
	}
	slices.Sort(ids)
	return ids
}

// itemObject is the ECMAScript view of one connection, dialog or conference. It
// is read-only and live: it shows the state as of the event being handled.
type itemObject[T thing] struct {
	session *Session
	item    T
}

// Get gives a property of the item.
func (o *itemObject[T]) Get(key string) goja.Value {
	value, ok := o.item.property(o.session, key)
	if !ok {
		return nil
	}
	return o.session.toValue(value)
}

// Set refuses.
func (o *itemObject[T]) Set(string, goja.Value) bool { return false }

// Has tells whether there is such a property.
func (o *itemObject[T]) Has(key string) bool {
	_, ok := o.item.property(o.session, key)
	return ok
}

// Delete refuses.
func (o *itemObject[T]) Delete(string) bool { return false }

// Keys lists the properties.
func (o *itemObject[T]) Keys() []string { return o.item.keys() }

// mediaProperty gives the properties that all media endpoints have (CCXML 1.0,
// 10.4).
func (s *Session) mediaProperty(id, kind, key string) (any, bool) {
	switch key {
	case "objecttype":
		return kind, true
	case "input":
		inputs := s.media.Inputs(id)
		if kind == "conference" {
			return stringList(inputs), true
		}
		if len(inputs) == 0 {
			return nil, true
		}
		return inputs[0], true
	case "outputs":
		return stringList(s.media.Outputs(id)), true
	}
	return nil, false
}

func stringList(ids []string) []any {
	list := make([]any, len(ids))
	for i, id := range ids {
		list[i] = id
	}
	return list
}

// toValue makes an ECMAScript value of a field's value. Maps, lists and pairs
// become objects and arrays of the session's own runtime.
func (s *Session) toValue(value any) goja.Value {
	vm := s.runtime.VM()
	switch value := value.(type) {
	case nil:
		return goja.Undefined()
	case goja.Value:
		return value
	case []any:
		items := make([]any, len(value))
		for i, item := range value {
			items[i] = s.toValue(item)
		}
		return vm.NewArray(items...)
	case map[string]any:
		object := vm.NewObject()
		for _, key := range slices.Sorted(maps.Keys(value)) {
			s.setProperty(object, key, s.toValue(value[key]))
		}
		return object
	case []Pair:
		object := vm.NewObject()
		for _, pair := range value {
			s.setNested(object, pair.Name, vm.ToValue(pair.Value))
		}
		return object
	default:
		return vm.ToValue(value)
	}
}

// setNested sets a property whose dotted name stands for nested objects
// (CCXML 1.0, 9.2.3): site.code becomes the property code of the object site.
func (s *Session) setNested(object *goja.Object, name string, value goja.Value) {
	for {
		head, rest, dotted := strings.Cut(name, ".")
		if !dotted {
			s.setProperty(object, name, value)
			return
		}
		child, ok := object.GetOwn(head).(*goja.Object) // not constructor of its prototype
		if !ok {
			child = s.runtime.VM().NewObject()
			s.setProperty(object, head, child)
		}
		object, name = child, rest
	}
}

// setProperty sets a plain property. Names such as __proto__ are data here, not
// a way to change an object's prototype.
func (s *Session) setProperty(object *goja.Object, name string, value goja.Value) {
	if err := object.DefineDataProperty(name, value, goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_TRUE); err != nil {
		s.log().Warn("property of an event object could not be set", "property", name, "error", err)
	}
}
