package esl

import (
	"errors"
	"fmt"
	"sync"
)

// ErrCrowded is the end of a connection on which the largest message was under way
// when those of all connections together took more than they may.
var ErrCrowded = errors.New("esl: the messages under way take too much memory, and that of this connection most")

// ErrSlowMessage is the end of a connection on which a message that had begun was
// not whole in time.
var ErrSlowMessage = errors.New("esl: a message was not whole in time")

// inFlight bounds what the messages under way on all connections of a server take
// together. Beyond it the connection whose message takes most ends: it is not one of
// a FreeSWITCH that sends what is usual.
type inFlight struct {
	most int // bytes

	mu   sync.Mutex
	used int
	held map[*Conn]int
}

// defaultInFlight is what the messages under way of a server's connections may take
// beside their busy buffers, in bytes.
const defaultInFlight = 64 << 20

// hold notes what the message under way on a connection takes now.
func (f *inFlight) hold(c *Conn, bytes int) {
	for _, victim := range f.note(c, bytes) {
		victim.end(fmt.Errorf("%w: more than %d bytes", ErrCrowded, f.most))
	}
}

func (f *inFlight) note(c *Conn, bytes int) (victims []*Conn) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.used += bytes - f.held[c]
	if bytes == 0 {
		delete(f.held, c)
		return nil
	}
	if f.held == nil {
		f.held = make(map[*Conn]int)
	}
	f.held[c] = bytes
	for f.used > f.most {
		largest := c
		for other, n := range f.held {
			if n > f.held[largest] {
				largest = other
			}
		}
		f.used -= f.held[largest]
		delete(f.held, largest)
		victims = append(victims, largest)
		if largest == c { // the others are smaller
			break
		}
	}
	return victims
}
