//go:build unix

package daemon_test

import (
	"bytes"
	"context"
	"net"
	"slices"
	"sync"
	"time"
)

// reactions are how long the controller took to send commands, each from what it
// had to know for it: answer from the connection, playback from CHANNEL_ANSWER, and
// hangup or uuid_kill from playback's CHANNEL_EXECUTE_COMPLETE. Both are seen at the
// switch's end of the sockets.
type reactions struct {
	mu       sync.Mutex
	answers  []time.Duration
	commands []time.Duration // playback, and hangup or uuid_kill
}

// What stands in events and commands; commands are looked at in lower case.
var (
	channelAnswer   = []byte("Event-Name: CHANNEL_ANSWER\n")
	executeComplete = []byte("Event-Name: CHANNEL_EXECUTE_COMPLETE\n")
	doAnswer        = []byte("execute-app-name: answer")
	doPlayback      = []byte("execute-app-name: playback")
	doHangup        = []byte("call-command: hangup")
	doKill          = []byte("api uuid_kill ") // hangs up in whatever the leg is doing
)

// dial opens a connection of the switch that is measured.
func (r *reactions) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &measuredConn{Conn: conn, reactions: r, opened: time.Now()}, nil
}

// take gives what was measured since it was last called.
func (r *reactions) take() (answers, commands []time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	answers, commands = r.answers, r.commands
	r.answers, r.commands = nil, nil
	return answers, commands
}

// measuredConn is a leg's socket. One goroutine at a time writes to it, one reads.
type measuredConn struct {
	net.Conn
	reactions *reactions
	unread    []byte // the end of what was read, in which a command may begin

	mu       sync.Mutex
	opened   time.Time // zero when answer was seen
	answered time.Time // when CHANNEL_ANSWER was written; zero when playback was seen
	executed time.Time // when CHANNEL_EXECUTE_COMPLETE was last written; zero when hangup was seen
	plays    bool      // from playback to hangup
}

func (c *measuredConn) Write(p []byte) (int, error) {
	answered, executed := bytes.Contains(p, channelAnswer), bytes.Contains(p, executeComplete)
	if answered || executed {
		now := time.Now()
		c.mu.Lock()
		if answered {
			c.answered = now
		}
		if executed && c.plays {
			c.executed = now
		}
		c.mu.Unlock()
	}
	return c.Conn.Write(p)
}

func (c *measuredConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.look(bytes.ToLower(p[:n]), time.Now())
	}
	return n, err
}

// look looks for commands in what was read.
func (c *measuredConn) look(text []byte, now time.Time) {
	text = append(c.unread, text...)
	c.mu.Lock()
	var answer, playback, hangup time.Duration
	answer = since(&c.opened, now, text, doAnswer)
	if playback = since(&c.answered, now, text, doPlayback); playback > 0 {
		c.plays = true
	}
	if hangup = since(&c.executed, now, text, doHangup, doKill); hangup > 0 {
		c.plays = false
	}
	c.mu.Unlock()
	c.unread = slices.Clone(text[max(0, len(text)-len(doPlayback)):])
	c.reactions.note(answer, playback, hangup)
}

// since tells how long ago the cause of a command was, if the text has one of the
// commands: at least a nanosecond; zero, if not.
func since(cause *time.Time, now time.Time, text []byte, commands ...[]byte) time.Duration {
	seen := func(command []byte) bool { return bytes.Contains(text, command) }
	if cause.IsZero() || !slices.ContainsFunc(commands, seen) {
		return 0
	}
	taken := now.Sub(*cause)
	*cause = time.Time{}
	return max(taken, time.Nanosecond)
}

func (r *reactions) note(answer time.Duration, commands ...time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if answer > 0 {
		r.answers = append(r.answers, answer)
	}
	for _, taken := range commands {
		if taken > 0 {
			r.commands = append(r.commands, taken)
		}
	}
}

// percentile gives the smallest of the times that so many percent are not above.
func percentile(times []time.Duration, percent int) time.Duration {
	if len(times) == 0 {
		return 0
	}
	slices.Sort(times)
	return times[(len(times)*percent+99)/100-1]
}
