package peer

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ccxmld/operator"
)

// An operator asks any controller about any other one, and hears why it is refused, by
// which he is answered.
func TestOperate(t *testing.T) {
	inTime(t, func(t *testing.T) {
		r := newRedis()
		one, two := r.join(t, "c1"), r.join(t, "c2")
		for _, c := range []*controller{one, two} {
			c.operate = func(_ context.Context, o Operation) (json.RawMessage, error) {
				switch o.Name {
				case "missing":
					return nil, operator.Errorf(operator.NotFound, "there is no %s", o.Session)
				case "broken":
					return nil, errors.New("it broke")
				}
				return json.Marshal([]string{c.options.ID, o.Session, string(o.Argument), o.By})
			}
		}
		o := Operation{Name: "show", Session: "s", Argument: json.RawMessage(`{"a":1}`), By: "ann"}
		for _, at := range []string{"c1", "c2"} {
			got, err := one.Peers.Operate(t.Context(), at, o)
			if want := `["` + at + `","s","{\"a\":1}","ann"]`; err != nil || string(got) != want {
				t.Errorf("at %s: %s, %v; want %s", at, got, err, want)
			}
			_, err = one.Peers.Operate(t.Context(), at, Operation{Name: "missing", Session: "s"})
			if operator.KindOf(err) != operator.NotFound || err.Error() != "there is no s" {
				t.Errorf("at %s: %v", at, err)
			}
			if _, err = one.Peers.Operate(t.Context(), at, Operation{Name: "broken"}); err == nil || !strings.Contains(err.Error(), "it broke") {
				t.Errorf("at %s: %v", at, err)
			}
		}
		if _, err := one.Peers.Operate(t.Context(), "c9", o); operator.KindOf(err) != operator.NotFound {
			t.Errorf("a controller that is not there: %v", err)
		}
	})
}

// A controller that does not answer is given up, and what operators of others ask for does
// not pile up in one that is slow.
func TestOperateIsBounded(t *testing.T) {
	inTime(t, func(t *testing.T) {
		r := newRedis()
		one, two := r.join(t, "c1"), r.join(t, "c2")
		running, goOn := atomic.Int64{}, make(chan struct{})
		two.operate = func(context.Context, Operation) (json.RawMessage, error) {
			running.Add(1)
			<-goOn
			return nil, nil
		}
		failures := make(chan error, 2*maxOperations)
		for range maxOperations + 1 {
			go func() {
				_, err := one.Peers.Operate(t.Context(), "c2", Operation{Name: "show"})
				failures <- err
			}()
		}
		synctest.Wait()
		if err := <-failures; operator.KindOf(err) != operator.Unavailable || running.Load() != maxOperations {
			t.Errorf("%d are under way, and one more is answered %v", running.Load(), err)
		}
		begun := time.Now()
		if err := <-failures; operator.KindOf(err) != operator.Unavailable || time.Since(begun) != operateTimeout {
			t.Errorf("given up after %s: %v", time.Since(begun), err)
		}
		close(goOn)
	})
}
