package switchsim

import "strings"

// variables are a channel's, in the order in which FreeSWITCH puts them into
// events: setting one moves it to the end (switch_event.c, a header is deleted
// and added again).
type variables []variable

// variable is one of them. encoded is the value as events carry it.
type variable struct {
	name, value, encoded string
}

func newVariable(name, value string) variable {
	return variable{name: name, value: value, encoded: encode(value)}
}

// set sets a variable; the empty value removes it.
func (v *variables) set(name, value string) {
	v.remove(name)
	if value != "" {
		*v = append(*v, newVariable(name, value))
	}
}

// put sets a variable whose encoded form is known.
func (v *variables) put(known variable) {
	v.remove(known.name)
	*v = append(*v, known)
}

// replace sets a variable where it stands.
func (v *variables) replace(name, value string) {
	if i := v.index(name); i >= 0 {
		(*v)[i] = newVariable(name, value)
		return
	}
	v.set(name, value)
}

// touch moves a variable to the end, as setting it to its own value does.
func (v *variables) touch(name string) {
	if i := v.index(name); i >= 0 {
		known := (*v)[i]
		copy((*v)[i:], (*v)[i+1:])
		(*v)[len(*v)-1] = known
	}
}

func (v *variables) remove(name string) {
	if i := v.index(name); i >= 0 {
		copy((*v)[i:], (*v)[i+1:])
		(*v)[len(*v)-1] = variable{}
		*v = (*v)[:len(*v)-1]
	}
}

func (v variables) get(name string) string {
	if i := v.index(name); i >= 0 {
		return v[i].value
	}
	return ""
}

// index searches from the end: what was set last is asked for most.
func (v variables) index(name string) int {
	for i := len(v) - 1; i >= 0; i-- {
		if v[i].name == name {
			return i
		}
	}
	return -1
}

// isTrue tells whether FreeSWITCH takes a value for true (switch_true).
func isTrue(value string) bool {
	switch value {
	case "true", "yes", "on", "t", "enabled", "active", "allow", "1":
		return true
	}
	return false
}

const hexadecimal = "0123456789ABCDEF"

// unsafeInHeader are the characters that FreeSWITCH encodes in header values:
// SWITCH_URL_UNSAFE of switch_utils.h, and what is not printable ASCII.
var unsafeInHeader = func() (table [256]bool) {
	for i := range table {
		table[i] = i < ' ' || i > '~'
	}
	for _, c := range "\r\n #%&+:;<=>?@[\\]^`{|}\"" {
		table[c] = true
	}
	return table
}()

// encode returns a header's value as events carry it (switch_url_encode).
// What looks encoded already is left as it is.
func encode(value string) string {
	for i := range len(value) {
		if unsafeInHeader[value[i]] {
			return string(appendEncoded(nil, value))
		}
	}
	return value
}

func appendEncoded(to []byte, value string) []byte {
	for i := range len(value) {
		c := value[i]
		if unsafeInHeader[c] && !(c == '%' && looksEncoded(value[i+1:])) {
			to = append(to, '%', hexadecimal[c>>4], hexadecimal[c&15])
		} else {
			to = append(to, c)
		}
	}
	return to
}

func looksEncoded(rest string) bool {
	return len(rest) > 1 && strings.IndexByte(hexadecimal, rest[0]) >= 0 && strings.IndexByte(hexadecimal, rest[1]) >= 0
}
