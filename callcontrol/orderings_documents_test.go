package callcontrol_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// An ordering is a document that asks for one thing after the other, at random:
// several in one transition, the next ones upon whatever event comes first, or a
// little later. What it asks for is about connections, conferences and dialogs that
// there are, mostly. Each event and each element is logged as JSON, for account.
type ordering struct {
	*rand.Rand
	callees  []string // numbers
	short    string   // a prompt that ends by itself
	long     string   // and one that does not
	child    bool     // it gets its first connection from another session, if any
	children int
	about    int // what most elements are
}

// told logs an element that was executed, whose ids the expressions are.
func told(element string, ids ...string) string {
	return `<log label="'asked '" expr="asked('` + element + `', [` + strings.Join(ids, ", ") + `])"/>`
}

const orderingScript = `<script><![CDATA[
var pairs = [];
function asked(element, ids) {
  if (element == 'join') pairs.push(ids);
  return JSON.stringify({s: session.id, o: element, ids: ids});
}
function happened(e) {
  return JSON.stringify({s: session.id, n: e.name, c: e.connectionid, d: e.dialogid, f: e.conferenceid, i: e.id1, j: e.id2, t: e.tagname, r: e.reason});
}
function keys(object, holds) {
  var list = [];
  for (var id in object) if (!holds || holds(object[id])) list.push(id);
  return list;
}
function calls() { return keys(session.connections); }
function live() {
  return keys(session.connections, function (c) { return c.state == 'CONNECTED' || c.state == 'PROGRESSING'; });
}
function rooms() { return keys(session.conferences); }
function prompts() { return keys(session.dialogs, function (d) { return d.state != 'ENDED'; }); }
function ends() {
  var peers = session.values.x && session.values.x != 'none' ? [session.values.x] : [];
  return live().concat(live(), rooms(), peers);
}
function pick(n, list) { return list.length ? list[n % list.length] : 'none'; }
function but(id, list) { return list.filter(function (other) { return other != id; }); }
function pair(n) { return pairs.length ? pairs[pairs.length - 1 - n % pairs.length] : ['none', 'none']; }
]]></script>`

// document makes a document of some bursts of elements.
func (o *ordering) document(bursts int) string {
	var text strings.Builder
	for i := range bursts {
		upon := "true"
		switch o.IntN(4) {
		case 0:
			upon = "false"
		case 1:
		default:
			upon = "event$.name.indexOf('" + o.one("connected", "joined", "progressing", "started", "unjoined", "created", "exit", "disconnected") + "') >= 0"
		}
		fmt.Fprintf(&text, `<if cond="next == %d &amp;&amp; (%s || event$.name == 'go.%d')"><assign name="next" expr="%d"/>`, i, upon, i, i+1)
		if i+1 < bursts {
			fmt.Fprintf(&text, `<send target="session.id" targettype="'ccxml'" name="'go.%d'" delay="'%dms'"/>`, i+1, []int{1, 5, 30, 80, 200}[o.IntN(5)])
		} else {
			text.WriteString(`<log expr="'asked all ' + session.id"/>`)
		}
		elements := 1 + o.IntN(3)
		if i == 0 && o.IntN(6) > 0 { // what there is to work with
			elements = 0
			text.WriteString(o.call() + o.call())
			text.WriteString(`<assign name="x" expr="'none'"/><createconference conferenceid="x"/>` + told("createconference", "x"))
			if !o.child {
				text.WriteString(o.accept())
			}
		}
		for range elements {
			text.WriteString("\n  " + o.element(i))
		}
		text.WriteString("</if>\n")
	}
	logged := `<log label="'event '" expr="happened(event$)"/>`
	first := "ccxml.loaded"
	if !o.child {
		first = "connection.alerting"
	}
	return `<ccxml version="1.0" xmlns="http://www.w3.org/2002/09/ccxml">` + orderingScript + `
<var name="next" expr="0"/><var name="x"/><var name="y"/><var name="kid" expr="'none'"/>
<eventprocessor>
<transition event="probe.prompt">` + logged + `
  <if cond="session.connections[event$.about] &amp;&amp; session.connections[event$.about].state == 'CONNECTED'">
  <assign name="x" expr="'none'"/><dialogstart dialogid="x" connectionid="event$.about" src="'` + o.short + `'" type="'audio/wav'"/>` + told("probe", "x", "event$.about") + `</if></transition>
<transition event="probe.end">` + logged + told("disconnect", "event$.about") + `<disconnect connectionid="event$.about"/></transition>
<transition event="probe.terminate">` + logged + told("dialogterminate", "event$.about") + `<dialogterminate dialogid="event$.about" immediate="true"/></transition>
<transition event="probe.exit">` + logged + told("exit") + `<exit/></transition>
<transition event="*">` + logged + `
<if cond="event$.name == '` + first + `'"><send target="session.id" targettype="'ccxml'" name="'go.0'" delay="'` + o.one("1", "20", "60") + `ms'"/></if>
` + text.String() + `</transition>
</eventprocessor></ccxml>`
}

func (o *ordering) one(list ...string) string { return list[o.IntN(len(list))] }

// any is an expression for one of a list.
func (o *ordering) any(list string) string { return fmt.Sprintf("pick(%d, %s)", o.IntN(60), list) }

// on gives x what an expression says, and lets what there is for it follow, if it
// is there.
func (o *ordering) on(x, element string) string {
	return `<assign name="x" expr="` + x + `"/><if cond="x != 'none'">` + element + `</if>`
}

// element is what the document asks for, with what account is to know of it.
func (o *ordering) element(burst int) string {
	n := o.IntN(100)
	if o.IntN(2) == 0 { // what it is mostly about
		n = [][2]int{{0, 100}, {0, 40}, {30, 60}, {60, 75}, {75, 90}, {85, 100}}[o.about][0] + o.IntN([]int{100, 40, 30, 15, 15, 15}[o.about])
	}
	switch {
	case n < 27:
		return o.join("ends()")
	case n < 40:
		return o.unjoin()
	case n < 50:
		return o.dialog()
	case n < 60:
		return o.on(o.any("prompts()"), told("dialogterminate", "x")+`<dialogterminate dialogid="x" immediate="`+o.one("true", "false")+`"/>`)
	case n < 69:
		return o.call()
	case n < 75:
		return o.on(o.any(o.one("live()", "calls()")), told("disconnect", "x")+`<disconnect connectionid="x"/>`)
	case n < 79:
		return `<assign name="x" expr="'none'"/><createconference conferenceid="x"` + o.one("", ` confname="'shared'"`) + `/>` + told("createconference", "x")
	case n < 83:
		return o.on(o.any("rooms()"), told("destroyconference", "x")+`<destroyconference conferenceid="x"/>`)
	case n < 88:
		return o.join("rooms()")
	case n < 92:
		if o.child || o.children > 1 {
			return o.move("live()")
		}
		o.children++
		return `<assign name="x" expr="` + o.any("live()") + `"/><createccxml next="'child` + fmt.Sprint(o.IntN(2)) + `.ccxml'" sessionid="kid" parameters="x"/>` +
			told("createccxml", "kid") + o.one("", o.move("live()"), o.move("calls()")+o.one("", told("exit")+"<exit/>"))
	case n < 95:
		return o.move("calls()")
	case n < 96:
		return o.on(o.any("live()"), `<assign name="y" expr="`+o.any("but(x, live())")+`"/><if cond="y != 'none'">`+
			told("merge", "x", "y")+`<merge connectionid1="x" connectionid2="y"/></if>`)
	case n < 97:
		return o.on("calls()[0] || 'none'", told("reject", "x")+`<reject connectionid="x"/>`)
	case n < 98 && burst > 2:
		return told("exit") + `<exit/>`
	}
	return o.accept()
}

func (o *ordering) accept() string {
	return o.on("keys(session.connections, function (c) { return c.state == 'ALERTING'; })[0] || 'none'", told("accept", "x")+`<accept connectionid="x"/>`)
}

func (o *ordering) call() string {
	attributes := ` timeout="'` + o.one("1s", "200ms", "2s") + `'"`
	call := `<assign name="x" expr="'none'"/><createcall dest="'tel:` + o.callees[o.IntN(len(o.callees))] + `'" connectionid="x"`
	if o.IntN(4) == 0 {
		attributes += ` joinid="y"`
		if o.IntN(3) == 0 {
			attributes += ` joindirection="'` + o.one("callreceive", "calltransmit") + `'"`
		}
		return `<assign name="y" expr="` + o.any("ends()") + `"/><if cond="y != 'none'">` + call + attributes + `/>` + told("createcall", "x") + `</if>`
	}
	return call + attributes + `/>` + told("createcall", "x")
}

func (o *ordering) join(with string) string {
	x, y := "x", "y"
	if o.IntN(2) == 0 {
		x, y = y, x
	}
	return o.on(o.any("live()"), `<assign name="y" expr="`+o.any("but(x, "+with+")")+`"/><if cond="y != 'none'">`+
		told("join", x, y)+`<join id1="`+x+`" id2="`+y+`" duplex="'`+o.one("full", "full", "half")+`'"/></if>`)
}

func (o *ordering) unjoin() string {
	return fmt.Sprintf(`<assign name="x" expr="pair(%d)[0]"/><assign name="y" expr="pair(next - 1 &lt; 0 ? 0 : %[1]d)[1]"/><if cond="x != 'none'">`, []int{0, 0, 1, 2}[o.IntN(4)]) +
		told("unjoin", "x", "y") + `<unjoin id1="x" id2="y"/></if>`
}

func (o *ordering) dialog() string {
	where, source := ` connectionid="x"`, o.short
	list := o.one("live()", "live()", "live()", "calls()")
	if o.IntN(8) == 0 {
		list, where = "rooms()", ` conferenceid="x"`
	}
	if o.IntN(2) == 0 {
		source = o.long
	}
	if o.IntN(5) == 0 {
		where += ` mediadirection="'` + o.one("dialogtransmit", "dialogreceive", "both") + `'"`
	}
	return o.on(o.any(list), `<assign name="y" expr="'none'"/><dialogstart dialogid="y"`+where+` src="'`+source+`'" type="'audio/wav'"/>`+told("dialogstart", "y"))
}

func (o *ordering) move(of string) string {
	if o.child {
		return o.join("ends()")
	}
	return o.on(o.any(of), told("move", "x")+`<move source="x" sessionid="kid"/>`)
}
