package vxml

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/dop251/goja"

	"ccxmld/clock"
	"ccxmld/dialog"
	"ccxmld/fetch"
	"ccxmld/processors"
	"ccxmld/random"
	"ccxmld/script"
	"ccxmld/sip"
)

// Options says how VoiceXML dialogs are run.
type Options struct {
	// Limits bound the ECMAScript of pages; they are asked for when a dialog begins. nil
	// is those of script.
	Limits func() script.Limits
	// Abandoned is called if a script does not end when it is told to, and its dialog
	// is given up; it may be nil.
	Abandoned func()
	// Processors shares them between dialogs and what is compiled; nil does not.
	Processors *processors.Gate
	// Random is what Math.random has its numbers from; nil is the system's.
	Random *random.Source
	// Logger gets what pages log, and notices about them; nil for none.
	Logger *slog.Logger
}

// mediaTypes are those under which VoiceXML is known; application/xml+vxml is that
// of the tutorials of 2002 (OLD-45).
var mediaTypes = []string{
	"application/voicexml+xml", "application/xml+vxml", "application/xml", "text/xml", "text/vxml", "application/x-vxml",
}

// IsType tells whether dialogs of a media type are VoiceXML.
func IsType(mediaType string) bool { return slices.Contains(mediaTypes, mediaType) }

// Register makes VoiceXML a type of dialog, the one that CCXML has for a default.
// What the pages need fetched goes through the service.
func Register(s *dialog.Service, o Options) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	p := newPages(s, NewCompiler(), func(page *Page) {
		notices, moreNotices := page.Notices.First()
		for _, notice := range notices {
			o.Logger.Warn("VoiceXML page loaded with a notice", "page", notice.Position.String(), "notice", notice.Reason)
		}
		mistakes, moreMistakes := page.Mistakes.First()
		for _, mistake := range mistakes {
			o.Logger.Warn("VoiceXML page loaded with what does not compile; it is an error when it is reached", "page", mistake.Position.String(), "mistake", mistake.Reason)
		}
		if more := moreNotices + moreMistakes; more > 0 {
			o.Logger.Warn("VoiceXML page loaded with more of the kind", "page", page.URI, "more", more, "do", "see them by ccxmld check")
		}
	})
	p.processors = o.Processors
	s.Handle(func(r dialog.Request, on dialog.Channel, do func(func()) bool, e dialog.Events) dialog.Dialog {
		log := o.Logger.With(r.LogAttributes()...)
		ctx, cancel := context.WithCancel(context.Background())
		b := &browser{
			pages: p, request: r, events: e, do: do, log: log, conversation: s.Converse(on, do, r.LogAttributes()...),
			abandoned: o.Abandoned, hangup: make(chan struct{}), outcomes: make(chan dialog.Outcome, 1), inbox: make(chan dialog.Message, mostMessages),
			pressed: make(chan string, mostMessages), crowding: crowding{asked: make(chan struct{}, 1)}, wake: clock.NewWaiter(s.Clock()),
		}
		b.cancel = func() { cancel(); b.wake.Wake() }
		if err := s.Background(b.cancel, func() { b.run(ctx, o) }); err != nil {
			b.do(func() { b.notStarted(err.Error()) })
		}
		return b
	}, func(ctx context.Context, r dialog.Request) (any, error) {
		return p.first(ctx, &r)
	}, mediaTypes...)
}

// state is where a dialog is in its life; browser.moveTo changes it.
type state int

const (
	starting state = iota // the first page is not there yet
	started
	ended
)

// browser is a VoiceXML dialog, seen from its session.
type browser struct {
	pages        *pages
	request      dialog.Request
	events       dialog.Events
	do           func(func()) bool
	log          *slog.Logger
	conversation *dialog.Conversation
	cancel       context.CancelFunc // ends the dialog's goroutine

	// hangup is closed when the call is over, outcomes has what came of the
	// turn under way, inbox what the session sends. The dialog's goroutine
	// waits for them.
	hangup chan struct{}
	// abandoned is called if a script does not end; may be nil.
	abandoned func()
	outcomes  chan dialog.Outcome
	inbox     chan dialog.Message
	pressed   chan string // during a transfer
	crowding  crowding
	wake      *clock.Waiter // is woken with each of them

	// Of the session's goroutine.
	state         state
	over          bool // hangup is closed
	transferring  bool // the page waits for dialog.transfer.complete
	interruptible bool // and for digits that end it
}

func (b *browser) clock() clock.Clock { return b.pages.service.Clock() }

// moveTo is the one place where the dialog's state changes.
func (b *browser) moveTo(next state) {
	if b.state == starting && next == started {
		b.events.Started()
	}
	b.state = max(b.state, next)
}

func (b *browser) started() {
	if b.state == starting {
		b.moveTo(started)
	}
}

func (b *browser) notStarted(reason string) {
	if b.state != starting {
		return
	}
	b.moveTo(ended)
	b.cancel()
	b.conversation.Close()
	b.events.NotStarted(reason)
}

func (b *browser) exit(result dialog.Result) {
	if b.state == ended {
		return
	}
	b.moveTo(started)
	b.moveTo(ended)
	b.cancel()
	b.conversation.Close()
	b.events.Exited(result)
}

// Digit implements dialog.Dialog.
func (b *browser) Digit(digit string) bool {
	if b.transferring {
		return b.interruptible && b.press(digit)
	}
	return b.state != ended && b.conversation.Digit(digit)
}

// Terminate implements dialog.Dialog. A page that may still return something is
// told that the call is over (CCXML 1.0, 7.2.3).
func (b *browser) Terminate(immediate bool) {
	if b.state == ended {
		return
	}
	if immediate || b.state == starting {
		b.exit(dialog.Result{})
		return
	}
	b.finish()
	b.conversation.Interrupt()
}

// HungUp implements dialog.Dialog.
func (b *browser) HungUp() {
	switch b.state {
	case starting:
		b.notStarted("the call has ended")
	case started:
		b.finish()
		b.conversation.HungUp()
	}
}

// finish tells the page that the call is over.
func (b *browser) finish() {
	if !b.over {
		b.over = true
		close(b.hangup)
		b.wake.Wake()
	}
}

// What follows is called in the dialog's goroutine.

func (b *browser) run(ctx context.Context, o Options) {
	defer b.cancel()
	defer func() {
		if problem := recover(); problem != nil {
			// A mistake of ours must not take other calls along.
			b.log.Error("VoiceXML dialog failed", "problem", problem, "stack", string(debug.Stack()))
			b.do(func() { b.exit(dialog.Result{Reason: fmt.Sprintf("the VoiceXML interpreter failed: %v", problem)}) })
		}
	}()
	first, err := b.first(ctx)
	if err != nil {
		reason := strings.ReplaceAll(err.Error(), "\n", "; ")
		b.do(func() { b.notStarted(reason) })
		return
	}
	if !b.do(b.started) {
		return
	}
	var limits script.Limits
	if o.Limits != nil {
		limits = o.Limits()
	}
	limits.Account = o.Processors.Account()
	limits.Stuck = func(at script.Position) {
		limits.Account.Abandon()
		b.abandon(at)
	}
	p := &party{browser: b, ctx: ctx, log: b.log, limits: limits, random: o.Random, recorded: make(map[string]bool), cookies: first.cookies}
	end := p.newExecution(first.page).run(&jump{page: first.page, root: first.root, form: first.form})
	b.do(func() { b.exit(dialog.Result{Values: end.values, Reason: end.reason}) })
}

// abandon ends a dialog whose goroutine is in a script that has not ended when it was
// told to.
func (b *browser) abandon(at script.Position) {
	b.log.Error("script did not end when it was told to, the dialog is given up", "page", at.String())
	if b.abandoned != nil {
		b.abandoned()
	}
	b.do(func() {
		b.exit(dialog.Result{Reason: fmt.Sprintf("%s: a script did not end when it was told to", at)})
	})
}

// firstPage is what a dialog starts with: a page with its application root document, a
// form of it or nil, and the cookies of its server.
type firstPage struct {
	page    *Page
	root    *Page
	form    *form
	cookies *fetch.Cookies
}

// first gets the page that the dialog starts with, unless it was prepared.
func (b *browser) first(ctx context.Context) (firstPage, error) {
	if first, ok := b.request.Prepared.(firstPage); ok {
		return first, nil
	}
	return b.pages.first(ctx, &b.request)
}

// first gets the page that a dialog starts with. It blocks.
func (p *pages) first(ctx context.Context, r *dialog.Request) (first firstPage, err error) {
	first.cookies = new(fetch.Cookies)
	reference, id, _ := strings.Cut(r.Source, "#")
	first.page, err = p.get(ctx, r.Base, reference, &dialog.Fetch{
		Method: r.Method, Enctype: r.Enctype, Form: r.Namelist, MaxAge: r.MaxAge, MaxStale: r.MaxStale, Cookies: first.cookies, Intake: r.Intake,
	})
	if err != nil {
		return first, err
	}
	if id != "" {
		if first.form = first.page.byID[id]; first.form == nil {
			return first, fmt.Errorf("there is no dialog %q in %s", id, first.page.URI)
		}
	}
	first.root, err = p.root(ctx, first.page, nil, &dialog.Fetch{Cookies: first.cookies, Intake: r.Intake})
	return first, err
}

func (b *browser) load(ctx context.Context, base, reference string, how *dialog.Fetch) (*Page, error) {
	return b.pages.get(ctx, base, reference, how)
}

// hungUp tells whether the call is over.
func (b *browser) hungUp() bool {
	select {
	case <-b.hangup:
		return true
	default:
		return false
	}
}

// until ends a turn: when done is closed, but not before least has passed.
type until struct {
	done  <-chan struct{}
	least time.Duration
}

// take has a turn with the party. It reports false when the call is over. An event
// from the session interrupts a turn that listens, and is put behind those that
// are pending.
func (b *browser) take(ctx context.Context, t dialog.Turn, pending *[]dialog.Message, end *until) (dialog.Outcome, bool) {
	if !b.do(func() {
		if b.state == started && !b.over {
			b.conversation.Take(t, b.came)
		} else {
			b.came(dialog.Outcome{End: dialog.Gone})
		}
	}) {
		return dialog.Outcome{}, false
	}
	var inbox <-chan dialog.Message
	if t.Listen != nil {
		inbox = b.inbox
	}
	var done <-chan struct{}
	if end != nil {
		done = end.done
	}
	begun := b.clock().Now()
	var least *clock.Timer
	defer func() { least.Stop() }()
	for {
		select {
		case o := <-b.outcomes:
			return o, o.End != dialog.Gone && (o.End != dialog.Interrupted || !b.hungUp())
		case m := <-inbox:
			*pending, inbox = append(*pending, m), nil
			b.do(b.conversation.Interrupt)
			continue
		case <-b.crowding.asked:
			b.letGo()
			continue
		case <-done:
			done = nil
			least = clock.Start(b.clock(), end.least-clock.Since(b.clock(), begun), nil, b.wake.Wake)
			continue
		case <-ctx.Done():
			return dialog.Outcome{}, false
		default:
		}
		if least != nil && least.Over() {
			least = nil
			b.do(b.conversation.Interrupt)
		}
		b.wake.Wait()
	}
}

// came brings what came of a turn.
func (b *browser) came(o dialog.Outcome) {
	b.outcomes <- o
	b.wake.Wake()
}

// hangsUp waits a moment for the end of a call that seems to be over.
func (b *browser) hangsUp(ctx context.Context) bool {
	timer := clock.Start(b.clock(), time.Second, nil, b.wake.Wake)
	defer timer.Stop()
	for !b.hungUp() && !timer.Over() && ctx.Err() == nil {
		b.wake.Wait()
	}
	return b.hungUp()
}

// disconnect asks the session to hang the call up.
func (b *browser) disconnect(values dialog.Values) {
	b.do(func() {
		if b.state == started {
			b.events.Disconnect(values)
		}
	})
}

// declareSession gives the page what it may know of the call (VoiceXML 2.0,
// 5.1.4; CCXML 1.0, 7.2, parameters).
func (b *browser) declareSession(r *script.Runtime) {
	vm := r.VM()
	call := &b.request.Call
	end := func(uri string) *goja.Object {
		o := vm.CreateObject(nil)
		set(o, "uri", vm.ToValue(uri))
		return o
	}
	values := vm.CreateObject(nil)
	for _, p := range b.request.Parameters {
		nest(vm, values, p.Name, vm.ToValue(p.Value))
	}
	ccxml := vm.CreateObject(nil)
	set(ccxml, "values", values)
	set(ccxml, "sessionid", vm.ToValue(b.request.Session))
	set(ccxml, "dialogid", vm.ToValue(b.request.ID))
	if b.request.Connection != "" {
		set(ccxml, "connectionid", vm.ToValue(b.request.Connection))
	}
	processors := vm.CreateObject(nil)
	for _, name := range slices.Sorted(maps.Keys(b.request.IOProcessors)) {
		set(processors, name, vm.ToValue(b.request.IOProcessors[name]))
	}
	set(ccxml, "ioprocessors", processors)
	connection := vm.CreateObject(nil)
	local, remote := end(call.Local), end(call.Remote)
	set(connection, "local", local)
	set(connection, "remote", remote)
	set(connection, "ccxml", ccxml)
	if call.Originator == call.Remote {
		set(connection, "originator", remote)
	} else {
		set(connection, "originator", local)
	}
	protocol := vm.CreateObject(nil)
	set(protocol, "name", vm.ToValue("sip"))
	set(protocol, "version", vm.ToValue("2.0"))
	set(connection, "protocol", protocol)
	if call.AAI != "" {
		set(connection, "aai", vm.ToValue(call.AAI))
	}
	set(connection, "redirect", redirects(vm, call.Redirects))
	fix(connection)
	r.Declare(sessionScope, "connection", connection)
	// As Voxeo's pages know them (VX-10).
	r.Declare(sessionScope, "callerid", vm.ToValue(user(call.Remote)))
	r.Declare(sessionScope, "calledid", vm.ToValue(user(call.Local)))
	r.Declare(sessionScope, "sessionid", vm.ToValue(b.request.Session))
	r.Declare(sessionScope, "telephone", b.telephone(vm))
}

// telephone gives what VoiceXML 1.0 knew of the call (9.4).
func (b *browser) telephone(vm *goja.Runtime) *goja.Object {
	call := &b.request.Call
	o := vm.CreateObject(nil)
	set(o, "ani", vm.ToValue(user(call.Remote)))
	set(o, "dnis", vm.ToValue(user(call.Local)))
	if call.AAI != "" {
		set(o, "uui", vm.ToValue(call.AAI))
	}
	if len(call.Redirects) > 0 {
		set(o, "rdnis", vm.ToValue(user(call.Redirects[0].URI)))
		set(o, "redirect_reason", vm.ToValue(call.Redirects[0].Reason))
	}
	fix(o)
	return o
}

// fix makes the properties of an object, and of those in it, ones that a page cannot
// change (VoiceXML 2.0, 5.1.2).
func fix(o *goja.Object) {
	for _, key := range o.Keys() {
		value := o.Get(key)
		if inner, ok := value.(*goja.Object); ok {
			fix(inner)
		}
		// An object that we made takes it.
		_ = o.DefineDataProperty(key, value, goja.FLAG_FALSE, goja.FLAG_FALSE, goja.FLAG_TRUE)
	}
}

func redirects(vm *goja.Runtime, list []dialog.Redirect) *goja.Object {
	objects := make([]any, len(list))
	for i, r := range list {
		o := vm.CreateObject(nil)
		for _, property := range []struct{ name, value string }{{"uri", r.URI}, {"reason", r.Reason}, {"pi", r.Presentation}, {"si", r.Screening}} {
			if property.value != "" {
				set(o, property.name, vm.ToValue(property.value))
			}
		}
		objects[i] = o
	}
	return vm.NewArray(objects...)
}

// user gives the number or name in an address, as it is if it is none.
func user(uri string) string {
	if address, err := sip.Parse(uri); err == nil {
		return address.User
	}
	return uri
}

// nest sets a property whose dotted name stands for nested objects.
func nest(vm *goja.Runtime, o *goja.Object, name string, value goja.Value) {
	for {
		head, rest, dotted := strings.Cut(name, ".")
		if !dotted {
			set(o, name, value)
			return
		}
		child, ok := o.GetOwn(head).(*goja.Object) // not constructor of its prototype
		if !ok {
			child = vm.CreateObject(nil)
			set(o, head, child)
		}
		o, name = child, rest
	}
}

// set sets a property of an object that we made, which takes any. What a page has made
// of the prototypes is not called.
func set(o *goja.Object, name string, value goja.Value) {
	_ = o.DefineDataProperty(name, value, goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_TRUE)
}
