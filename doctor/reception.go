package doctor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"ccxmld/esl"
)

const addresses = "addresses"

// home is where the calls that we place come to.
type home struct {
	address string // as FreeSWITCH is told

	mu      sync.Mutex
	awaited map[string]chan *visit // by the leg's id
}

// visit is a leg that has come home.
type visit struct {
	conn   *esl.Conn
	from   net.Addr
	events chan step
}

// step is the begin or the end of an application on the leg.
type step struct {
	complete bool
	id       string // Application-UUID
	response string
	at       time.Time // by FreeSWITCH's clock
}

// reception opens esl.listen, or a port beside it when a ccxmld runs there, and
// serves until ctx ends; ended is closed then. home is nil when nothing can be
// opened.
func (x *examination) reception(ctx context.Context) (h *home, ended <-chan struct{}) {
	done := make(chan struct{})
	listener, advertised := x.listen()
	if listener == nil {
		close(done)
		return nil, done
	}
	h = &home{address: advertised, awaited: make(map[string]chan *visit)}
	server := &esl.Server{Handler: h.receive, Logger: x.Logger}
	go func() {
		defer close(done)
		if err := server.Serve(ctx, listener); err != nil {
			x.Logger.Error("doctor's listener", "error", err)
		}
	}()
	return h, done
}

// web looks whether http.listen can be opened. Where a ccxmld runs at esl.listen, it
// should be there, too.
func (x *examination) web(running bool) {
	address := x.config.HTTP.Listen
	listener, err := net.Listen("tcp", address)
	switch {
	case err == nil:
		_ = listener.Close()
		x.ok(addresses, "http", "http.listen %s can be opened", address)
	case errors.Is(err, syscall.EADDRINUSE) && running:
		x.ok(addresses, "http", "something runs at http.listen %s already, too", address)
	case errors.Is(err, syscall.EADDRINUSE):
		x.problem(addresses, "http", fmt.Sprintf("http.listen cannot be opened: %v", err), "choose a port for http.listen that nothing else has (ss -tlnp shows who has it)")
	default:
		x.problem(addresses, "http", fmt.Sprintf("http.listen cannot be opened: %v", err), "http.listen must be an address of this machine, or 0.0.0.0 for all of them, and a port that may be opened")
	}
}

// listen opens a listener, and says at which address FreeSWITCH should look for
// it.
func (x *examination) listen() (net.Listener, string) {
	config := x.config.ESL
	host, port, _ := net.SplitHostPort(config.Listen)
	listener, err := net.Listen("tcp", config.Listen)
	if err == nil {
		x.ok(addresses, "listen", "esl.listen %s can be opened", config.Listen)
		x.web(false)
		if port == "0" && config.Advertise == config.Listen { // left to the system, as for the daemon
			return listener, listener.Addr().String()
		}
		return listener, ours(config.Advertise, config.Listen)
	}
	refused := err
	if listener, err = net.Listen("tcp", net.JoinHostPort(host, "0")); err != nil {
		x.problem(addresses, "listen", fmt.Sprintf("esl.listen cannot be opened: %v", refused),
			"esl.listen must be an address of this machine, or 0.0.0.0 for all of them")
		x.web(false)
		return nil, ""
	}
	_, port, _ = net.SplitHostPort(listener.Addr().String())
	host, _, _ = net.SplitHostPort(ours(config.Advertise, config.Listen))
	beside := net.JoinHostPort(host, port)
	x.ok(addresses, "listen", "something runs at esl.listen %s already, which should be ccxmld: the test call comes to %s instead", config.Listen, beside)
	x.web(true)
	return listener, beside
}

// ours picks the address that is this controller's among several that FreeSWITCH
// is to try in order: esl.listen itself, one of this machine, or the first.
func ours(advertise, listen string) string {
	list := strings.Split(advertise, "|")
	if slices.Contains(list, listen) {
		return listen
	}
	_, port, _ := net.SplitHostPort(listen)
	local, _ := net.InterfaceAddrs() // without them the first has to do
	for _, address := range list {
		host, its, err := net.SplitHostPort(address)
		ip, notIP := netip.ParseAddr(host)
		isLocal := notIP == nil && slices.ContainsFunc(local, func(a net.Addr) bool {
			prefix, err := netip.ParsePrefix(a.String())
			return err == nil && prefix.Addr() == ip
		})
		if err == nil && its == port && isLocal {
			return address
		}
	}
	return list[0]
}

// await prepares for a leg.
func (h *home) await(id string) <-chan *visit {
	arrived := make(chan *visit, 1)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.awaited[id] = arrived
	return arrived
}

// receive takes the legs that we wait for. Others are real calls, which go on in
// their dialplan: they are no concern of ours.
func (h *home) receive(call *esl.Call) {
	id := call.Channel.Get("Unique-ID")
	h.mu.Lock()
	arrived := h.awaited[id]
	delete(h.awaited, id)
	h.mu.Unlock()
	if arrived == nil {
		call.Conn.Send(esl.Exit(), nil)
		return
	}
	v := &visit{conn: call.Conn, from: call.Conn.RemoteAddr(), events: make(chan step, 32)}
	v.conn.SetHandler(v.note)
	arrived <- v
}

// note keeps what an event says of an application. More than the channel holds
// would be of somebody else's making, and is dropped.
func (v *visit) note(e *esl.Event) {
	complete := e.Name() == "CHANNEL_EXECUTE_COMPLETE"
	if !complete && e.Name() != "CHANNEL_EXECUTE" {
		return
	}
	micros, _ := strconv.ParseInt(e.Get("Event-Date-Timestamp"), 10, 64)
	s := step{complete, e.Get("Application-UUID"), e.Get("Application-Response"), time.UnixMicro(micros)}
	select {
	case v.events <- s:
	default:
	}
}
