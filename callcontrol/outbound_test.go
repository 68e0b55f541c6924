package callcontrol

import (
	"testing"
	"testing/synctest"
	"time"

	"ccxmld/esl"
)

// endsLate checks that a word of a leg's end that says less than the hangup which may
// follow ends the leg after a while, and not at all if the hangup does follow.
func endsLate(t *testing.T, state legState, word func(*leg)) {
	for _, follows := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			l := newSession(t).newLeg("a", state)
			h := new(handover) // which keeps the end
			l.handover, l.owner = h, ownerStates.At(legBeingMoved)
			in := func(f func()) { // the goroutine of the leg's session
				l.route.do(f)
				synctest.Wait()
			}
			in(func() { word(l) })
			in(func() {
				if h.ended != nil {
					t.Errorf("ended at once with %+v", h.ended)
				}
				if follows {
					l.put(legGone)
				}
			})
			time.Sleep(detailTimeout)
			synctest.Wait()
			in(func() {
				if ended := h.ended != nil; ended == follows {
					t.Errorf("ended is %t; a hangup followed: %t", ended, follows)
				}
			})
		})
	}
}

// The result of an originate that failed comes without the details that the hangup
// has, which may follow.
func TestHangupAfterTheResultOfAnOriginate(t *testing.T) {
	endsLate(t, legDialing, func(l *leg) { l.control.originated(l, "-ERR USER_BUSY", nil) })
}

// A leg with early media whose socket says that it has gone ends as the link tells.
func TestHangupAfterTheSocketOfEarlyMedia(t *testing.T) {
	endsLate(t, legEarly, func(l *leg) {
		l.conn, l.socket = new(esl.Conn), socketStates.At(socketReady)
		l.lost(l.conn, esl.ErrDisconnected)
	})
}

// A cause that tells all there is ends the call at once.
func TestOriginateThatNoHangupFollows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newSession(t).newLeg("a", legDialing)
		l.handover, l.owner = new(handover), ownerStates.At(legBeingMoved)
		l.control.originated(l, "-ERR INVALID_GATEWAY", nil)
		if l.handover.ended == nil {
			t.Error("the call has not ended")
		}
	})
}
