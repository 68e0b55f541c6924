package interpreter

import "strings"

// pattern is the event attribute of a transition (CCXML 1.0, 9.2.2): literal
// text in which * stands for zero or more characters, at any position. Names
// compare without case.
type pattern struct {
	text     string   // in lower case
	segments []string // what stands between the stars; nil for an exact name
}

// compilePattern prepares a pattern for matching. An empty one matches all.
func compilePattern(text string) pattern {
	p := pattern{text: strings.ToLower(strings.TrimSpace(text))}
	if p.text == "" {
		p.text = "*"
	}
	if strings.Contains(p.text, "*") {
		p.segments = strings.Split(p.text, "*")
	}
	return p
}

// eventNames are an event's name today and in the document's dialect, both in
// lower case. They are the same in CCXML 1.0.
type eventNames struct {
	now, then string
}

// accepts tells whether the pattern matches either name: documents of 2002 write
// call.* and connection.CONNECTION_* as well as connection.*.
func (p pattern) accepts(names eventNames) bool {
	return p.match(names.now) || names.then != names.now && p.match(names.then)
}

// exact tells whether the pattern is a plain name.
func (p pattern) exact() bool { return p.segments == nil }

// match tells whether the pattern matches a name in lower case. Its time grows
// with the product of the lengths at worst, without backtracking over stars.
func (p pattern) match(name string) bool {
	if p.exact() {
		return p.text == name
	}
	first, last := p.segments[0], p.segments[len(p.segments)-1]
	if len(name) < len(first)+len(last) || !strings.HasPrefix(name, first) || !strings.HasSuffix(name, last) {
		return false
	}
	name = name[len(first) : len(name)-len(last)]
	for _, segment := range p.segments[1 : len(p.segments)-1] {
		at := strings.Index(name, segment)
		if at < 0 {
			return false
		}
		name = name[at+len(segment):]
	}
	return true
}
