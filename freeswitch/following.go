package freeswitch

import (
	"maps"
	"slices"

	"ccxmld/esl"
)

// A channel that is bridged or in a room may have no socket: its controller has died,
// and another one has it, which leaves it where it is, since fetching it would take it
// out of there. The link tells of all that happens to it meanwhile.

// Follow has the link tell [Owner.ChannelTold] of all that happens to a channel, from now
// on and whenever the link comes up again, until [Node.Unfollow] or its hangup.
func (n *Node) Follow(channel string) {
	n.mu.Lock()
	first, known := len(n.followed) == 0, n.followed[channel]
	n.followed[channel] = true
	n.mu.Unlock()
	if known {
		return
	}
	if first {
		n.Send(esl.Subscribe(ChannelEvents...), nil)
	}
	n.Send(OwnEvents(channel), nil) // begin does it, if the link is down
}

// Unfollow is the opposite of [Node.Follow].
func (n *Node) Unfollow(channel string) {
	n.mu.Lock()
	followed := n.followed[channel]
	delete(n.followed, channel)
	n.mu.Unlock()
	if followed {
		n.Send(esl.Unfilter("Unique-ID", channel), nil)
	}
}

func (n *Node) follows(channel string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.followed[channel]
}

// followAgain tells a link that is up again what it has to tell of.
func (n *Node) followAgain() {
	n.mu.Lock()
	followed := slices.Sorted(maps.Keys(n.followed))
	n.mu.Unlock()
	if len(followed) == 0 {
		return
	}
	n.Send(esl.Subscribe(ChannelEvents...), nil)
	for _, channel := range followed {
		n.Send(OwnEvents(channel), nil)
	}
}
