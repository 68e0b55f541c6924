package callcontrol

import (
	"testing"

	"ccxmld/clock"
)

// TestWordOfAnEarlierWait: what was waited for before, or is not waited for at all,
// does not end the wait for something else.
func TestWordOfAnEarlierWait(t *testing.T) {
	earlier, now := &order{}, &order{}
	for name, late := range map[string]func(*control, *leg){
		"of an earlier bridge":      func(c *control, l *leg) { c.joinFailed(l, earlier, "refused") },
		"of no bridge":              func(c *control, l *leg) { c.joinFailed(l, nil, "refused") },
		"of an earlier room":        func(c *control, l *leg) { c.roomRefused(l, earlier, "refused") },
		"of an earlier way home":    func(c *control, l *leg) { c.homeFailed(l, "earlier", "refused") },
		"of a way home without end": func(c *control, l *leg) { c.homeFailed(l, "", "refused") },
	} {
		t.Run(name, func(t *testing.T) {
			c, wait := &control{}, &clock.Timer{}
			l := bare(legConnected)
			l.id, l.control, l.joinPending, l.home, l.socketTimer = "a", c, now, "now", wait
			l.homing, l.joinState = homeStates.At(homeTransferred), joinStates.At(joinPending)
			l.place.partner = "room"
			c.legs = map[string]*leg{"a": l}
			late(c, l)
			if l.joinPending != now || l.place.partner != "room" || !l.isHoming() || l.isEnding() {
				t.Errorf("the leg's wait has ended: %+v", l.place)
			}
		})
	}
}
