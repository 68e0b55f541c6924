package vxml

import (
	"slices"

	"github.com/dop251/goja"

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

func (c *compilation) transfer(e *element) *item {
	e.attributes("name", "expr", "cond", "dest", "destexpr", "bridge", "type", "connecttimeout", "maxtime", "aai", "aaiexpr")
	t := &transfer{
		kind: e.text("type"), dest: e.text("dest"), destExpr: e.expression("destexpr"), aai: e.text("aai"),
		aaiExpr: e.expression("aaiexpr"), connectTimeout: e.text("connecttimeout"), maxTime: e.text("maxtime"),
	}
	e.time("connecttimeout")
	e.time("maxtime")
	if e.has("dest") == e.has("destexpr") {
		e.problem("<transfer> needs exactly one of dest and destexpr")
	}
	if e.has("aai") && e.has("aaiexpr") {
		e.problem("<transfer> takes one of aai and aaiexpr")
	}
	switch bridge := e.text("bridge"); {
	case t.kind != "" && bridge != "":
		e.problem("<transfer> takes one of type and bridge")
	case t.kind == "" && bridge == "true":
		t.kind = "bridge"
	case t.kind == "" && (bridge == "" || bridge == "false"):
		t.kind = "blind"
	case !slices.Contains([]string{"blind", "bridge", "consultation"}, t.kind):
		e.problem("<transfer>: expected blind, bridge or consultation as its type, or true or false as bridge")
	}
	i := c.newItem(e)
	i.transfer = t
	for _, run := range e.runs() {
		if run.element == nil {
			i.prompts = append(i.prompts, &prompt{place: e.place, count: 1, parts: run.parts})
			continue
		}
		switch k := run.element; {
		case k.common(&i.level):
		case k.tag == "prompt":
			i.prompts = append(i.prompts, k.prompt())
		case k.tag == "filled":
			i.filled = append(i.filled, k.filled(false))
		case k.tag == "grammar":
			k.notice("<grammar> of a transfer is not supported yet; it is ignored")
		default:
			k.misplaced()
		}
	}
	return i
}

// transfer asks the session for a transfer after the prompts were heard, and waits
// for its outcome. A blind one has none: the page gets
// connection.disconnect.transfer at once (DEV-14).
func (x *execution) transfer(i *item) error {
	t := i.transfer
	request := dialog.Transfer{Type: t.kind, URI: t.dest, AAI: t.aai, ConnectTimeout: t.connectTimeout, MaxTime: t.maxTime}
	for _, attribute := range []struct {
		expr *script.Expression
		text *string
	}{{t.destExpr, &request.URI}, {t.aaiExpr, &request.AAI}} {
		if attribute.expr == nil {
			continue
		}
		var err error
		if *attribute.text, err = x.text(attribute.expr); err != nil {
			return err
		}
	}
	if o, ok := x.turn(nil); !ok {
		return &thrown{event: "connection.disconnect.hangup"}
	} else if o.End == dialog.Failed {
		return &thrown{event: "error.noresource", message: o.Problems[len(o.Problems)-1]}
	}
	if t.kind == "blind" {
		x.browser.askTransfer(request)
		return &thrown{event: "connection.disconnect.transfer"}
	}
	x.browser.askTransfer(request)
	x.steps = 0
	complete, err := x.awaitTransfer()
	if err != nil {
		return err
	}
	x.transferred(i, complete)
	return x.process(i)
}

// awaitTransfer waits for the outcome of a transfer. Errors and disconnections
// end the wait; other events are for afterwards.
func (x *execution) awaitTransfer() (dialog.Message, error) {
	b := x.browser
	for {
		select {
		case m := <-b.inbox:
			switch {
			case m.Name == transferComplete:
				return m, nil
			case isError(m.Name) || isDisconnect(m.Name):
				b.giveUpTransfer(m.Name)
				return m, external(m)
			case len(x.pending) >= mostMessages:
				x.log.Warn("an event is lost: too many have come during a transfer", "event", m.Name)
			default:
				x.pending = append(x.pending, m)
			}
		case <-b.hangup:
			b.giveUpTransfer("near_end_disconnect")
			return dialog.Message{}, &thrown{event: "connection.disconnect.hangup"}
		case <-x.ctx.Done():
			return dialog.Message{}, &exit{}
		}
	}
}

// transferred gives the item the outcome: the parameter results, or else the first
// one. All of them are properties of its shadow variable.
func (x *execution) transferred(i *item, complete dialog.Message) {
	vm := x.runtime.VM()
	outcome := "unknown" // VoiceXML 2.0, 2.3.7.2
	if len(complete.Parameters) > 0 {
		outcome = complete.Parameters[0].Value
	}
	for _, p := range complete.Parameters {
		if p.Name == "results" {
			outcome = p.Value
		}
	}
	x.set(i.name, vm.ToValue(outcome))
	x.set(i.name+"$", parameters(vm, complete))
}

// parameters makes an object of what came with an event.
func parameters(vm *goja.Runtime, m dialog.Message) *goja.Object {
	o := vm.CreateObject(nil)
	for _, p := range m.Parameters {
		nest(vm, o, p.Name, vm.ToValue(p.Value))
	}
	return o
}
