package vxml

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/dop251/goja"

	"ccxmld/clock"
	"ccxmld/dialog"
	"ccxmld/fetch"
	"ccxmld/script"
)

// fetching is how an element gets what it names; what it leaves out the properties
// say (VoiceXML 2.0, 6.1).
type fetching struct {
	timeout  string
	maxAge   string
	maxStale string
	audio    string
}

func (e *element) fetching() fetching {
	f := fetching{looseTime(e.text("fetchtimeout")), e.text("maxage"), e.text("maxstale"), e.text("fetchaudio")}
	e.time("fetchtimeout")
	e.age("maxage")
	e.age("maxstale")
	return f
}

// how gives how a resource of a kind (document, script, data, grammar or audio) is
// fetched.
func (x *execution) how(kind string, f fetching) *dialog.Fetch {
	how := &dialog.Fetch{Cookies: x.cookies}
	if f.timeout == "" {
		f.timeout = x.property("fetchtimeout")
	}
	if f.maxAge == "" {
		f.maxAge = x.property(kind + "maxage")
	}
	if f.maxStale == "" {
		f.maxStale = x.property(kind + "maxstale")
	}
	how.Timeout, _ = dialog.ParseTime(f.timeout) // 0 for one that is empty; the compiler has checked the others
	how.MaxAge, _ = parseAge(f.maxAge)
	how.MaxStale, _ = parseAge(f.maxStale)
	return how
}

// reference is a URI, or a name, that is given as it is or by an expression. One that is
// undefined is error.semantic.
func (x *execution) reference(uri string, expr *script.Expression) (string, error) {
	if expr == nil {
		return uri, nil
	}
	value, err := x.eval(expr)
	switch {
	case err != nil:
		return "", err
	case goja.IsUndefined(value):
		return "", semantic(expr.Errorf("the expression %q is undefined", expr))
	}
	text, err := x.runtime.Text(value)
	if err != nil {
		return "", semantic(err)
	}
	return text, nil
}

// age reads maxage or maxstale, which are whole seconds in VoiceXML.
func (e *element) age(name string) {
	if _, err := parseAge(e.text(name)); err != nil {
		e.problem("<%s %s=%.200q>: expected a number of seconds", e.tag, name, e.text(name))
	}
}

// parseAge reads a time in seconds; nil for "".
func parseAge(text string) (*time.Duration, error) {
	if text == "" {
		return nil, nil
	}
	if strings.Trim(text, "0123456789") == "" {
		text += "s"
	}
	d, err := dialog.ParseTime(looseTime(text))
	return &d, err
}

// badFetch is the event for what could not be fetched, or is not what it should
// be (VoiceXML 2.0, 5.2.6).
func badFetch(err error) *thrown {
	var failed *fetch.Error
	if errors.As(err, &failed) && failed.Status != 0 {
		return thrownf(fmt.Sprintf("error.badfetch.http.%d", failed.Status), "%v", err)
	}
	return thrownf("error.badfetch", "%v", err)
}

// fetch gets a resource. Where there is fetchaudio the party hears, after what is
// queued, that something is under way (VoiceXML 2.0, 6.1.1 and 6.3.5).
func (x *execution) fetch(f fetching, get func(context.Context) error) error {
	audio := f.audio
	if audio == "" {
		audio = x.property("fetchaudio")
	}
	x.runtime.Wait()
	defer x.runtime.GoOn()
	if audio == "" || x.final {
		return get(x.ctx)
	}
	done := make(chan error, 1)
	over := make(chan struct{})
	wake := x.browser.wake
	clock.Go(x.browser.clock(), func() {
		done <- get(x.ctx)
		close(over)
		wake.Wake()
	})
	if _, ok := x.turn(nil); ok {
		x.entertain(audio, over)
	}
	for {
		select {
		case err := <-done:
			return err
		default:
			wake.Wait()
		}
	}
}

// entertain plays audio from when the fetch has taken fetchaudiodelay until it is
// over, and for fetchaudiominimum at least.
func (x *execution) entertain(audio string, over <-chan struct{}) {
	b := x.browser
	timer := clock.Start(b.clock(), x.interval("fetchaudiodelay"), nil, b.wake.Wake)
	defer timer.Stop()
	for !timer.Over() {
		select {
		case <-over:
			return
		case <-b.hangup:
			return
		case <-x.ctx.Done():
			return
		default:
			b.wake.Wait()
		}
	}
	turn := dialog.Turn{Prompts: []dialog.Prompt{{Source: audio, Base: x.page.base}}, Forgiving: true}
	b.take(x.ctx, turn, &x.pending, &until{over, x.interval("fetchaudiominimum")})
}
