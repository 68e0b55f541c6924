package srgs

import (
	"errors"
	"regexp"
	"slices"
	"strings"

	"ccxmld/script"
)

// tagFormat is what the tags of a document are (SISR 1.0).
type tagFormat int

const (
	ignoredTags tagFormat = iota
	literalTags
	scriptTags
)

// tag is a <tag>, or what is in braces.
type tag struct {
	at         script.Position
	text       string
	references []script.Reference // of XML
	program    *script.Script     // nil for a literal
}

// The scopes of scripts in tags (SISR 1.0): the tags of the header have that of
// their document, those of a rule have one of their own each time it is matched.
const (
	documentScope = "grammar"
	ruleScope     = "rule"
)

var language = script.NewLanguage(documentScope, ruleScope)

// format reads the tag format of a document (SRGS 1.0, 4.8), and compiles its tags.
// Without one, tags that use the variable out are scripts, and others literals.
func (c *compilation) format(d *document, name string, at script.Position) {
	tags := slices.Clone(d.header)
	for _, r := range d.rules {
		r.body.each(func(e *expansion) {
			if e.kind == tagged {
				tags = append(tags, e.tag)
			}
		})
	}
	switch name = strings.TrimSpace(name); name {
	case "semantics/1.0", "semantics/1.0.2006":
		d.format = scriptTags
	case "semantics/1.0-literals", "semantics/1.0.2006-literals":
		d.format = literalTags
	case "":
		if d.format = literalTags; slices.ContainsFunc(tags, (*tag).usesOut) {
			d.format = scriptTags
		}
		if len(tags) > 0 {
			c.notice(at, "grammar", "the grammar has no tag-format; its tags are read as %s", d.format.name())
		}
	default:
		c.notice(at, "grammar", "the tag-format %.200q is not known, so tags are ignored; expected semantics/1.0 or semantics/1.0-literals", name)
		for _, r := range d.rules {
			r.body.each(func(e *expansion) {
				if e.kind == tagged {
					e.kind, e.tag = sequence, nil
				}
			})
		}
		d.header = nil
		return
	}
	for _, t := range tags {
		if c.over() {
			return
		}
		c.account.Tick()
		c.compileTag(t, d.format)
	}
}

func (f tagFormat) name() string {
	if f == scriptTags {
		return "semantics/1.0, since they use out"
	}
	return "semantics/1.0-literals"
}

var assignsOut = regexp.MustCompile(`(^|[;{\s])out\s*(\.|=|\[)`)

// usesOut tells whether the text of a tag looks like a script that sets the rule's
// variable.
func (t *tag) usesOut() bool { return assignsOut.MatchString(t.text) }

func (c *compilation) compileTag(t *tag, format tagFormat) {
	if format == literalTags {
		t.text = strings.TrimSpace(t.text)
		return
	}
	program, err := c.language.Script(t.text, t.at, t.references...)
	if err != nil {
		at, reason := t.at, err.Error()
		var scriptError *script.Error
		if errors.As(err, &scriptError) {
			at, reason = scriptError.Position, scriptError.Reason
		}
		c.problem(at, "tag", "<tag>: %s", reason)
		return
	}
	t.program, c.scripts = program, true
}
