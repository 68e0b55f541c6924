package interpreter

import "strings"

// EventName is an event that CCXML or one of its platforms knows.
type EventName struct {
	Name string
	// Sent tells whether this platform sends it.
	Sent bool
}

// EventNames are the events that come from the platform, by today's names: those
// of CCXML 1.0, of its drafts and of Voxeo's platform (VX-40, VX-44, VX-45). A
// name that ends in .* stands for all below it.
func EventNames() []EventName {
	var list []EventName
	for _, group := range []struct {
		sent  bool
		names string
	}{
		{true, `ccxml.loaded ccxml.kill ccxml.kill.unconditional ccxml.created ccxml.exit ccxml.resumed error.createccxml
			move.successful error.move
			connection.alerting connection.progressing connection.connected connection.disconnected connection.failed
			connection.redirected connection.signal connection.accept.failed connection.reject.failed connection.redirect.failed
			connection.merged connection.merge.failed
			conference.created conference.destroyed conference.joined conference.unjoined
			conference.talking conference.floor conference.member.joined conference.member.left
			dialog.prepared dialog.started dialog.exit dialog.disconnect dialog.user.* dialog.transfer dialog.terminatetransfer
			voxeo.cpa.result
			fetch.done send.successful cancel.successful
			error.semantic error.notallowed error.unsupported error.fetch
			error.connection.wrongstate error.conference.create error.conference.destroy error.conference.join error.conference.unjoin
			error.dialog.notstarted error.dialog.notprepared error.send.failed error.send.targetunavailable error.send.targettypeinvalid`},
		{false, `connection.rejected error.connection error.merge
			error.dialog error.dialog.wrongstate error.conference
			error.unsupported.* system.ping error.document error.system error.ccxml`},
	} {
		for name := range strings.FieldsSeq(group.names) {
			list = append(list, EventName{name, group.sent})
		}
	}
	return list
}

// EventPattern is the event attribute of a transition.
type EventPattern struct{ pattern pattern }

// EventPattern reads an event attribute as the document's dialect has it.
func (o *Outline) EventPattern(text string) EventPattern {
	return EventPattern{compilePattern(o.dialect.pattern(text))}
}

// EventName gives an event's name as the document's dialect has it.
func (o *Outline) EventName(name string) string { return o.dialect.eventName(name) }

// OldNames gives the events that only documents of 2002 get (OLD-32).
func (o *Outline) OldNames() []string {
	if o.dialect.oldNames {
		return []string{callInvalid, callActive}
	}
	return nil
}

// Accepts tells whether the pattern matches a name of the platform's events, which
// may end in .*, by today's name or the one that the document's dialect has for it.
func (o *Outline) Accepts(p EventPattern, name string) bool {
	for _, n := range o.NamesOf(name) {
		if p.pattern.match(n) {
			return true
		}
		if stem, open := strings.CutSuffix(n, "*"); open && p.pattern.beginsLike(stem) {
			return true
		}
	}
	return false
}

// NamesOf gives an event's names, in lower case: today's, and that of the document's
// dialect.
func (o *Outline) NamesOf(name string) []string {
	names := o.dialect.names(strings.ToLower(name))
	return []string{names.now, names.then}
}

// beginsLike tells whether the pattern may match a name that begins with stem.
func (p pattern) beginsLike(stem string) bool {
	if p.exact() {
		return len(p.text) > len(stem) && strings.HasPrefix(p.text, stem)
	}
	first := p.segments[0]
	return strings.HasPrefix(first, stem) || strings.HasPrefix(stem, first)
}

// Covers tells whether every name that other matches is matched by p too. It may
// miss that patterns with several stars do.
func (p EventPattern) Covers(other EventPattern) bool { return p.pattern.match(other.pattern.text) }

// Exact tells whether the pattern is a plain name.
func (p EventPattern) Exact() bool { return p.pattern.exact() }

// String gives the pattern in lower case, by today's name.
func (p EventPattern) String() string { return p.pattern.text }

// Nearest gives the known name that is nearest to a wrong one, without regard to
// case; "" if none is near.
func Nearest(wrong string, known []string) string {
	best, distance := "", 3
	if len(wrong) < 6 {
		distance = 2
	}
	lower := strings.ToLower(wrong)
	for _, name := range known {
		candidate := strings.ToLower(name)
		if len(candidate)-len(lower) >= distance || len(lower)-len(candidate) >= distance {
			continue // so many characters more or less
		}
		if d := editDistance(lower, candidate); name != wrong && d < distance {
			best, distance = name, d
		}
	}
	return best
}

// SessionVariables are the variables of the session scope.
func SessionVariables() []string {
	return []string{"id", "parentid", "startupmode", "values", "ioprocessors", "connections", "dialogs", "conferences", "uri"}
}
