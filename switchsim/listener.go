package switchsim

import (
	"bufio"
	"errors"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"ccxmld/clock"
)

// listener is one Event Socket connection, in FreeSWITCH's word. A goroutine
// reads its commands. What it sends is staged while the switch is locked, and
// written from out by whoever publishes it.
type listener struct {
	sw       *Switch
	conn     net.Conn
	channel  *channel // the leg it controls; nil on a link
	socket   *socketApplication
	outbound bool
	full     bool
	async    bool

	// The rest is guarded by the switch's lock.
	authorized bool
	connected  bool
	myEvents   bool
	events     map[string]bool
	all        bool
	subclasses map[string]bool
	filters    filters
	focus      []string // the only legs it hears of; see refocus
	placed     bool
	lingers    bool
	lingerTime time.Duration // negative: for ever
	noticed    bool          // of the leg's end
	held       []byte        // events that wait for the reply to a command
	staged     []byte        // what the change that is being made has to say
	holding    bool
	isDirty    bool
	patience   *appointment  // the end of it, if the first command does not come
	busy       *clock.Waiter // is woken when a command that takes time is done
	gone       bool
	silent     bool // see Switch.SilenceSockets
	left       bool // by the controller, which the switch does not notice

	mu      sync.Mutex
	out     []byte
	sending bool
	closing bool  // after what is in out
	written int64 // bytes, so far
}

// maxQueued is how many bytes a connection that does not read may be owed; a
// real switch drops it after 100,000 events.
const maxQueued = 256 << 20

// firstCommand is how long a connection has to say something.
const firstCommand = 25 * time.Second

func (sw *Switch) newListener(conn net.Conn, c *channel) *listener {
	l := &listener{sw: sw, conn: conn, channel: c, events: make(map[string]bool), subclasses: make(map[string]bool)}
	sw.listeners = append(sw.listeners, l)
	if c != nil {
		c.listeners = append(c.listeners, l)
		l.outbound, l.authorized = true, true
	}
	l.patience = sw.agenda.after(firstCommand, func() {
		if !l.gone && (l.outbound && !l.connected || !l.authorized) {
			l.end()
		}
	})
	sw.begin(l.read)
	return l
}

// greet asks for the password.
func (l *listener) greet() { l.send("Content-Type: auth/request\n\n") }

// deny is what an access list does to those it does not admit.
func (l *listener) deny() {
	const message = "Access Denied, go away.\n"
	l.send("Content-Type: text/rude-rejection\nContent-Length: " + strconv.Itoa(len(message)) + "\n\n" + message)
	l.end()
}

// read takes commands until the connection ends.
func (l *listener) read() {
	reader := bufio.NewReaderSize(l.conn, 512)
	for {
		cmd, err := readCommand(reader)
		if err != nil {
			l.sw.lock()
			if !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed) {
				l.sw.log.Debug("event socket ended", "error", err)
			}
			if l.silent { // and the switch does not notice
				l.left = true
			} else {
				l.end()
			}
			l.sw.unlock()
			return
		}
		l.sw.lock()
		if !l.gone && !l.falls(cmd) {
			l.obey(cmd)
		}
		busy := l.busy
		l.sw.unlock()
		if busy != nil {
			busy.WaitContext(l.sw.dialing)
			l.sw.lock()
			l.release()
			l.sw.unlock()
		}
	}
}

// command is what a controller says.
type command struct {
	line    string
	headers map[string]string // by lower-case name; nil if there are none
	body    string
}

// The most that a command may have; a real switch takes 10 MiB.
const (
	maxCommand = 1 << 20
	maxBody    = 10 << 20
)

var errTooLong = errors.New("command is too long")

func readCommand(reader *bufio.Reader) (*command, error) {
	cmd := new(command)
	size := 0
	for {
		line, err := readLine(reader, &size)
		switch {
		case err != nil:
			return nil, err
		case line == "" && cmd.line == "":
			continue
		case line == "":
			return cmd, cmd.readBody(reader)
		case cmd.line == "":
			cmd.line = line
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			continue
		}
		if cmd.headers == nil {
			cmd.headers = make(map[string]string)
		}
		cmd.headers[strings.ToLower(name)] = strings.TrimLeft(value, " ")
	}
}

func readLine(reader *bufio.Reader, size *int) (string, error) {
	var long []byte
	for {
		part, err := reader.ReadSlice('\n')
		if *size += len(part); *size > maxCommand {
			return "", errTooLong
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			long = append(long, part...)
			continue
		}
		if err != nil {
			return "", err
		}
		if long != nil {
			part = append(long, part...)
		}
		return strings.TrimRight(string(part), "\r\n"), nil
	}
}

func (cmd *command) readBody(reader *bufio.Reader) error {
	length, err := strconv.Atoi(cmd.headers["content-length"])
	if err != nil || length <= 0 {
		return nil
	}
	if length > maxBody {
		return errTooLong
	}
	// It grows as it comes: a length alone costs nothing.
	body, err := io.ReadAll(io.LimitReader(reader, int64(length)))
	cmd.body = string(body)
	if err == nil && len(body) < length {
		return io.ErrUnexpectedEOF
	}
	return err
}

// sendEvent queues an event that was written out. While a command is at work,
// its reply comes first, as on a real switch.
func (l *listener) sendEvent(text []byte) {
	switch {
	case l.silent:
		return
	case l.holding:
		l.held = appendEventBlock(l.held, text)
		return
	}
	l.staged = appendEventBlock(l.stage(), text)
	l.markDirty()
}

func appendEventBlock(to, text []byte) []byte {
	to = append(to, "Content-Length: "...)
	to = strconv.AppendInt(to, int64(len(text)), 10)
	to = append(to, "\nContent-Type: text/event-plain\n\n"...)
	return append(to, text...)
}

// send queues text that is complete.
func (l *listener) send(text string) {
	if !l.silent {
		l.staged = append(l.stage(), text...)
	}
	l.markDirty()
}

// buffers are shared by all connections: an idle one holds none.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// largestShared is how large a buffer may be to be kept.
const largestShared = 64 << 10

func release(buffer []byte) {
	if cap(buffer) <= largestShared {
		buffer = buffer[:0]
		buffers.Put(&buffer)
	}
}

// stage returns staged, or a shared buffer to begin it with.
func (l *listener) stage() []byte {
	if l.staged == nil {
		l.staged = (*buffers.Get().(*[]byte))[:0]
	}
	return l.staged
}

// publish hands over what a change of the switch had for the listener, once the
// change is whole: a peer never sees half of one. The switch is locked.
func (l *listener) publish() {
	l.isDirty = false
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.out == nil:
		l.out = l.staged
	case l.staged != nil:
		l.out = append(l.out, l.staged...)
		release(l.staged)
	}
	l.staged = nil
	l.closing = l.gone && !l.silent
	if len(l.out) > maxQueued && !l.gone {
		l.sw.log.Error("killing listener because of too many queued events", "remote", l.conn.RemoteAddr())
		l.conn.Close() // its reader ends the listener
	}
}

func (l *listener) markDirty() {
	if !l.isDirty {
		l.isDirty = true
		l.sw.dirty = append(l.sw.dirty, l)
	}
}

// flushSoon sends off what is queued, in a goroutine of its own, one for what
// a change of the switch brought forth: a peer that does not read must not hold
// up the others. The switch's lock is not held.
func (l *listener) flushSoon() {
	l.mu.Lock()
	start := !l.sending && (len(l.out) > 0 || l.closing)
	l.sending = l.sending || start
	l.mu.Unlock()
	if start {
		l.sw.begin(l.flush)
	}
}

func (l *listener) flush() {
	for {
		l.mu.Lock()
		text := l.out
		l.out = nil
		if len(text) == 0 {
			l.sending = false
			closing := l.closing
			l.mu.Unlock()
			if closing {
				l.conn.Close()
			}
			return
		}
		l.mu.Unlock()
		n, err := l.conn.Write(text)
		l.mu.Lock()
		l.written += int64(n)
		l.mu.Unlock()
		release(text)
		if err != nil {
			l.conn.Close()
		}
	}
}

// reply answers a command.
func (l *listener) reply(text string) {
	l.send("Content-Type: command/reply\nReply-Text: " + text + "\n\n")
}

const farewell = "Disconnected, goodbye.\nSee you at ClueCon! http://www.cluecon.com/\n"

// channelDown tells a socket that its leg is down: it lingers, or it ends and
// what is queued is lost.
func (l *listener) channelDown() {
	if l.noticed || l.gone {
		return
	}
	l.noticed = true
	if !l.lingers {
		l.end()
		return
	}
	seconds := int(l.lingerTime / time.Second)
	if l.lingerTime < 0 {
		seconds = -1
	}
	l.send("Content-Type: text/disconnect-notice\nControlled-Session-UUID: " + l.channel.uuid +
		"\nContent-Disposition: linger\nChannel-Name: " + l.channel.name +
		"\nLinger-Time: " + strconv.Itoa(seconds) + "\nContent-Length: 0\n\n")
	if l.lingerTime >= 0 {
		l.sw.agenda.after(l.lingerTime, l.end)
	}
}

// end takes the listener off the switch, says goodbye and closes the
// connection (the end of listener_run).
func (l *listener) end() {
	if l.gone {
		return
	}
	l.gone = true
	l.sw.agenda.cancel(l.patience)
	l.displace()
	for i, other := range l.sw.listeners {
		if other == l && !l.silent { // whose network connection stays
			l.sw.listeners = append(l.sw.listeners[:i], l.sw.listeners[i+1:]...)
			break
		}
	}
	notice := "Content-Type: text/disconnect-notice\n"
	if l.channel != nil {
		notice += "Controlled-Session-UUID: " + l.channel.uuid + "\nContent-Disposition: disconnect\n"
	}
	l.send(notice + "Content-Length: " + strconv.Itoa(len(farewell)) + "\n\n" + farewell)
	if l.channel != nil {
		l.channel.abandoned(l)
	}
}
