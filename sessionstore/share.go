package sessionstore

import (
	"crypto/sha256"
	"encoding/binary"
	"time"
)

// ShareFor is how long the sessions of a dead controller are left to those that Share
// gives them to. What is not claimed by then, because that one has died as well or is
// busy, may be claimed by any.
const ShareFor = 2 * time.Second

// Share gives which of some controllers is to claim each of some sessions first: as many
// each, but for chance, and the same whoever asks, whatever the order. With one controller
// more or less, only what it gets or had goes elsewhere (rendezvous hashing).
func Share(sessions, controllers []string) map[string][]string {
	shares := make(map[string][]string, len(controllers))
	if len(controllers) == 0 {
		return shares
	}
	for _, session := range sessions {
		best, most := "", uint64(0)
		for _, controller := range controllers {
			if weight := weightOf(session, controller); best == "" || weight > most || weight == most && controller < best {
				best, most = controller, weight
			}
		}
		shares[best] = append(shares[best], session)
	}
	return shares
}

// weightOf is how much a session is for a controller, by chance.
func weightOf(session, controller string) uint64 {
	sum := sha256.Sum256([]byte(session + " " + controller)) // neither has a space
	return binary.BigEndian.Uint64(sum[:])
}

// Living lists the ids of the controllers that hold their leases, of which the ones that
// read at the same time see the same.
func Living(controllers []Controller) (ids []string) {
	for _, c := range controllers {
		if c.Alive {
			ids = append(ids, c.ID)
		}
	}
	return ids
}
