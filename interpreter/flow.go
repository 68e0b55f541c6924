package interpreter

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/dop251/goja"

	"ccxmld/script"
)

// ifElement is <if> with its partitions (CCXML 1.0, 6.2.4 to 6.2.6). It opens
// no scope.
type ifElement struct {
	place
	partitions []partition
}

type partition struct {
	at      place
	cond    *script.Expression // nil: else
	actions []action
}

func compileIf(e *element) action {
	result := &ifElement{place: e.place, partitions: []partition{{at: e.place, cond: e.expression("cond")}}}
	closed := false
	for child := range e.children(e.node) {
		inner := e.compilation.element(child, e.base)
		last := &result.partitions[len(result.partitions)-1]
		if inner.tag != "else" && inner.tag != "elseif" || !isCCXML(child) {
			e.appendAction(&last.actions, inner)
			continue
		}
		if closed {
			e.problem(&inner.place, fmt.Sprintf("<%s> comes after <else/>", inner.tag))
		}
		if firstElement(child) != nil {
			e.problem(&inner.place, fmt.Sprintf("<%s/> is an empty element that divides the content of <if>; move its content behind it", inner.tag))
		}
		if inner.tag == "elseif" {
			inner.checkAttributes(needs("cond"))
		} else {
			inner.checkAttributes(nil)
			closed = true
		}
		result.partitions = append(result.partitions, partition{at: inner.place, cond: inner.expression("cond")})
	}
	return result
}

func (i *ifElement) run(s *Session) error {
	for p := range i.partitions {
		partition := &i.partitions[p]
		if partition.cond != nil {
			value, err := s.runtime.Eval(partition.cond)
			if err != nil {
				return &actionError{&partition.at, err}
			}
			if !value.ToBoolean() {
				continue
			}
		}
		return s.runNested(partition.actions)
	}
	return nil
}

// runNested runs actions that stand inside another element.
func (s *Session) runNested(actions []action) error {
	for _, a := range actions {
		if err := a.run(s); err != nil {
			var inner *actionError
			if errors.Is(err, errStop) || errors.As(err, &inner) {
				return err
			}
			return &actionError{a.element(), err}
		}
	}
	return nil
}

// logElement is <log> (CCXML 1.0, 6.2.11).
type logElement struct {
	place
	expr, label *script.Expression
}

func compileLog(e *element) action {
	return &logElement{e.place, e.expression("expr"), e.expression("label")}
}

func (l *logElement) run(s *Session) error {
	value, err := s.runtime.Eval(l.expr)
	if err != nil {
		return err
	}
	text, err := s.runtime.Text(value)
	if err != nil {
		return err
	}
	label, err := s.text(l.label, "")
	if err != nil {
		return err
	}
	if s.debug.enabled {
		s.debug.addf("%s: %s %s", l.position, label, text)
	}
	if s.logs(slog.LevelInfo) {
		s.log().Info("log", "document", l.position.String(), "label", label, "text", text)
	}
	if s.options.Observer != nil {
		s.options.Observer.Logged(s.ID(), label, text)
	}
	return nil
}

// exitElement is <exit> (CCXML 1.0, 6.2.10).
type exitElement struct {
	place
	expr     *script.Expression
	namelist []namedValue
}

func compileExit(e *element) action {
	return &exitElement{e.place, e.expression("expr"), e.namelist("namelist")}
}

func (x *exitElement) run(s *Session) error {
	ending := Ending{Values: make(map[string]any, len(x.namelist))}
	if x.expr != nil {
		value, err := s.runtime.Eval(x.expr)
		if err != nil {
			return err
		}
		if ending.Value, err = s.runtime.Data(value, nil); err != nil {
			return err
		}
	}
	for _, entry := range x.namelist {
		if s.leftOut(entry) {
			continue
		}
		value, err := s.runtime.Eval(entry.value)
		if err != nil {
			return err
		}
		if ending.Values[entry.name], err = s.runtime.Data(value, nil); err != nil {
			return err
		}
	}
	s.end(ending)
	return errStop
}

// unsupported stands for an element that cannot be done: the document loads, and
// the element raises its event when it is reached (EVT-31, DOC-14).
type unsupported struct {
	place
	reason string
}

func (u *unsupported) run(s *Session) error {
	s.raise("error.unsupported", &u.place, u.reason)
	return nil
}

// varElement is <var> (CCXML 1.0, 8.2.1).
type varElement struct {
	place
	name  string
	scope string // "" for the scope it stands in
	expr  *script.Expression
}

func compileVar(e *element) action {
	name, given := e.attribute("name")
	name = strings.TrimSpace(name)
	if given && !script.IsIdentifier(name) {
		e.problem(e.at("name"), fmt.Sprintf("<var name=%.200q>: not a variable name; <var> declares in the scope it stands in, without a prefix", name))
	}
	return &varElement{place: e.place, name: name, scope: e.declarationScope(), expr: e.expression("expr")}
}

// declarationScope is where variables of an element are declared: the
// transition it stands in, or the document. The 2002 dialect has no transition
// scope (OLD-4).
func (e *element) declarationScope() string {
	if e.document.dialect.keepVariables {
		return applicationScope
	}
	for parent := e.node.Parent; parent != nil; parent = parent.Parent {
		if parent.Data == "transition" {
			return transitionScope
		}
	}
	return ccxmlScope
}

func (v *varElement) run(s *Session) error {
	value := goja.Undefined()
	if v.expr != nil {
		var err error
		if value, err = s.runtime.Eval(v.expr); err != nil {
			return err
		}
	}
	s.runtime.Declare(v.scope, v.name, value)
	return nil
}

// assignElement is <assign> (CCXML 1.0, 8.2.2).
type assignElement struct {
	place
	target *script.Target
	expr   *script.Expression
}

func compileAssign(e *element) action {
	return &assignElement{e.place, e.target("name"), e.expression("expr")}
}

func (a *assignElement) run(s *Session) error {
	value, err := s.runtime.Eval(a.expr)
	if err != nil {
		return err
	}
	if s.document.dialect.declareTargets { // LEN-17, OLD-5
		if err := s.receivable(a.target); err != nil {
			return err
		}
	}
	return s.runtime.Assign(a.target, value)
}

// scriptElement is <script> (CCXML 1.0, 8.2.3), with its text inline, loaded
// with the document, or fetched before.
type scriptElement struct {
	place
	scope   string
	program *script.Script
	fetchid *script.Expression
}

func compileScript(e *element) action {
	result := &scriptElement{place: e.place, scope: e.declarationScope(), fetchid: e.expression("fetchid")}
	src, bySource := e.filled("src")
	source := e.text()
	inline := !isBlank(source.text)
	_, byFetch := e.attribute("fetchid")
	switch count(bySource, byFetch, inline) {
	case 0:
		e.notice(&e.place, "<script> is empty: it has neither src nor fetchid nor text")
	case 1:
	default:
		e.problemAs(CodeExclusive, &e.place, "<script> takes one of src, fetchid and inline text")
		return nil
	}
	if !bySource {
		for _, name := range []string{"timeout", "maxage", "maxstale", "charset"} {
			if _, given := e.attribute(name); given {
				e.notice(&e.place, fmt.Sprintf("<script %s> belongs to src, and says nothing without it", name))
			}
		}
	}
	if byFetch {
		return result
	}
	if bySource {
		known := len(e.problems)
		request := e.scriptRequest(src)
		if len(e.problems) > known {
			return nil
		}
		loaded, uri, err := e.loadScript(request)
		if err != nil {
			e.problem(e.at("src"), fmt.Sprintf("<script src=%.200q>: %v", src, err))
			return nil
		}
		e.document.scripts = append(e.document.scripts, Text{URI: uri, Hash: TextHash(loaded), Src: request.Src, Base: request.Base})
		source = value{text: loaded, position: script.Position{URI: uri, Line: 1, Column: 1}}
	}
	e.account.TickFor(len(source.text))
	program, err := e.language.Script(source.text, source.position, source.references...)
	if err != nil {
		e.problems = append(e.problems, problemOf(err, e.place))
		return nil
	}
	e.lacks(program.Lacks())
	result.program = program
	if e.node.Parent != nil && e.node.Parent.Data == "ccxml" {
		e.document.made = append(e.document.made, program)
	}
	return result
}

// scriptRequest reads the attributes that belong to src, which are literal text
// (VAR-11).
func (e *element) scriptRequest(src string) ScriptRequest {
	r := ScriptRequest{Src: src, Base: e.base}
	r.Charset, _ = e.attribute("charset")
	r.Charset = strings.TrimSpace(r.Charset)
	if timeout := e.literalTime("timeout"); timeout != nil {
		r.Timeout = *timeout
	}
	r.MaxAge, r.MaxStale = e.literalTime("maxage"), e.literalTime("maxstale")
	return r
}

// literalTime reads an attribute that is a time as it stands; nil where it is
// absent.
func (e *element) literalTime(name string) *time.Duration {
	text, ok := e.attribute(name)
	if !ok {
		return nil
	}
	d, err := script.ParseTime(text)
	if err != nil {
		e.problem(&e.place, fmt.Sprintf("<%s %s=%.200q>: not a time; expected literal text such as 5s or 500ms", e.tag, name, text))
		return nil
	}
	return &d
}

func (e *element) loadScript(r ScriptRequest) (text, uri string, err error) {
	if e.load == nil {
		return "", "", errors.New("scripts cannot be loaded here")
	}
	return e.load(r)
}

// problemOf gives a problem the place that the script's error knows.
func problemOf(err error, at place) *Problem {
	var scriptError *script.Error
	if errors.As(err, &scriptError) {
		return &Problem{Position: scriptError.Position, Element: at.tag, Code: CodeExpression, Reason: "<script>: " + scriptError.Reason}
	}
	return &Problem{Position: at.position, Element: at.tag, Code: CodeExpression, Reason: err.Error()}
}

func (e *scriptElement) run(s *Session) error {
	program := e.program
	if e.fetchid != nil {
		fetched, err := s.fetched(e.fetchid)
		if err != nil {
			return err
		}
		if fetched.result.Script == nil {
			return fmt.Errorf("fetch %s did not bring a script", fetched.id)
		}
		program = fetched.result.Script.program
	}
	return s.runtime.Run(program, e.scope)
}

func isBlank(text string) bool {
	for _, r := range text {
		if r != ' ' && r != '\t' && r != '\n' && r != '\r' {
			return false
		}
	}
	return true
}

func count(conditions ...bool) int {
	n := 0
	for _, condition := range conditions {
		if condition {
			n++
		}
	}
	return n
}
