package parser

import (
	"context"
	"strings"
	"testing"
)

// TestReadingAgainIsBounded: what stands before an arrow is read a second time; nested in
// each other, that doubles with each level.
func TestReadingAgainIsBounded(t *testing.T) {
	for name, test := range map[string][3]string{
		"default values":             {"(a=", "1", ")=>1"},
		"of patterns":                {"({a=", "1", "})=>1"},
		"of rests":                   {"(...[a=", "1", "])=>1"},
		"of asynchronous functions":  {"async(a=", "1", ")=>1"},
		"of functions in statements": {"(a=function(){", "1", "})=>1"},
	} {
		for _, levels := range []int{3, 20} {
			src := strings.Repeat(test[0], levels) + test[1] + strings.Repeat(test[2], levels)
			p := newParser("", src)
			_, err := p.parse()
			if most := scansPerByte*len(src) + scansAtLeast + 1; p.scans > most {
				t.Errorf("%s, %d levels: %d tokens were read of %d bytes", name, levels, p.scans, len(src))
			}
			if levels == 3 && err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// TestErrorsAreBounded: a label has an error for each one around it of the same name.
func TestErrorsAreBounded(t *testing.T) {
	p := newParser("", strings.Repeat("label:", 900)+"1")
	if _, err := p.parse(); err == nil || len(p.errors) > mostErrors {
		t.Errorf("%d errors, %v", len(p.errors), err)
	}
}

// endsAfter is a context that has ended when it is looked at so often.
type endsAfter struct {
	context.Context
	looks int
}

func (c *endsAfter) Err() error {
	if c.looks--; c.looks <= 0 {
		return context.Canceled
	}
	return nil
}

// TestParsingEndsWithItsContext: soon after.
func TestParsingEndsWithItsContext(t *testing.T) {
	p := newParser("", strings.Repeat("a;", 100_000))
	WithContext(&endsAfter{looks: 3})(&p.opts)
	if _, err := p.parse(); err != context.Canceled {
		t.Errorf("%v", err)
	}
	if p.scans > 3*scansBetweenLooks {
		t.Errorf("%d tokens were read", p.scans)
	}
}
