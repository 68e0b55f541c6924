package main

import (
	"encoding/xml"
	"fmt"
	"os"
	"strings"
)

// scriptAttacks are scripts that would take the process down, and those that never end.
var scriptAttacks = []attack{{
	name: "scripts: every expression of script/testdata/attacks.txt",
	prepare: func(a *assault) map[string]string {
		text, err := os.ReadFile("../../script/testdata/attacks.txt")
		if err != nil {
			a.Fatal(err)
		}
		n := 0
		for line := range strings.Lines(string(text)) {
			name, source, ok := strings.Cut(strings.TrimSpace(line), ": ")
			if !ok || strings.HasPrefix(name, "#") {
				continue
			}
			var attribute strings.Builder
			if err := xml.EscapeText(&attribute, []byte(source)); err != nil {
				a.Fatal(err)
			}
			n++
			a.transitions(fmt.Sprintf("attack-%03d.ccxml", n), `<transition event="ccxml.loaded"><log expr="`+attribute.String()+`"/><exit/></transition>`)
		}
		return nil
	},
	run: startAll,
}, {
	name: "scripts: memory at each event",
	prepare: func(a *assault) map[string]string {
		a.document("hoard.ccxml", `<ccxml version="1.0"><var name="all" expr="[]"/><eventprocessor>
<transition event="*"><script>all.push(new Array(100000).join('0123456789').split(''));</script><send target="session.id" name="'again'"/></transition></eventprocessor></ccxml>`)
		a.document("text.ccxml", `<ccxml version="1.0"><var name="s" expr="'x'"/><eventprocessor>
<transition event="*"><script>for (;;) s += s;</script><send target="session.id" name="'again'"/></transition></eventprocessor></ccxml>`)
		return nil
	},
	run: startAll,
}}

// loopAttacks are documents that go round in circles, or create others that do.
var loopAttacks = []attack{{
	name: "loops: errors with other events between them, sends, dialogs, fetches",
	prepare: func(a *assault) map[string]string {
		const send = `<send target="session.id" name="'again'"/>`
		for name, text := range map[string]string{
			"errors":  `<transition event="ccxml.loaded">` + send + `</transition><transition event="again">` + send + `<log expr="missing"/></transition><transition event="error.*">` + send + `</transition>`,
			"sends":   `<transition event="ccxml.loaded">` + send + `</transition><transition event="again">` + send + `</transition>`,
			"fetches": `<transition event="ccxml.loaded">` + send + `</transition><transition event="again"><fetch next="'ordinary.ccxml'"/></transition><transition event="fetch.done">` + send + `</transition><transition event="error.*">` + send + `</transition>`,
			"strays":  `<transition event="ccxml.loaded">` + send + `</transition><transition event="again"><foreach array="new Array(500).join('x').split('x')" item="i"><send target="'nobody-' + Math.random()" name="'x'"/></foreach></transition><transition event="error.*">` + send + `</transition>`,
		} {
			a.transitions(name+".ccxml", text)
		}
		return nil
	},
	run: startAll,
}, {
	name: "loops: sessions that create sessions",
	prepare: func(a *assault) map[string]string {
		a.transitions("bomb.ccxml", `<transition event="*"><createccxml next="'bomb.ccxml'"/><createccxml next="'bomb.ccxml'"/></transition>`)
		return map[string]string{"LIMITS_SESSIONS": "500"}
	},
	run: startAll,
}}
