package script

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/dop251/goja"
)

// Shown is a variable as people see it.
type Shown struct {
	Scope string // "" for those that were made without being declared
	Name  string
	Value string // as it would be written in a document; shortened where it is long
}

// Bounds of what Show says of one variable, and of all.
const (
	mostShown       = 200
	longestShown    = 2000
	deepestShown    = 4
	mostShownOfEach = 50
)

// Show tells the variables of these scopes, and those that are global, without running
// code of the document. It is for the goroutine that uses the runtime, while nothing is
// evaluated.
func (r *Runtime) Show(scopes ...string) (list []Shown) {
	defer func() { // a mistake in the engine
		if x := recover(); x != nil {
			list = append(list, Shown{Name: "(not shown)", Value: fmt.Sprint(x)})
		}
	}()
	for _, scope := range append([]string{""}, scopes...) {
		o := r.vm.GlobalObject()
		if scope != "" {
			if o = r.Scope(scope); o == nil {
				continue
			}
		}
		o.Properties(func(p goja.Property) bool {
			if _, symbol := p.Key.(*goja.Symbol); symbol || scope == "" && r.isOurs(p.Key.String()) {
				return true
			}
			list = append(list, Shown{scope, p.Key.String(), ShowValue(p.Value)})
			return len(list) < mostShown
		})
	}
	return list
}

// ShowValue tells a value as Show does; nil is one behind a getter or setter, which is not
// called.
func ShowValue(v goja.Value) string {
	var s shower
	s.value(v, 0)
	return s.out.String()
}

// shower writes a value for people.
type shower struct {
	out  strings.Builder
	path []*goja.Object // objects around the one being written
}

func (s *shower) full() bool { return s.out.Len() >= longestShown }

func (s *shower) value(v goja.Value, depth int) {
	switch v := v.(type) {
	case nil:
		s.out.WriteString("(getter)")
	case *goja.Object:
		s.object(v, depth)
	case goja.String:
		s.text(v)
	default:
		s.out.WriteString(v.String())
	}
}

func (s *shower) text(text goja.String) {
	const longest = longestShown / 2
	whole := text.String()
	short := whole
	if len(short) > longest {
		short = strings.ToValidUTF8(short[:longest], "")
	}
	s.out.WriteString(strconv.Quote(short))
	if len(short) < len(whole) {
		fmt.Fprintf(&s.out, "… (%d characters)", text.Length())
	}
}

func (s *shower) object(o *goja.Object, depth int) {
	for _, around := range s.path {
		if around == o {
			s.out.WriteString("(circular)")
			return
		}
	}
	structure := o.Structure()
	switch structure.Kind {
	case goja.KindFunction, goja.KindBuiltIn:
		s.out.WriteString("(function)")
	case goja.KindProxy:
		s.out.WriteString("(Proxy)")
	case goja.KindHost, goja.KindOther:
		s.out.WriteString("(" + o.ClassName() + ")")
	case goja.KindDate:
		s.out.WriteString("(Date " + strconv.FormatFloat(structure.Time, 'f', -1, 64) + ")")
	case goja.KindRegExp:
		s.out.WriteString("/" + structure.Source.String() + "/" + structure.Flags)
	case goja.KindBoxed:
		s.value(structure.Value, depth)
	default:
		s.path = append(s.path, o)
		if structure.Kind == goja.KindArray {
			s.array(o, structure.Length, depth)
		} else {
			s.properties(o, depth)
		}
		s.path = s.path[:len(s.path)-1]
	}
}

func (s *shower) array(o *goja.Object, length, depth int) {
	if depth >= deepestShown {
		fmt.Fprintf(&s.out, "[… %d]", length)
		return
	}
	s.out.WriteByte('[')
	count := 0
	o.Elements(func(_ int, p goja.Property) bool {
		if count++; count > 1 {
			s.out.WriteString(", ")
		}
		s.value(p.Value, depth+1)
		return count < mostShownOfEach && !s.full()
	})
	if count < length {
		fmt.Fprintf(&s.out, ", … %d", length)
	}
	s.out.WriteByte(']')
}

func (s *shower) properties(o *goja.Object, depth int) {
	if depth >= deepestShown {
		s.out.WriteString("{…}")
		return
	}
	s.out.WriteByte('{')
	count, more := 0, false
	o.Properties(func(p goja.Property) bool {
		if _, symbol := p.Key.(*goja.Symbol); symbol {
			return true
		}
		if more = count == mostShownOfEach || s.full(); more {
			return false
		}
		if count++; count > 1 {
			s.out.WriteString(", ")
		}
		name := p.Key.String()
		if !IsIdentifier(name) {
			name = strconv.Quote(name)
		}
		s.out.WriteString(name + ": ")
		s.value(p.Value, depth+1)
		return true
	})
	if more {
		s.out.WriteString(", …")
	}
	s.out.WriteByte('}')
}
