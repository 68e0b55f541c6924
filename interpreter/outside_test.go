package interpreter_test

import (
	"strings"
	"testing"

	"ccxmld/interpreter"
)

// TestOthersDocuments: what documents of other platforms have runs, and a notice says how
// it is read.
func TestOthersDocuments(t *testing.T) {
	const processor = `<eventprocessor%s><transition event="ccxml.loaded"%s>%s<exit/></transition></eventprocessor>`
	document := func(attributes, of, transition, content string) string {
		return `<ccxml ` + attributes + `>` + strings.NewReplacer("%s><transition", of+"><transition", `"%s>%s`, `"`+transition+">"+content).Replace(processor) + `</ccxml>`
	}
	const plain = `version="1.0"`
	for name, test := range map[string]struct{ document, want string }{
		"another namespace":         {document(`version="1.0" xmlns="http://www.w3.org/2002/09/ccxml/"`, "", "", ""), `of the namespace "http://www.w3.org/2002/09/ccxml/" is read as one of CCXML`},
		"an empty version":          {document(`version=""`, "", "", ""), "has no version"},
		"an empty statevariable":    {document(plain, ` statevariable=""`, "", ""), `<eventprocessor statevariable=""> is empty; it is read as if it were not there`},
		"an empty name":             {document(plain, "", ` name=""`, ""), `<transition name=""> is empty; it is read as if it were not there`},
		"an empty conference":       {document(plain, "", "", `<dialogstart src="'a.wav'" connectionid="event$.connectionid" conferenceid=""/>`), `<dialogstart conferenceid=""> is empty; it is read as if it were not there`},
		"an empty connection":       {document(plain, "", "", `<dialogstart src="'a.wav'" connectionid="" conferenceid="'c'"/>`), `<dialogstart connectionid=""> is empty; it is read as if it were not there`},
		"both empty":                {document(plain, "", "", `<dialogprepare src="'a.wav'" connectionid="" conferenceid=""/>`), `<dialogprepare conferenceid=""> is empty`},
		"an empty source of a move": {document(plain, "", "", `<move source="" event="event$" sessionid="session.id"/>`), `<move source=""> is empty; it is read as if it were not there`},
		"an empty src of a script":  {document(plain, "", "", `<script src=""/>`), `<script src=""> is empty; it is read as if it were not there`},
		"names with commas":         {document(plain, "", "", `<var name="a" expr="1"/><var name="b" expr="2"/><exit namelist="a, b"/>`), `names are separated by spaces`},
	} {
		t.Run(name, func(t *testing.T) {
			source, err := parseSource("doc.ccxml", test.document)
			if err != nil {
				t.Fatal(err)
			}
			compiled, err := interpreter.NewCompiler().CompileSource(source)
			if err != nil {
				t.Fatal(err)
			}
			if got := compiled.Notices.Error(); !strings.Contains(got, test.want) {
				t.Errorf("gave %s, want %s", got, test.want)
			}
		})
	}
}

// TestLooseTimes: '1 s' is a time in lenient documents, said once, and error.semantic in
// one of CCXML's namespace alone.
func TestLooseTimes(t *testing.T) {
	const document = `<eventprocessor>
<transition event="ccxml.loaded"><send name="'user.a'" target="session.id" targettype="'ccxml'" delay="'1 MSEC'"/></transition>
<transition event="user.a"><log expr="'in time'"/><exit/></transition>
<transition event="error.*"><log expr="event$.reason"/><exit/></transition></eventprocessor></ccxml>`
	text := runLogged(t, `<ccxml version="1.0">`+document)
	if !strings.Contains(text, "in time") || strings.Count(text, "is read as '1ms'") != 1 {
		t.Errorf("logged %s", text)
	}
	text = runLogged(t, `<ccxml version="1.0" xmlns="`+interpreter.Namespace+`">`+document)
	if strings.Contains(text, "in time") || !strings.Contains(text, "is not a time") {
		t.Errorf("logged %s", text)
	}
}
