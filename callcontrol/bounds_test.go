package callcontrol

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/antchfx/xmlquery"

	"ccxmld/clock/clocktest"
	"ccxmld/interpreter"
	"ccxmld/sessionstore"
)

// quiet is the platform of a session that asks for nothing.
type quiet struct{ interpreter.Platform }

func (quiet) Release() {}

// boundControl is what a session has that does nothing by itself.
func boundControl(t *testing.T, log *bytes.Buffer) *control {
	t.Helper()
	logger := slog.New(slog.NewTextHandler(log, nil))
	c := &Controller{log: logger, options: Options{Clock: clocktest.Real(), Logger: logger}, legs: make(map[string]*leg)}
	c.bounds.Store(new(Limits))
	c.directoryDone, c.giveUp = context.WithCancel(t.Context())
	root, err := xmlquery.Parse(strings.NewReader(`<ccxml version="1.0"><eventprocessor/></ccxml>`))
	if err != nil {
		t.Fatal(err)
	}
	document, err := interpreter.NewCompiler().Compile(root, "doc.ccxml", nil)
	if err != nil {
		t.Fatal(err)
	}
	one := &control{controller: c, record: sessionstore.Session{ID: "s"}}
	one.session = interpreter.NewSession(interpreter.Options{ID: "s", Document: document, Platform: quiet{}, Clock: clocktest.Real(), Logger: logger})
	return one
}

// What comes of a leg while its session is on its way waits, up to a bound; of more,
// something is lost, and the leg is hung up with words.
func TestLegOfWhichTooMuchComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		c := boundControl(t, &log)
		l := c.controller.newLeg("a", legAlerting)
		ran := 0
		for range maxRouted + 100 {
			if !l.route.do(func() { ran++ }) {
				t.Fatal("the leg has no session any more")
			}
		}
		lost := false
		l.route.ask(func() {}, func() { lost = true })
		if !lost {
			t.Error("nobody is told that the answer to a question is lost")
		}
		c.own(l)
		l.bind(c)
		synctest.Wait()
		if ran != maxRouted {
			t.Errorf("%d of %d messages were kept", ran, maxRouted)
		}
		if !l.isEnding() || !strings.Contains(l.detail, "more than 1000 messages") || strings.Count(log.String(), "the leg is hung up") != 1 {
			t.Errorf("ending %t, %q; log: %s", l.isEnding(), l.detail, &log)
		}
		l.hangupTimer.Stop()
		c.session.End("enough")
		synctest.Wait()
	})
}

// While Redis is slow so much of a session waits for it, and more fails at once; what
// gives something back waits in any case.
func TestOrdersThatWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		c := boundControl(t, &log)
		redis := make(chan struct{})
		done, failed, undone := 0, 0, 0
		ask := func() {
			inOrder(c, func(context.Context) (int, error) { <-redis; return 1, nil }, func(n int, err error) {
				if done += n; errors.Is(err, errTooManyOrders) {
					failed++
				}
			}, nil)
		}
		ask()
		synctest.Wait() // it waits for Redis
		for range maxOrders + 7 {
			ask()
		}
		c.registry.add(c.controller, func(context.Context) { undone++ })
		synctest.Wait()
		if failed != 7 || done != 0 {
			t.Errorf("%d failed, %d done, while redis is slow", failed, done)
		}
		close(redis)
		synctest.Wait()
		ask()
		synctest.Wait()
		if done != maxOrders+2 || undone != 1 || failed != 7 {
			t.Errorf("%d done, %d failed, %d given back", done, failed, undone)
		}
		if n := strings.Count(log.String(), "requests about conferences fail"); n != 1 {
			t.Errorf("said %d times: %s", n, &log)
		}
		c.session.End("enough")
		synctest.Wait()
	})
}
