package peer

import (
	"fmt"
	"testing"
	"time"
)

// Who sends a leg hears where it is waited for, and whether it has come.
func TestMove(t *testing.T) {
	ready := Answer{Address: "10.0.0.2:8084"}
	for name, test := range map[string]struct {
		answers  []Answer // of the other controller, each a second after the one before
		transfer func(one *controller, address string)
		sent     bool
		want     string
		after    time.Duration
	}{
		"it comes":      {[]Answer{ready, {}}, nil, true, "<nil>", 2 * time.Second},
		"it is refused": {[]Answer{{Failure: "there is no session s"}}, nil, false, "there is no session s", time.Second},
		"it is lost":    {[]Answer{ready, {Failure: "the leg did not come within 5s"}}, nil, true, "the leg did not come within 5s", 2 * time.Second},
		"it comes back": {[]Answer{ready}, func(one *controller, _ string) { one.MoveFailed("m", "FreeSWITCH does not reach it") }, true,
			"FreeSWITCH does not reach it", time.Second},
		"nobody answers":   {nil, nil, false, "the other controller did not answer within 10s", 10 * time.Second},
		"nobody says more": {[]Answer{ready}, nil, true, "the other controller did not answer within 10s", 11 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			inTime(t, func(t *testing.T) {
				r := newRedis()
				one, two := r.join(t, "c1"), r.join(t, "c2")
				two.expect = func(m Move, reply func(Answer)) {
					two.note("%s of %s for %s", m.Connection.ID, m.From, m.Session)
					for i, answer := range test.answers {
						time.AfterFunc(time.Duration(i+1)*time.Second, func() { reply(answer) })
					}
				}
				began := time.Now()
				sent, err := one.Move(t.Context(), "c2", "m", Move{Session: "s", From: "f", Connection: Connection{ID: "leg"}}, func(address string) {
					if address != ready.Address {
						t.Errorf("it is sent to %q", address)
					}
					if test.transfer != nil {
						test.transfer(one, address)
					}
				})
				if sent != test.sent || fmt.Sprint(err) != test.want || time.Since(began) != test.after {
					t.Errorf("sent %t, %v, after %s; want %t, %s, %s", sent, err, time.Since(began), test.sent, test.want, test.after)
				}
				if got := two.next(); got != "leg of f for s" {
					t.Error(got)
				}
				if len(one.requests) > 0 {
					t.Error("the request is kept")
				}
			})
		})
	}
}
