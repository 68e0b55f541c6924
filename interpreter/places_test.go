package interpreter_test

import (
	"strings"
	"testing"

	"ccxmld/interpreter"
)

// TestErrorsTellTheColumn: the reason of error.semantic points into the attribute
// whose expression failed, wherever the tag puts it.
func TestErrorsTellTheColumn(t *testing.T) {
	for _, test := range []struct{ name, action, want string }{
		{"an expression", `<log expr="1 + nope"/>`, "4:17: <log>: ReferenceError: nope is not defined"},
		{"an attribute of another line", "<log\n  label=\"'x'\"\n  expr='\n nope'/>", "7:2: <log>: ReferenceError: nope is not defined"},
		{"behind references", `<log expr="1 &amp;&amp; '&#233;' &lt; nope"/>`, "4:40: <log>: ReferenceError: nope is not defined"},
		{"behind letters of two bytes", `<log label="'é'" expr="'é' + nope"/>`, "4:31: <log>: ReferenceError: nope is not defined"},
		{"a name of a list", `<exit namelist="ccxml.a  nope"/>`, "4:27: <exit>: ReferenceError: nope is not defined"},
		{"a value", `<send target="'x'" name="'a'" delay="'soon'"/>`, "4:39: <send>: delay: \"soon\" is not a time: write a number with ms or s, such as '500ms' or '1.5s'"},
		{"a target", `<assign name="nope" expr="1"/>`, "4:16: <assign>: nope is not declared"},
		{"a script", "<script>\n  var a; nope();</script>", "5:14: <script>: ReferenceError: nope is not defined"},
		{"a script in a section", "<script><![CDATA[nope()]]></script>", "4:23: <script>: ReferenceError: nope is not defined"},
		{"a section behind blanks", "<script> <!-- why --> <![CDATA[nope()]]></script>", "4:37: <script>: ReferenceError: nope is not defined"},
		{"a function elsewhere", `<log expr="f()"/>`, "4:13: <log>: doc.ccxml:1: ReferenceError: gone is not defined"},
		{"no expression", `<log/><accept/>`, ""},
		{"a condition", `<if cond="1"><elseif cond="nope"/></if><if cond="nope"/>`, "4:51: <if>: ReferenceError: nope is not defined"},
		{"no attribute", `<disconnect/>`, "4:2: <disconnect>: connectionid is missing, and the event has no connection"},
	} {
		t.Run(test.name, func(t *testing.T) {
			source, err := parseSource("doc.ccxml", `<ccxml version="1.0" xmlns="http://www.w3.org/2002/09/ccxml"><var name="a"/><script>function f() { return gone }</script>
<eventprocessor>
<transition event="user.a">
 `+test.action+`
</transition>
<transition event="error.*"><exit expr="event$.reason"/></transition>
</eventprocessor></ccxml>`)
			if err != nil {
				t.Fatal(err)
			}
			document, err := interpreter.NewCompiler().CompileSource(source)
			if test.want == "" {
				if err == nil {
					t.Error("the document compiles")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var ending interpreter.Ending
			options := quietOptions(document)
			options.Ended = func(e interpreter.Ending) { ending = e }
			s := interpreter.NewSession(options)
			s.Start()
			post(s, "user.a")
			<-s.Done()
			if got, _ := ending.Value.(string); strings.TrimPrefix(got, "doc.ccxml:") != test.want {
				t.Errorf("the reason is %q, want %q", got, test.want)
			}
		})
	}
}
