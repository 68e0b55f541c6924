package interpreter

// AttributeKind says how the value of an attribute is read (the type codes of
// the conformance list).
type AttributeKind int

// The kinds of attributes.
const (
	ExpressionAttribute AttributeKind = iota // evaluated when the element runs
	TargetAttribute                          // names a declared variable that receives a value
	LiteralAttribute                         // text as it stands
	NamesAttribute                           // white-space separated variable names
)

// attributeSpec is one attribute of an element.
type attributeSpec struct {
	name     string
	kind     AttributeKind
	required bool
}

// elementSpec is an element of executable content or of a document's
// initialisation.
type elementSpec struct {
	attributes []attributeSpec
	compile    func(*element) action // nil: in the language, but not done here yet
}

func expr(names ...string) []attributeSpec     { return attributes(ExpressionAttribute, false, names) }
func needs(names ...string) []attributeSpec    { return attributes(ExpressionAttribute, true, names) }
func literals(names ...string) []attributeSpec { return attributes(LiteralAttribute, false, names) }
func receives(name string) []attributeSpec     { return attributes(TargetAttribute, false, []string{name}) }
func lists(names ...string) []attributeSpec    { return attributes(NamesAttribute, false, names) }

func attributes(kind AttributeKind, required bool, names []string) []attributeSpec {
	specs := make([]attributeSpec, len(names))
	for i, name := range names {
		specs[i] = attributeSpec{name, kind, required}
	}
	return specs
}

func all(groups ...[]attributeSpec) []attributeSpec {
	var specs []attributeSpec
	for _, group := range groups {
		specs = append(specs, group...)
	}
	return specs
}

// vocabulary gives the elements that may stand in a transition (CCXML 1.0, DTD;
// VX-1).
func vocabulary() map[string]*elementSpec {
	request := all(lists("namelist"), expr("method", "enctype", "maxage", "maxstale"))
	dialog := all(expr("type", "connectionid", "conferenceid", "mediadirection", "hints"),
		receives("dialogid"), lists("parameters"), request)
	return map[string]*elementSpec{
		"accept":     {expr("connectionid", "hints"), compileAccept},
		"reject":     {expr("connectionid", "reason", "hints"), compileReject},
		"redirect":   {all(needs("dest"), expr("connectionid", "reason", "hints")), compileRedirect},
		"disconnect": {expr("connectionid", "reason", "hints"), compileDisconnect},
		"createcall": {all(needs("dest"), receives("connectionid"),
			expr("aai", "callerid", "hints", "timeout", "joinid", "joindirection",
				"voxeo-answer-on-media", "voxeo-cpa-maskevent", "voxeo-cpa-maskstop", "voxeo-cpa-maxsilence",
				"voxeo-cpa-maxtime", "voxeo-cpa-runtime", "voxeo-cpa-version")), compileCreateCall},
		"merge": {all(needs("connectionid1", "connectionid2"), expr("hints")), compileMerge},

		"join": {all(needs("id1", "id2"), expr("duplex", "entertone", "exittone", "autoinputgain",
			"autooutputgain", "dtmfclamp", "toneclamp", "hints", "voxeo-termdigits")), compileJoin},
		"unjoin": {all(needs("id1", "id2"), expr("hints")), compileUnjoin},
		"createconference": {all(receives("conferenceid"),
			expr("confname", "reservedtalkers", "reservedlisteners", "hints")), compileCreateConference},
		"destroyconference": {all(needs("conferenceid"), expr("hints")), compileDestroyConference},

		"dialogstart":     {all(dialog, expr("src", "prepareddialogid")), compileDialogStart},
		"dialogprepare":   {all(needs("src"), dialog), compileDialogPrepare},
		"dialogterminate": {all(needs("dialogid"), expr("immediate", "hints")), compileDialogTerminate},

		"var":    {all(literalNeeded("name"), expr("expr")), compileVar},
		"assign": {all(targetNeeded("name"), needs("expr")), compileAssign},
		"script": {all(literals("src", "timeout", "maxage", "maxstale", "charset"), expr("fetchid")), compileScript},

		"if":   {needs("cond"), compileIf},
		"log":  {all(needs("expr"), expr("label")), compileLog},
		"exit": {all(expr("expr"), lists("namelist")), compileExit},
		"goto": {expr("fetchid", "next", "timeout"), compileGoto},
		"fetch": {all(needs("next"), expr("type", "timeout", "mode"), receives("fetchid"), request),
			compileFetch},
		"createccxml": {all(needs("next"), lists("parameters"), expr("timeout", "hints"), receives("sessionid"), request), compileCreate},

		"send": {all(needs("target"), expr("targettype", "name", "data", "delay", "hints"),
			lists("namelist"), receives("sendid")), compileSend},
		"cancel": {needs("sendid"), compileCancel},
		"move":   {all(needs("sessionid"), expr("source", "event")), compileMove},

		"foreach":      {all(needs("object"), expr("cond"), literals("item", "name")), compileForeach},
		"authenticate": {expr("userid", "password", "server"), compileAuthenticate},
	}
}

func literalNeeded(name string) []attributeSpec {
	return attributes(LiteralAttribute, true, []string{name})
}

func targetNeeded(name string) []attributeSpec {
	return attributes(TargetAttribute, true, []string{name})
}

// authenticateElement is Voxeo's <authenticate>, which their platform took and
// did nothing for (VX-3).
type authenticateElement struct{ place }

func compileAuthenticate(e *element) action {
	e.notice(&e.place, "<authenticate> does nothing, as on Voxeo's platform")
	return &authenticateElement{e.place}
}

func (*authenticateElement) run(*Session) error { return nil }
