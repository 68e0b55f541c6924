package fetch_test

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"ccxmld/clock"
	"ccxmld/clock/clocktest"
	"ccxmld/fetch"
)

// TestVersions: what was made of another version does not count; a failure is not
// kept; and one who gives up stops nobody else.
func TestVersions(t *testing.T) {
	v := fetch.NewVersions[string](clocktest.Real(), 1<<20)
	giving := func(value string, err error) func(context.Context) (string, int64, error) {
		return func(context.Context) (string, int64, error) { return value, 10, err }
	}
	if got, err := v.Make(t.Context(), "u", "1", nil, giving("one", nil)); got != "one" || err != nil {
		t.Fatal(got, err)
	}
	if got, ok := v.Get("u", "1"); got != "one" || !ok {
		t.Error(got, ok)
	}
	if got, ok := v.Get("u", "2"); ok {
		t.Error(got)
	}
	holds := func(string) bool { return true }
	if got, err := v.Make(t.Context(), "u", "1", holds, giving("other", nil)); got != "one" || err != nil {
		t.Errorf("what is kept is made again: %q, %v", got, err)
	}
	if got, err := v.Make(t.Context(), "u", "1", func(string) bool { return false }, giving("anew", nil)); got != "anew" || err != nil {
		t.Errorf("what does not hold is not made again: %q, %v", got, err)
	}
	wrong := errors.New("wrong")
	if _, err := v.Make(t.Context(), "u", "2", nil, giving("", wrong)); err != wrong {
		t.Error(err)
	}
	if _, ok := v.Get("u", "1"); !ok {
		t.Error("a failure drops what was there")
	}

	ctx, cancel := context.WithCancel(t.Context())
	begun, first := make(chan struct{}), make(chan struct{})
	go func() {
		_, err := v.Make(ctx, "x", "1", nil, func(context.Context) (string, int64, error) {
			close(begun)
			<-ctx.Done()
			return "", 0, ctx.Err()
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("the one that gave up: %v", err)
		}
		close(first)
	}()
	<-begun
	second := make(chan struct{})
	go func() {
		if got, err := v.Make(t.Context(), "x", "1", nil, giving("x", nil)); got != "x" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
		close(second)
	}()
	cancel()
	<-first
	<-second
	if got, ok := v.Get("x", "1"); got != "x" || !ok {
		t.Error(got, ok)
	}
}

// TestVersionsOnVirtualTime: those who wait for one that makes it let time go on, and
// have its error too; where its context has ended, the next one makes it.
func TestVersionsOnVirtualTime(t *testing.T) {
	wrong := errors.New("wrong")
	for _, test := range []struct {
		name  string
		ends  bool // the first one's context
		made  int
		fails error
	}{{"it is made", false, 1, nil}, {"it fails", false, 1, wrong}, {"the first gives up", true, 2, nil}} {
		t.Run(test.name, func(t *testing.T) {
			v := clock.NewVirtual(time.Unix(0, 0))
			v.OnStall(func(report string) { t.Error(report) })
			kept, made := fetch.NewVersions[string](v, 1<<20), 0
			var all sync.WaitGroup
			for range 3 {
				ctx, cancel := context.WithCancel(t.Context())
				clock.GoIn(&all, v, func() {
					_, err := kept.Make(ctx, "u", "1", nil, func(context.Context) (string, int64, error) {
						made++
						clock.Sleep(ctx, v, time.Second)
						if test.ends && made == 1 {
							cancel()
							return "", 0, ctx.Err()
						}
						return "x", 1, test.fails
					})
					if gaveUp := ctx.Err(); err != cmp.Or(gaveUp, test.fails) {
						t.Error(err)
					}
					cancel()
				})
			}
			clock.Await(v, all.Wait)
			if took := v.Now().Sub(time.Unix(0, 0)); made != test.made || took != time.Duration(made)*time.Second {
				t.Errorf("it was made %d times in %v", made, took)
			}
			v.Leave()
		})
	}
}

// TestAMistakeInMaking is an error, and nothing that ends the process.
func TestAMistakeInMaking(t *testing.T) {
	v := fetch.NewVersions[string](clocktest.Real(), 1<<20)
	_, err := v.Make(t.Context(), "u", "1", nil, func(context.Context) (string, int64, error) { panic("oops") })
	var mistake *fetch.MistakeError
	if !errors.As(err, &mistake) || err.Error() != "a mistake in ccxmld keeps it from compiling u: oops" || len(mistake.Stack) == 0 {
		t.Errorf("%v", err)
	}
}
