package interpreter

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/dop251/goja"

	"ccxmld/script"
)

// text evaluates an attribute to a string; fallback where it is absent,
// undefined or null.
func (s *Session) text(e *script.Expression, fallback string) (string, error) {
	if e == nil {
		return fallback, nil
	}
	value, err := s.runtime.Eval(e)
	if err != nil {
		return "", err
	}
	if goja.IsUndefined(value) || goja.IsNull(value) {
		return fallback, nil
	}
	return s.runtime.Text(value)
}

// required evaluates an attribute that must give a string that is not empty.
func (s *Session) required(e *script.Expression, name string) (string, error) {
	text, err := s.text(e, "")
	if err == nil && strings.TrimSpace(text) == "" {
		err = empty(e, name)
	}
	return text, err
}

// uri evaluates an attribute that must give a URI as a string (FET-1).
func (s *Session) uri(e *script.Expression, name string) (string, error) {
	value, err := s.runtime.Eval(e)
	if err != nil {
		return "", err
	}
	object, isObject := value.(*goja.Object)
	_, isString := value.(goja.String)
	switch {
	case goja.IsUndefined(value), goja.IsNull(value):
		return "", empty(e, name)
	case !isString && !(isObject && object.ClassName() == "String"):
		return "", e.Errorf("%s is no string; expected a URI", name)
	}
	text, err := s.runtime.Text(value)
	if err == nil && strings.TrimSpace(text) == "" {
		err = empty(e, name)
	}
	return text, err
}

func empty(e *script.Expression, name string) error {
	if e == nil {
		return fmt.Errorf("%s is empty", name)
	}
	return e.Errorf("%s is empty", name)
}

// choice evaluates an attribute that allows some words, the first of which is
// the default. Case does not matter.
func (s *Session) choice(e *script.Expression, name string, words ...string) (string, error) {
	text, err := s.text(e, words[0])
	if err != nil {
		return "", err
	}
	for _, word := range words {
		if strings.EqualFold(strings.TrimSpace(text), word) {
			return word, nil
		}
	}
	return "", e.Errorf("%s is %q; expected one of '%s'", name, text, strings.Join(words, "', '"))
}

// boolean evaluates an attribute that is true or false, as a boolean or as text
// (LEN-12).
func (s *Session) boolean(e *script.Expression, name string) (bool, error) {
	text, err := s.choice(e, name, "false", "true")
	return text == "true", err
}

// interval evaluates an attribute that is a time; 0 where it is absent.
func (s *Session) interval(e *script.Expression, name string) (time.Duration, error) {
	text, err := s.text(e, "")
	if err != nil || text == "" {
		return 0, err
	}
	if written, loose := script.LooseTime(text); loose && s.document.lenient {
		s.tellLenient(e.Position(), name, fmt.Sprintf("%q is read as '%s'", text, written))
		text = written
	}
	d, err := script.ParseTime(text)
	if err != nil {
		return 0, e.Errorf("%s: %v", name, err)
	}
	return d, nil
}

// age evaluates maxage or maxstale; nil where it is absent.
func (s *Session) age(e *script.Expression, name string) (*time.Duration, error) {
	if e == nil {
		return nil, nil
	}
	d, err := s.interval(e, name)
	return &d, err
}

// number evaluates an attribute that is a whole number; 0 where it is absent.
func (s *Session) number(e *script.Expression, name string) (int, error) {
	text, err := s.text(e, "0")
	if err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil || n < 0 {
		return 0, e.Errorf("%s is %q; expected a whole number", name, text)
	}
	return n, nil
}

// hints evaluates a hints attribute, which must give an object (GEN-13).
func (s *Session) hints(e *script.Expression) (Hints, error) {
	if e == nil {
		return nil, nil
	}
	value, err := s.runtime.Eval(e)
	if err != nil {
		return nil, err
	}
	if goja.IsUndefined(value) || goja.IsNull(value) {
		return nil, nil
	}
	object, ok := value.(*goja.Object)
	if !ok {
		return nil, e.Errorf("hints is %q; expected an object", value)
	}
	exported, err := s.runtime.Data(object, nil)
	if err != nil {
		return nil, err
	}
	properties, ok := exported.(map[string]any)
	if !ok {
		return nil, e.Errorf("hints is not an object with named properties")
	}
	return properties, nil
}

// pairs evaluates a namelist. A name that does not resolve is an error (GEN-9),
// unless the document is read leniently: then it is left out (LEN-6).
func (s *Session) pairs(list []namedValue) ([]Pair, error) {
	pairs := make([]Pair, 0, len(list))
	for _, entry := range list {
		if s.leftOut(entry) {
			continue
		}
		value, err := s.runtime.Eval(entry.value)
		if err != nil {
			return nil, err
		}
		text, err := s.runtime.Text(value)
		if err != nil {
			return nil, err
		}
		pairs = append(pairs, Pair{entry.name, text})
	}
	return pairs, nil
}

// leftOut tells whether a name of a namelist is passed over.
func (s *Session) leftOut(entry namedValue) bool {
	variable, _, _ := strings.Cut(entry.name, ".")
	if !s.document.lenient || s.isScope(variable) {
		return false
	}
	if _, declared := s.runtime.Resolve(variable); declared {
		return false
	}
	s.tellLenient(entry.value.Position(), entry.name, "a name of a namelist is not declared; it is left out")
	return true
}

// isScope tells whether a name is that of a scope, which qualifies variables.
func (s *Session) isScope(name string) bool {
	switch name {
	case sessionScope, applicationScope, ccxmlScope, transitionScope:
		return true
	}
	return false
}

// receivable tells whether a variable that is to receive an id may: it must be
// declared (GEN-4), but documents in Voxeo's manner get theirs declared (LEN-5).
func (s *Session) receivable(t *script.Target) error {
	if t == nil || s.runtime.Declared(t) {
		return nil
	}
	if name := t.Variable(); name != "" && (s.document.lenient || s.document.dialect.declareTargets) {
		if !s.document.dialect.declareTargets {
			s.tellLenient(t.Position(), name, "a variable that receives a value is not declared; it is declared for the document")
		}
		s.runtime.Declare(s.variableScope(), name, goja.Undefined())
		return nil
	}
	return t.Errorf("the variable %s, which is to receive an id, is not declared", t)
}

// receive stores an id before the next element runs (GEN-5).
func (s *Session) receive(t *script.Target, id string) error {
	if t == nil {
		return nil
	}
	return s.runtime.Assign(t, s.runtime.VM().ToValue(id))
}

// newID gives an id for something that a document made.
func (s *Session) newID() string { return s.options.NewID() }
