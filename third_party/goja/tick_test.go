package goja

import (
	"errors"
	"strings"
	"testing"
)

// TestTick: the host is told of scripts that go on, of what may take long before it
// begins, and can end them; not of what it does itself between scripts.
func TestTick(t *testing.T) {
	for src, lasting := range map[string]bool{
		"for (var i = 0; i < 1e6; i++);":                                              false,
		"new Array(1000).fill(0).map(function () { return [3, 1, 2].sort() })":        false,
		"/(a+)+$(?=b)/.test('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac')":                true,
		"var s = 'x'; for (var i = 0; i < 17; i++) s += s; s.split('')":               true,
		"var s = 'x'; for (var i = 0; i < 17; i++) s += s; s.indexOf('y')":            true,
		"var a = []; for (var i = 0; i < 40000; i++) a.push(i); a.slice(1).reverse()": true,
	} {
		r := New()
		r.Bound(&Bounds{})
		ticks, long := 0, 0
		r.SetTick(1000, func(lasting bool) string {
			if lasting {
				long++
			} else {
				ticks++
			}
			return ""
		})
		if _, err := r.RunString(src); err != nil && !strings.Contains(err.Error(), "took longer") || ticks+long > 0 {
			t.Errorf("%s: %v, and the host was told %d times while nothing was bounded", src, err, ticks+long)
		}
		r.BoundSteps(r.Steps()+100_000_000, "%d", 0)
		before := r.Steps()
		_, _ = r.RunString(src)
		if passed := r.Steps() - before; !lasting && int64(ticks) < passed/2000 || int64(ticks) > passed/1000+1 {
			t.Errorf("%s: told %d times in %d steps", src, ticks, passed)
		}
		if lasting != (long > 0) {
			t.Errorf("%s: told %d times of what may last", src, long)
		}
		r.SetTick(1000, func(bool) string { return "enough" })
		r.BoundSteps(r.Steps()+100_000_000, "%d", 0)
		_, err := r.RunString("try { for (;;); } catch (e) { 'caught' }")
		var ended *LimitError
		if !errors.As(err, &ended) || ended.Reason != "enough" {
			t.Errorf("it was not ended: %v", err)
		}
	}
}

// TestAllocated counts on over measures of what is held.
func TestAllocated(t *testing.T) {
	r := New()
	r.Bound(&Bounds{Memory: 1 << 20})
	r.BoundSteps(1<<40, "%d", 0)
	if _, err := r.RunString("var s = 'x'.repeat(10000); for (var i = 0; i < 100; i++) s + i"); err != nil {
		t.Fatal(err)
	}
	if n := r.Allocated(); n < 100*10000*2 || n > 2*100*10000*2 {
		t.Errorf("%d bytes", n)
	}
}
