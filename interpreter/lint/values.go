package lint

import (
	"regexp"
	"slices"
	"strings"

	"ccxmld/interpreter"
	"ccxmld/script"
)

// choices are the attributes that allow a few words, in any case.
var choices = map[string][]string{
	"duplex":         {"full", "half"},
	"mediadirection": {"both", "dialogtransmit", "dialogreceive"},
	"joindirection":  {"both", "calltransmit", "callreceive"},
	"method":         {"get", "post"},
	"enctype":        {"application/x-www-form-urlencoded", "multipart/form-data"},
	"mode":           {"processed", "text"},
	"targettype":     {"ccxml", "basichttp", "dialog"},
	"immediate":      {"true", "false"},
}

// notText are the expressions that seldom are a text: what stands there without
// quotes is meant as a variable.
var notText = []string{"cond", "expr", "object", "hints", "connectionid", "conferenceid", "dialogid", "prepareddialogid",
	"sendid", "fetchid", "sessionid", "joinid", "id1", "id2", "connectionid1", "connectionid2", "source"}

var (
	uriSyntax  = regexp.MustCompile(`^[a-z][a-z0-9+.-]*:\S`)
	fileSyntax = regexp.MustCompile(`(?i)\.(jsp|php|aspx?|cgi|pl|html?|xml|vxml|ccxml|js|wav|mp3)$`)
)

// values looks at the values of attributes.
func (c *check) values() {
	for _, e := range c.elements {
		for _, a := range e.Attributes {
			switch {
			case a.Kind == interpreter.ExpressionAttribute:
				c.text(e, a)
				c.choice(e, a)
				c.time(e, a)
			case e.Tag == "script" && a.Kind == interpreter.LiteralAttribute:
				c.literal(a)
			}
		}
		c.assignment(e)
		c.destination(e)
		c.targetType(e)
		c.fields(e)
	}
	for _, t := range c.transitions {
		c.selection(t)
	}
}

// text finds texts without quotes: a word, a file or a URI where an expression
// stands (LEN-11, trap 1).
func (c *check) text(e *interpreter.OutlineElement, a *interpreter.OutlineAttribute) {
	trimmed := strings.TrimSpace(a.Text)
	r := c.readings[a]
	switch {
	case slices.Contains(notText, a.Name), e.Foreign:
		return
	case c.outline.Lenient && interpreter.IsFixedWord(a.Name, trimmed) && !c.declares(trimmed): // LEN-23, which the document's notices tell
		c.unquoted[a] = true
		return
	case r == nil && (uriSyntax.MatchString(trimmed) || fileSyntax.MatchString(trimmed)) && !strings.ContainsAny(trimmed, `'"`):
	case r == nil || r.Path == "":
		return
	case a.Name == "targettype" && r.Path == "ccxml": // LEN-4
		c.report(a.Position, Note, "unquoted-targettype", "targettype=%q is the scope ccxml; it is read as 'ccxml'", a.Text)
		return
	case a.Name == "targettype" && c.outline.Lenient && slices.Contains(choices["targettype"], r.Path) && !c.declares(r.Path): // LEN-19
		c.unquoted[a] = true
		c.report(a.Position, Note, "unquoted-targettype", "targettype=%q is read as '%s'", a.Text, trimmed)
		return
	case c.outline.LiteralEvent(a, r.Path) != "" && !c.declares(r.Path): // OLD-51
		c.unquoted[a] = true
		c.report(a.Position, Note, "literal-event", "event=%q is no variable of this document; it is read as the name of the event", a.Text)
		return
	default:
		head, _, dotted := strings.Cut(r.Path, ".")
		if c.known(head, c.declared, transitionOf(e)) || !c.declarationsKnown {
			return
		}
		file := dotted && fileSyntax.MatchString(r.Path)
		if !file && !slices.Contains(choices[a.Name], strings.ToLower(r.Path)) && (c.outline.Old || didYouMean(head, c.declared.names[nil]) != "") {
			return
		}
	}
	c.unquoted[a] = true
	c.report(a.Position, Warning, "unquoted-text", "%s is an expression, and %s no variable of this document; for the text write %[1]s=\"'%[2]s'\"", a.Name, trimmed)
}

// choice finds words that an attribute does not allow.
func (c *check) choice(e *interpreter.OutlineElement, a *interpreter.OutlineAttribute) {
	words, ok := choices[a.Name]
	value, constant := c.constant(e, a.Name)
	if !ok || !constant || e.Foreign || slices.Contains(words, strings.ToLower(strings.TrimSpace(value.Text))) {
		return
	}
	c.report(a.Position, Warning, "bad-value", "%s is %q; expected one of '%s'", a.Name, value.Text, strings.Join(words, "', '"))
}

// time finds times that are none, and times without a unit (LEN-9).
func (c *check) time(e *interpreter.OutlineElement, a *interpreter.OutlineAttribute) {
	switch a.Name {
	case "timeout", "delay", "maxage", "maxstale":
	default:
		return
	}
	value, constant := c.constant(e, a.Name)
	if !constant || e.Foreign {
		return
	}
	c.timeText(a, value.Text, "'")
}

func (c *check) timeText(a *interpreter.OutlineAttribute, text, quote string) {
	if written, loose := script.LooseTime(text); loose && c.outline.Lenient && quote != "" {
		c.report(a.Position, Note, interpreter.CodeLenient, "%s: %q is read as '%s'", a.Name, text, written)
	} else if _, err := script.ParseTime(text); err != nil {
		c.report(a.Position, Warning, "bad-value", "%s: %v", a.Name, err)
	} else if advice, bare := script.BareTime(text, quote); bare {
		c.report(a.Position, Note, "bare-time", "%s %s", a.Name, advice)
	}
}

// literal finds quotes in attributes of <script> that are no expressions (trap 11).
func (c *check) literal(a *interpreter.OutlineAttribute) {
	trimmed := strings.TrimSpace(a.Text)
	switch {
	case len(trimmed) > 1 && trimmed[0] == '\'' && trimmed[len(trimmed)-1] == '\'':
		c.report(a.Position, Warning, "quoted-literal", "%s of <script> is no expression; write it without quotes", a.Name)
	case a.Name == "timeout" || a.Name == "maxage" || a.Name == "maxstale":
		c.timeText(a, trimmed, "")
	}
}

// assignment finds an assignment where a comparison is meant.
func (c *check) assignment(e *interpreter.OutlineElement) {
	r := c.reading(e, "cond")
	if r == nil {
		return
	}
	for _, use := range r.Uses {
		if use.Assigned {
			c.report(use.Position, Warning, "assignment-in-condition", "the condition assigns to %s; compare with ==", use.Name)
			return
		}
	}
}

// destination finds destinations without a scheme (LEN-8).
func (c *check) destination(e *interpreter.OutlineElement) {
	value, constant := c.constant(e, "dest")
	if constant && !strings.Contains(value.Text, ":") && strings.TrimSpace(value.Text) != "" {
		c.report(at(e, "dest"), Note, "bare-destination", "dest has no scheme; it is read as tel:%s", strings.TrimSpace(value.Text))
	}
}

// targetType finds targets that are HTTP servers without saying so (LEN-19).
func (c *check) targetType(e *interpreter.OutlineElement) {
	value, constant := c.constant(e, "target")
	if e.Tag != "send" || e.Attribute("targettype") != nil || !constant || c.outline.InfersTargetType() {
		return
	}
	if lower := strings.ToLower(strings.TrimSpace(value.Text)); strings.HasPrefix(lower, "http:") || strings.HasPrefix(lower, "https:") {
		c.report(at(e, "target"), Note, "inferred-targettype", "the target is an HTTP server's; targettype is read as 'basichttp'")
	}
}

// returned are the events whose results are in event$.values, with the fields
// that they have besides (DEV-2, trap 18).
var returned = map[string][]string{
	"dialog.exit": {"dialogid", "dialog", "connectionid", "connection", "conferenceid", "conference", "values", "reason", "error", "info", "protocol"},
	"ccxml.exit":  {"sessionid", "values", "reason", "error", "expr", "value"},
}

// fields finds results that are looked for outside of event$.values.
func (c *check) fields(e *interpreter.OutlineElement) {
	scope := transitionOf(e)
	if scope == nil || scope == e || c.outline.Old || scope.Attribute("event") == nil {
		return
	}
	fields, ok := returned[strings.ToLower(strings.TrimSpace(scope.Attribute("event").Text))]
	if !ok {
		return
	}
	for _, a := range e.Attributes {
		r := c.readings[a]
		if r == nil {
			continue
		}
		for _, path := range r.Paths {
			field, isField := strings.CutPrefix(path, "event$.")
			field, _, _ = strings.Cut(field, ".")
			if isField && !slices.Contains(fields, field) && !slices.Contains([]string{"name", "eventid", "eventsource", "eventsourcetype"}, field) {
				c.report(a.Position, Warning, "outside-values", "the event has no %s; what was returned is in event$.values", field)
				return
			}
		}
	}
}

// selection finds quotes and expressions in the literal attributes of a
// transition (trap 1).
func (c *check) selection(t *transition) {
	if strings.ContainsAny(t.event, `'"`) {
		c.report(at(t.OutlineElement, "event"), Warning, "quoted-event", "event is literal text; write it without quotes")
	}
	if t.stateIsExpression() {
		c.report(at(t.OutlineElement, "state"), Warning, "state-expression", "state is a list of names with blanks between them, no expression; for one write cond")
	}
}

func (t *transition) stateIsExpression() bool {
	return slices.ContainsFunc(t.states, func(state string) bool { return strings.ContainsAny(state, `'"=|&()+,!`) })
}
