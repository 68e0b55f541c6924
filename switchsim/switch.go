package switchsim

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"time"

	"ccxmld/clock"
	"ccxmld/random"
)

// Options describe a simulated FreeSWITCH. The zero value is usable.
type Options struct {
	// Clock is the time the switch lives in; nil is the wall's.
	Clock clock.Clock
	// Random is where ids and chance come from; nil is the system's.
	Random *random.Source
	// Listen and Dial open the switch's network connections; nil is TCP.
	Listen func(address string) (net.Listener, error)
	Dial   func(ctx context.Context, network, address string) (net.Conn, error)
	// Logger is told what goes wrong; nil discards it.
	Logger *slog.Logger
	// Name is the switch's name for itself, "sim" by default.
	Name string
	// Password is what links authenticate with, "ClueCon" by default.
	Password string
	// Sockets are the addresses of the controllers' outbound-socket
	// listeners: each is one socket action of the dialplan that incoming
	// calls run through, in order. "host:port|host:port" is one action that
	// tries several.
	Sockets []string
	// SocketArgs follow the address in a socket action, "async full" by
	// default.
	SocketArgs string
	// Variables are set by the dialplan before the first socket action.
	Variables map[string]string
	// Gateways are the gateways that sofia/gateway/NAME/… knows; nil is any.
	Gateways []string
	// DownGateways are gateways that are there, and down.
	DownGateways []string
	// Modules are those that module_exists knows; nil is a usual list.
	Modules []string
	// Profiles are the conference profiles that are configured; nil is default
	// and ccxmld.
	Profiles []string
	// Globals are global variables, such as sound_prefix.
	Globals map[string]string
	// Version is FreeSWITCH's, a recent one by default.
	Version string
	// SessionsPerSecond and MaxSessions are what the switch says its limits are,
	// the stock 30 and 1000 by default. They are not kept.
	SessionsPerSecond, MaxSessions int
	// Unreachable tells whether calls of other switches do not reach this one; nil is
	// that they do. It must not call a switch.
	Unreachable func() bool
	// Paused is what "fsctl pause" does to its status; calls go on here.
	Paused bool
	// Denies turns links away as an access list does.
	Denies bool
	// Sounds tells how long the file at a path lasts and whether it is there,
	// beside those named to [Switch.AddSound]. It must not call the switch.
	Sounds func(path string) (time.Duration, bool)
	// Folders tells which directories there are; nil is all of them or, with
	// WriteRecordings, those that there really are. It must not call the switch.
	Folders func(path string) bool
	// Idle tells which API commands and applications the switch says +OK to and
	// does nothing about, as a real one when a thread of it hangs; nil is none.
	// It must not call the switch.
	Idle func(name, argument string) bool
	// Refuses tells which API commands and applications the switch refuses, by what
	// stands behind -ERR; nil, or "", is none. It must not call the switch.
	Refuses func(name, argument string) string
	// Job tells what becomes of a bgapi; nil is [JobDone]. It must not call the
	// switch.
	Job func(name, argument string) JobFate
	// Silence tells with which command a leg's socket falls silent, that command
	// included (see [Switch.SilenceSockets]); nil is none. The command is its first
	// line. It must not call the switch.
	Silence func(uuid, command string) bool
	// SpeechRate is how long the engine takes to say one character, 60 ms by
	// default.
	SpeechRate time.Duration
	// Tick is the period in which legs look at their commands: 20 ms on a
	// real switch, 0 (the default) for at once.
	Tick time.Duration
	// WriteRecordings writes files for what is recorded, of silence; else a
	// recording only exists for the switch itself.
	WriteRecordings bool
	// LogCommands keeps the commands that each leg was given, for
	// [Switch.Commands].
	LogCommands bool
}

// Switch is a simulated FreeSWITCH. It is safe for concurrent use. [Switch.Close]
// ends it with all its goroutines.
type Switch struct {
	options Options
	clock   clock.Clock
	log     *slog.Logger
	node    string // the headers that name the node, in every event
	uuid    string
	began   time.Time
	dialing context.Context
	hangUp  context.CancelFunc
	tasks   sync.WaitGroup

	mu          sync.Mutex
	closed      bool
	agenda      agenda
	later       []*appointment // to do before the lock is given back
	dirty       []*listener    // have something to send
	server      net.Listener
	listeners   []*listener            // all
	broad       []*listener            // those that may hear of anything
	followers   map[string][]*listener // those that hear of some legs only
	channels    map[string]*channel
	rooms       map[string]*conference
	peers       map[string]*Switch // that SIP addresses lead to
	globals     map[string]string  // that were set since the start
	callees     map[string]Behaviour
	called      map[string][]*Party // nobody has waited for them yet
	newCallee   bell
	sounds      map[string]time.Duration
	engines     map[string]bool
	recognizers map[string]bool
	random      *rand.Rand
	nextUUIDs   []string // for tests that compare with recordings
	keptJobs    []func() // see ReleaseJobs
	connecting  int      // sockets on their way to a controller
	sequence    int64
	sessions    int
	memberIDs   int

	scratch    []byte
	scratchOf  *event
	date       []byte
	dateSecond int64
}

// New returns a switch. It takes no calls and knows no sounds yet.
func New(options Options) *Switch {
	options.Clock = clock.Or(options.Clock)
	if options.Listen == nil {
		options.Listen = func(address string) (net.Listener, error) { return net.Listen("tcp", address) }
	}
	if options.Dial == nil {
		options.Dial = new(net.Dialer).DialContext
	}
	if options.Logger == nil {
		options.Logger = slog.New(slog.DiscardHandler)
	}
	if options.Name == "" {
		options.Name = "sim"
	}
	if options.Password == "" {
		options.Password = "ClueCon"
	}
	if options.SocketArgs == "" {
		options.SocketArgs = "async full"
	}
	if options.SpeechRate == 0 {
		options.SpeechRate = 60 * time.Millisecond
	}
	sw := &Switch{
		options:     options,
		clock:       options.Clock,
		log:         options.Logger,
		followers:   make(map[string][]*listener),
		channels:    make(map[string]*channel),
		rooms:       make(map[string]*conference),
		callees:     make(map[string]Behaviour),
		called:      make(map[string][]*Party),
		sounds:      make(map[string]time.Duration),
		engines:     make(map[string]bool),
		recognizers: make(map[string]bool),
		random:      rand.New(options.Random),
	}
	sw.began = sw.clock.Now()
	sw.agenda.sw = sw
	sw.dialing, sw.hangUp = context.WithCancel(context.Background())
	sw.uuid = sw.newUUID()
	sw.node = "\nCore-UUID: " + sw.uuid +
		"\nFreeSWITCH-Hostname: " + options.Name + "\nFreeSWITCH-Switchname: " + options.Name + "\nFreeSWITCH-IPv4: 127.0.0.1\nFreeSWITCH-IPv6: %3A%3A1\n"
	return sw
}

// begin runs f in a goroutine that Close waits for.
func (sw *Switch) begin(f func()) { clock.GoIn(&sw.tasks, sw.clock, f) }

// errClosed is returned for what a closed switch is asked to do.
var errClosed = errors.New("switchsim: switch is closed")

// Listen takes links (inbound Event Socket connections) at an address.
func (sw *Switch) Listen(address string) error {
	server, err := sw.options.Listen(address)
	if err != nil {
		return fmt.Errorf("switchsim: %w", err)
	}
	sw.lock()
	defer sw.unlock()
	if sw.closed || sw.server != nil {
		server.Close()
		if sw.closed {
			return errClosed
		}
		return errors.New("switchsim: listens already")
	}
	sw.server = server
	sw.begin(func() { sw.accept(server) })
	return nil
}

func (sw *Switch) accept(server net.Listener) {
	for {
		conn, err := server.Accept()
		if err != nil {
			return
		}
		sw.lock()
		if sw.closed {
			sw.unlock()
			conn.Close()
			return
		}
		if l := sw.newListener(conn, nil); sw.options.Denies {
			l.deny()
		} else {
			l.greet()
		}
		sw.unlock()
	}
}

// idles tells whether the switch does nothing about a command.
func (sw *Switch) idles(name, argument string) bool {
	return sw.options.Idle != nil && sw.options.Idle(name, argument)
}

// refuses gives the words by which the switch refuses a command, "" if it does not.
func (sw *Switch) refuses(name, argument string) string {
	if sw.options.Refuses == nil {
		return ""
	}
	return sw.options.Refuses(name, argument)
}

// CloseLinks cuts all links and takes no new ones until Listen is called again.
// Calls and their sockets go on.
func (sw *Switch) CloseLinks() {
	sw.lock()
	defer sw.unlock()
	if sw.server != nil {
		sw.server.Close()
		sw.server = nil
	}
	for _, l := range sw.listeners {
		if !l.outbound {
			l.conn.Close()
		}
	}
}

// CutSockets cuts the network connections of a leg's sockets; nobody says why, and
// the switch has noticed when it returns.
func (sw *Switch) CutSockets(uuid string) {
	sw.lock()
	defer sw.unlock()
	if c := sw.channels[uuid]; c != nil {
		for _, l := range slices.Clone(c.listeners) {
			l.conn.Close()
			l.end()
		}
	}
}

// Sockets returns how many sockets a leg has.
func (sw *Switch) Sockets(uuid string) int {
	sw.lock()
	defer sw.unlock()
	if c := sw.channels[uuid]; c != nil {
		return len(c.listeners)
	}
	return 0
}

// Addr returns the address that links connect to, empty before
// [Switch.Listen].
func (sw *Switch) Addr() string {
	sw.mu.Lock()
	defer sw.mu.Unlock()
	if sw.server == nil {
		return ""
	}
	return sw.server.Addr().String()
}

// Close ends the switch: all connections, all legs without a word, all
// goroutines. It returns when they have gone.
func (sw *Switch) Close() {
	sw.lock()
	if !sw.closed {
		sw.peersGone()
		sw.closed = true
		sw.hangUp()
		if sw.server != nil {
			sw.server.Close()
		}
		for _, l := range sw.listeners {
			l.conn.Close()
		}
		sw.agenda.stop()
	}
	sw.unlock()
	clock.AwaitNow(sw.clock, sw.tasks.Wait)
}

// Channels returns how many legs are alive.
func (sw *Switch) Channels() int {
	sw.mu.Lock()
	defer sw.mu.Unlock()
	live := 0
	for _, c := range sw.channels {
		if !c.ended {
			live++
		}
	}
	return live
}

// Commands returns what a leg was told to execute, as "application data", if
// [Options].LogCommands is set. It knows a leg until that is destroyed.
func (sw *Switch) Commands(uuid string) []string {
	sw.mu.Lock()
	defer sw.mu.Unlock()
	if c := sw.channels[uuid]; c != nil {
		return append([]string(nil), c.commands...)
	}
	return nil
}

// Variable returns the value of a leg's channel variable, "" for none. It knows a
// leg until that is destroyed.
func (sw *Switch) Variable(uuid, name string) string {
	sw.mu.Lock()
	defer sw.mu.Unlock()
	if c := sw.channels[uuid]; c != nil {
		return c.vars.get(name)
	}
	return ""
}

// AddSound says that a file exists and how long it lasts.
func (sw *Switch) AddSound(path string, lasts time.Duration) {
	sw.mu.Lock()
	defer sw.mu.Unlock()
	sw.sounds[path] = lasts
}

// AddTTS says that an engine for speech exists.
func (sw *Switch) AddTTS(engine string) {
	sw.mu.Lock()
	defer sw.mu.Unlock()
	sw.engines[engine] = true
}

// lock begins a change of the switch.
func (sw *Switch) lock() { sw.mu.Lock() }

// unlock ends a change: it does what was put off till now, gives the lock back
// and sends off what listeners are owed.
func (sw *Switch) unlock() {
	for len(sw.later) > 0 {
		todo := sw.later
		sw.later = nil
		for _, entry := range todo {
			if entry.do != nil {
				entry.do()
			}
		}
	}
	dirty := sw.dirty
	sw.dirty = nil
	for _, l := range dirty {
		l.publish()
	}
	sw.mu.Unlock()
	for _, l := range dirty {
		l.flushSoon()
	}
}

// soon does something before the lock is given back.
func (sw *Switch) soon(do func()) *appointment {
	entry := &appointment{do: do, index: -1}
	sw.later = append(sw.later, entry)
	return entry
}

// atTick does something at the n-th media tick from now.
func (sw *Switch) atTick(n int, do func()) *appointment {
	tick := sw.options.Tick
	if tick <= 0 {
		return sw.soon(do)
	}
	passed := sw.now().Sub(sw.began)
	when := (passed/tick + time.Duration(n)) * tick
	return sw.agenda.at(sw.began.Add(when), do)
}

// ticks is the length of n media ticks.
func (sw *Switch) ticks(n int) time.Duration { return time.Duration(n) * sw.options.Tick }

// wake is called by the clock when an appointment is due.
func (sw *Switch) wake() {
	sw.lock()
	if !sw.closed {
		sw.agenda.keep()
	}
	sw.unlock()
}

func (sw *Switch) now() time.Time { return sw.clock.Now() }

// bell wakes those who wait for something to have happened. The switch's lock
// guards it; one that nobody waits at costs nothing.
type bell struct{ waiters []*clock.Waiter }

func (b *bell) ring() {
	for _, w := range b.waiters {
		w.Wake()
	}
	b.waiters = nil
}

// forget takes out who does not wait any more.
func (b *bell) forget(w *clock.Waiter) {
	b.waiters = slices.DeleteFunc(b.waiters, func(other *clock.Waiter) bool { return other == w })
}

// wait waits until ready says so; b rings whenever that may have changed. It
// calls ready with the switch locked.
func (sw *Switch) wait(ctx context.Context, b *bell, ready func() bool) error {
	w := clock.NewWaiter(sw.clock)
	defer context.AfterFunc(sw.dialing, w.Wake)()
	for {
		sw.mu.Lock()
		ok, closed := ready(), sw.closed
		b.forget(w)
		if !ok && !closed && ctx.Err() == nil {
			b.waiters = append(b.waiters, w)
		}
		sw.mu.Unlock()
		switch {
		case ok:
			return nil
		case closed:
			return errClosed
		case ctx.Err() != nil:
			return ctx.Err()
		}
		w.WaitContext(ctx)
	}
}

// newUUID returns a random identifier of the usual form.
func (sw *Switch) newUUID() string {
	if len(sw.nextUUIDs) > 0 {
		next := sw.nextUUIDs[0]
		sw.nextUUIDs = sw.nextUUIDs[1:]
		return next
	}
	var raw [16]byte
	high, low := sw.random.Uint64(), sw.random.Uint64()
	for i := range 8 {
		raw[i], raw[8+i] = byte(high>>(8*i)), byte(low>>(8*i))
	}
	raw[6] = raw[6]&0x0f | 0x40
	raw[8] = raw[8]&0x3f | 0x80
	var text [36]byte
	hex.Encode(text[:8], raw[:4])
	hex.Encode(text[9:13], raw[4:6])
	hex.Encode(text[14:18], raw[6:8])
	hex.Encode(text[19:23], raw[8:10])
	hex.Encode(text[24:], raw[10:])
	text[8], text[13], text[18], text[23] = '-', '-', '-', '-'
	return string(text[:])
}
