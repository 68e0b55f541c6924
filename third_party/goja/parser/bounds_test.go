package parser

import (
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
