package script_test

import (
	"errors"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ccxmld/processors"
	"ccxmld/script"
)

// TestAScriptWaitsForItsTurn: what lasts waits for a place, which does not count as its
// time; after a while it is stopped. What is short does not wait.
func TestAScriptWaitsForItsTurn(t *testing.T) {
	const long = "(function (s) { for (var i = 0; i < 17; i++) s += s; return s.split('x').length })('x')"
	for name, c := range map[string]struct{ held, took time.Duration }{
		"it gets its turn": {held: 3 * time.Second, took: 3 * time.Second},
		"it does not":      {held: time.Minute, took: 5 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				gate := processors.NewGate()
				for range max(1, runtime.GOMAXPROCS(0)/2) {
					holder := gate.Account()
					go func() {
						holder.Begin()
						holder.Lasts()
						if holder.Take() {
							time.Sleep(c.held)
						}
						holder.End()
					}()
					synctest.Wait()
				}
				s := newSession(t, script.Limits{Time: time.Second, ArrayLength: 1 << 20, Account: gate.Account()})
				began := time.Now()
				s.is("1 + 1", "2")
				if took := time.Since(began); took > 0 {
					t.Errorf("what is short waited %v", took)
				}
				_, err := s.eval(long)
				took := time.Since(began)
				if took != c.took {
					t.Errorf("it waited %v, want %v", took, c.took)
				}
				if stopped := errors.Is(err, script.ErrLimit) && strings.Contains(err.Error(), "waited too long for a processor"); stopped != (c.held > c.took) {
					t.Errorf("it was stopped: %v (%v)", stopped, err)
				}
				s.is("1 + 1", "2")
				time.Sleep(2 * time.Minute)
			})
		})
	}
}
