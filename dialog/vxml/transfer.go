package vxml

import (
	"slices"
	"strings"
	"time"

	"github.com/dop251/goja"

	"ccxmld/clock"
	"ccxmld/dialog"
	"ccxmld/script"
)

// transfer is a <transfer> (VoiceXML 2.0, 2.3.7, and 2.1, 7). The dialog makes no
// calls: it asks its session, and waits for dialog.transfer.complete (CCXML 1.0,
// appendix on VoiceXML).
type transfer struct {
	kind                    string // blind, bridge or consultation
	dest, aai               string
	destExpr, aaiExpr       *script.Expression
	connectTimeout, maxTime string // as they are written
}

func (e *element) transfer() *transfer {
	e.attributes("name", "expr", "cond", "dest", "destexpr", "bridge", "type", "connecttimeout", "maxtime", "aai", "aaiexpr")
	t := &transfer{
		dest: e.text("dest"), destExpr: e.expression("destexpr"), aai: e.text("aai"),
		aaiExpr: e.expression("aaiexpr"), connectTimeout: looseTime(e.text("connecttimeout")), maxTime: looseTime(e.text("maxtime")),
	}
	e.time("connecttimeout")
	e.time("maxtime")
	e.exactlyOne("dest", "destexpr")
	if e.has("aai") && e.has("aaiexpr") {
		e.problem("<transfer> takes one of aai and aaiexpr")
	}
	t.kind, _ = e.word("type", "blind", "bridge", "consultation")
	switch bridge := e.truth("bridge"); {
	case t.kind != "" && bridge != "":
		e.problem("<transfer> takes one of type and bridge")
	case t.kind == "" && bridge == "true":
		t.kind = "bridge"
	case t.kind == "" && (bridge == "" || bridge == "false"):
		t.kind = "blind"
	case !slices.Contains([]string{"blind", "bridge", "consultation"}, t.kind):
		e.problem("<transfer>: expected blind, bridge or consultation as its type, or true or false as bridge")
	}
	return t
}

// transfer asks the session for a transfer after the prompts were heard, and waits
// for its outcome. A blind one has none: the page gets
// connection.disconnect.transfer at once (DEV-14).
func (x *execution) transfer(i *item) error {
	t := i.transfer
	request := dialog.Transfer{Type: t.kind, URI: t.dest, AAI: t.aai, ConnectTimeout: t.connectTimeout, MaxTime: t.maxTime}
	var err error
	if request.URI, err = x.reference(t.dest, t.destExpr); err != nil {
		return err
	}
	request.URI = telephone(request.URI)
	if t.aaiExpr != nil {
		if request.AAI, err = x.text(t.aaiExpr); err != nil {
			return err
		}
	}
	if o, ok := x.turn(nil); !ok {
		return &thrown{event: "connection.disconnect.hangup"}
	} else if o.End == dialog.Failed {
		return &thrown{event: "error.noresource", message: o.Problems[len(o.Problems)-1]}
	}
	if t.kind == "blind" {
		x.browser.askTransfer(request, false)
		return &thrown{event: "connection.disconnect.transfer"}
	}
	var list []candidate
	if list, err = x.ofTransfer(i); err != nil {
		return err
	}
	x.browser.askTransfer(request, len(list) > 0)
	begun := x.browser.clock().Now()
	complete, digits, err := x.awaitTransfer(list)
	if err != nil {
		return err
	}
	took := clock.Since(x.browser.clock(), begun)
	x.loops.heard(took)
	x.transferred(i, complete, digits, took)
	return x.process(i)
}

// ofTransfer gives the grammars whose digits end a transfer.
func (x *execution) ofTransfer(i *item) (list []candidate, err error) {
	for _, g := range i.grammars {
		match, _, err := x.grammar(g)
		if err != nil {
			return nil, err
		}
		if match != nil {
			list = append(list, candidate{match: match})
		}
	}
	return list, nil
}

// awaitTransfer waits for the outcome of a transfer, or for digits that end it.
// Errors and disconnections end the wait; other events are for afterwards.
func (x *execution) awaitTransfer(list []candidate) (complete dialog.Message, digits string, err error) {
	b := x.browser
	for {
		select {
		case digit := <-b.pressed:
			switch digits += digit; matches(list).Match(digits) {
			case dialog.NoMatch:
				digits = ""
			case dialog.Matched, dialog.Complete:
				b.giveUpTransfer(nearEnd)
				return dialog.Message{Parameters: []dialog.Pair{{Name: "results", Value: nearEnd}}}, digits, nil
			}
		case m := <-b.inbox:
			switch {
			case m.Name == transferComplete:
				return m, "", nil
			case isError(m.Name) || isDisconnect(m.Name):
				b.giveUpTransfer(m.Name)
				return m, "", external(m)
			case len(x.pending) >= mostMessages:
				x.log.Warn("an event is lost: too many have come during a transfer", "event", m.Name)
			default:
				x.pending = append(x.pending, m)
			}
		case <-b.hangup:
			b.giveUpTransfer(nearEnd)
			return complete, "", &thrown{event: "connection.disconnect.hangup"}
		case <-b.crowding.asked:
			b.letGo()
		case <-x.ctx.Done():
			return complete, "", &exit{}
		default:
			b.wake.Wait()
		}
	}
}

// nearEnd is the outcome of a transfer that the caller has ended.
const nearEnd = "near_end_disconnect"

// transferred gives the item the outcome: the parameter results, or else the first
// one. All of them are properties of its shadow variable, beside the duration in
// seconds and what was pressed (VoiceXML 2.0, 2.3.7.2).
func (x *execution) transferred(i *item, complete dialog.Message, digits string, took time.Duration) {
	vm := x.runtime.VM()
	outcome := "unknown"
	if len(complete.Parameters) > 0 {
		outcome = complete.Parameters[0].Value
	}
	shadow := parameters(vm, complete)
	duration := 0.0
	for _, p := range complete.Parameters {
		if p.Name == "results" {
			outcome = p.Value
		}
	}
	if strings.HasSuffix(outcome, "_disconnect") { // it was connected, more or less so long
		duration = took.Seconds()
	}
	if given := shadow.Get("duration"); given != nil {
		duration = given.ToFloat()
	}
	set(shadow, "duration", vm.ToValue(duration))
	if digits != "" {
		set(shadow, "utterance", vm.ToValue(digits))
		set(shadow, "inputmode", vm.ToValue("dtmf"))
	}
	x.set(i.name, vm.ToValue(outcome))
	x.set(i.name+"$", shadow)
}

// parameters makes an object of what came with an event.
func parameters(vm *goja.Runtime, m dialog.Message) *goja.Object {
	o := vm.CreateObject(nil)
	for _, p := range m.Parameters {
		nest(vm, o, p.Name, vm.ToValue(p.Value))
	}
	return o
}
