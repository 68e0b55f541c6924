package script_test

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"ccxmld/script"
)

// TestPositionsAreThoseOfTheDocument has expressions start at line 7, column 20.
func TestPositionsAreThoseOfTheDocument(t *testing.T) {
	for _, test := range []struct {
		src          string
		line, column int
		reason       string
	}{
		{"nope", 7, 20, "ReferenceError: nope is not defined"},
		{"1 + nope", 7, 24, "ReferenceError: nope is not defined"},
		{"1 +\n\n  nope", 9, 3, "ReferenceError: nope is not defined"},
		{"ccxml.x.y", 7, 28, "TypeError: Cannot read property 'y' of undefined"},
		{"1 +", 7, 20, "SyntaxError: the expression ends too early: 1 +"},
		{"\n1 + )", 8, 5, "SyntaxError: Unexpected token )"},
		{"(function () {\n throw 'oops' })()", 8, 2, "uncaught exception: oops"},
		{"(function () {\n throw new RangeError('far') })()", 8, 8, "RangeError: far"},
		{"a; b", 7, 21, "SyntaxError: Unexpected token ;"},
		{"", 7, 20, "SyntaxError: an expression is expected here, but there is nothing"},
	} {
		s := newSession(t, script.Limits{})
		e := s.fails(test.src, test.reason)
		if e.Position.URI != "flow.ccxml" || e.Position.Line != test.line || e.Position.Column != test.column {
			t.Errorf("%q fails at %+v, want %d:%d", test.src, e.Position, test.line, test.column)
		}
	}
}

// TestLineBreaksAreSpaces in an attribute, but for those written as character
// references (XML 1.0, 3.3.3; VAR-17).
func TestLineBreaksAreSpaces(t *testing.T) {
	s := newSession(t, script.Limits{})
	s.is("'a\n\tb' + (function () { return\n1 })()", "a  b1")
	if _, err := s.Expression("'a\nb'", at, script.Reference{Offset: 2, Width: 4}); err == nil {
		t.Error("a line break by reference within a string is accepted")
	}
}

// TestColumnsCountCharacters of the document, where a character may take several
// bytes and a character reference stands for one of the expression.
func TestColumnsCountCharacters(t *testing.T) {
	s := newSession(t, script.Limits{})
	for _, test := range []struct {
		src        string
		references []script.Reference
		line       int
		column     int
	}{
		{"'é€' + nope", nil, 7, 27},
		{"1 && nope", []script.Reference{{Offset: 2, Width: 4}, {Offset: 3, Width: 4}}, 7, 33},
		{"nope && 1", []script.Reference{{Offset: 5, Width: 4}, {Offset: 6, Width: 4}}, 7, 20},
		{"1 &&\n'ü' < nope", []script.Reference{{Offset: 2, Width: 4}, {Offset: 3, Width: 4}, {Offset: 10, Width: 3}}, 8, 10},
	} {
		e, err := s.Expression(test.src, at, test.references...)
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.Eval(e)
		var failed *script.Error
		if !errors.As(err, &failed) || failed.Position.Line != test.line || failed.Position.Column != test.column {
			t.Errorf("%q fails with %v, want %d:%d", test.src, err, test.line, test.column)
		}
	}
}

func TestAFunctionFailsAtItsOwnPlace(t *testing.T) {
	s := newSession(t, script.Limits{})
	library, err := s.Script("function f() {\n  return nope\n}", script.Position{URI: "lib.js", Line: 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Run(library, "ccxml"); err != nil {
		t.Fatal(err)
	}
	e := s.fails("f()", "ReferenceError: nope is not defined")
	if got := e.Error(); got != "lib.js:2: ReferenceError: nope is not defined" {
		t.Error(got)
	}
}

func TestScriptErrors(t *testing.T) {
	for src, want := range map[string]string{
		"var a = 1;\nvar b = ;":          "flow.ccxml:8:9: SyntaxError: Unexpected token ;",
		"\n\nnope()":                     "flow.ccxml:9:5: ReferenceError: nope is not defined",
		"\nfunction f() {\n nope }\nf()": "flow.ccxml:9:2: ReferenceError: nope is not defined",
		"break":                          "flow.ccxml:7:20: SyntaxError: Illegal break statement",
		"return 1":                       "flow.ccxml:7:20: SyntaxError: Illegal return statement",
		"\nlet x; { let y; let y }":      "flow.ccxml:8:21: SyntaxError: Identifier 'y' has already been declared",
		"1\n}":                           "flow.ccxml:8:1: SyntaxError: Unexpected token }",
	} {
		s := newSession(t, script.Limits{})
		err := s.tryRun("ccxml", src)
		var e *script.Error
		if !errors.As(err, &e) || err.Error() != want {
			t.Errorf("%q: %v, want %s", src, err, want)
		}
	}
}

// FuzzExpression checks that whatever compiles is one expression: it can stand in
// an array literal as one element, in parentheses.
func FuzzExpression(f *testing.F) {
	for _, src := range []string{"a) ; (b", "a]; x[b", "a + b", "{a: 1}", "`${a}`", "a // b", "/[(]/", "a\u2028b", "function(){}", "a.b[c]", "-->", "x[", "async () => await 1"} {
		f.Add(src)
	}
	l := ccxml()
	f.Fuzz(func(t *testing.T, src string) {
		if _, err := l.Expression(src, at); err != nil {
			var e *script.Error
			if !errors.As(err, &e) || e.Position.Line < at.Line {
				t.Errorf("%q: the error %v has no place", src, err)
			}
			return
		}
		for _, frame := range [][2]string{{"(", "\u2028)"}, {"[(", "\u2028)]"}, {"f(0, (", "\u2028))"}} {
			if _, err := l.Expression(frame[0]+src+frame[1], at); err != nil {
				t.Errorf("%q compiles, but not in %s…%s: %v", src, frame[0], frame[1], err)
			}
		}
		if _, err := l.Target(src, at); err != nil && !errors.As(err, new(*script.Error)) {
			t.Error(err)
		}
	})
}

func FuzzScript(f *testing.F) {
	for _, src := range []string{"var a = 1", "function f() {}", "for (var i in o);", "class A {}", "let {a, ...b} = c", "label: for (;;) break label"} {
		f.Add(src)
	}
	l := ccxml()
	f.Fuzz(func(t *testing.T, src string) {
		if _, err := l.Script(src, at); err != nil && !errors.As(err, new(*script.Error)) {
			t.Error(err)
		}
	})
}

// TestPositionsInAnyOrder: what stands before what was looked up last has the same
// position as it has when it is looked up first.
func TestPositionsInAnyOrder(t *testing.T) {
	text := strings.Repeat("do 'é\\u0061'+java;\n while(java)\n", 100)
	var references []script.Reference
	for i := range len(text) / 7 {
		references = append(references, script.Reference{Offset: 7 * i, Width: 4})
	}
	s := newSession(t, script.Limits{})
	reading, err := s.Language.ReadScript(text, at, references...)
	if err != nil {
		t.Fatal(err)
	}
	if len(reading.Uses) != 200 {
		t.Fatalf("%d places, want 200", len(reading.Uses))
	}
	place := func(p script.Position) [2]int { return [2]int{p.Line, p.Column} }
	found := make(map[[2]int]bool)
	for _, use := range reading.Uses {
		found[place(use.Position)] = true
	}
	for offset := 0; ; {
		next := strings.Index(text[offset:], "java")
		if next < 0 {
			break
		}
		offset += next
		want := at
		want.Line += strings.Count(text[:offset], "\n")
		begin := strings.LastIndexByte(text[:offset], '\n') + 1
		if begin > 0 {
			want.Column = 1
		}
		want.Column += utf8.RuneCountInString(text[begin:offset])
		for _, r := range references {
			if r.Offset >= begin && r.Offset < offset {
				want.Column += r.Width
			}
		}
		if !found[place(want)] {
			t.Errorf("nothing at %v", place(want))
		}
		offset++
	}
}

// TestProblemsAreTold: the first of many, with how many there are.
func TestProblemsAreTold(t *testing.T) {
	var problems script.Problems
	for range 1000 {
		problems = append(problems, &script.Problem{Position: at, Reason: "wrong"})
	}
	first, more := problems.First()
	lines := strings.Split(problems.Error(), "\n")
	if len(first) != 100 || more != 900 || len(lines) != 101 || lines[100] != "and 900 more" {
		t.Errorf("%d and %d more; %d lines, the last %q", len(first), more, len(lines), lines[len(lines)-1])
	}
	if first, more := problems[:100].First(); len(first) != 100 || more != 0 {
		t.Errorf("of a hundred %d and %d more", len(first), more)
	}
	if text := script.Brief(strings.Repeat("é", 5000)); len(text) > 2010 || !utf8.ValidString(text) {
		t.Errorf("what is brief has %d bytes", len(text))
	}
}
