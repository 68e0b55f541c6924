package lint

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"ccxmld/interpreter"
	"ccxmld/script"
)

// Severity says what a finding means for the document.
type Severity int

// The severities, the mildest first.
const (
	Note    Severity = iota // worth knowing; nothing need be wrong
	Warning                 // surely or very likely not what the author meant
	Error                   // the document does not load
)

// String gives the severity as it is printed.
func (s Severity) String() string {
	switch s {
	case Error:
		return "error"
	case Warning:
		return "warning"
	}
	return "note"
}

// Finding is one thing found in a document.
type Finding struct {
	Position script.Position
	Severity Severity
	Code     string
	Message  string
}

// Error returns the finding as "uri:line:column: severity: message [code]".
func (f Finding) Error() string {
	return fmt.Sprintf("%s: %s: %s [%s]", f.Position, f.Severity, f.Message, f.Code)
}

// Document checks a document. The findings are in the order of their places. When ctx
// ends, that is an error among them, and there may be more of the others.
func Document(ctx context.Context, compiler *interpreter.Compiler, source interpreter.Source) []Finding {
	compiler = compiler.Until(ctx)
	c := &check{ctx: ctx, compiler: compiler}
	if source.Load != nil {
		load := source.Load
		source.Load = func(r interpreter.ScriptRequest) (string, string, error) {
			text, uri, err := load(r)
			if err == nil {
				c.loaded = append(c.loaded, loaded{text, uri})
			}
			return text, uri, err
		}
	}
	compiled, err := compiler.CompileSource(source)
	var problems interpreter.Problems
	if errors.As(err, &problems) {
		for _, p := range problems {
			c.findings = append(c.findings, Finding{p.Position, Error, p.Code, p.Reason})
		}
	}
	if compiled != nil {
		for _, m := range compiled.Mistakes {
			c.findings = append(c.findings, Finding{m.Position, Error, m.Code, m.Reason})
		}
		for _, n := range compiled.Notices {
			c.findings = append(c.findings, Finding{n.Position, severityOf(n.Code), n.Code, n.Reason})
		}
	}
	c.outline = compiler.Outline(source)
	if c.outline.Root != nil {
		c.look()
	}
	if ctx.Err() != nil {
		c.report(script.Position{URI: source.URI}, Error, "document", "checking was broken off: %v", context.Cause(ctx))
	}
	Sort(c.findings)
	return c.findings
}

// Sort puts findings in the order of their places.
func Sort(findings []Finding) {
	slices.SortStableFunc(findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Position.URI, b.Position.URI), cmp.Compare(a.Position.Line, b.Position.Line),
			cmp.Compare(a.Position.Column, b.Position.Column))
	})
}

// severityOf tells how serious a notice of the compiler is.
func severityOf(code string) Severity {
	switch code {
	case interpreter.CodeUnknownAttribute, interpreter.CodeEventList, interpreter.CodeUnsupported, interpreter.CodeUnavailable,
		interpreter.CodeUnquotedTime, interpreter.CodeUnquotedWord, interpreter.CodeNamespace:
		return Warning
	}
	return Note
}
