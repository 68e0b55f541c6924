package callcontrol

import (
	"context"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
)

// requests are what one session asks of HTTP servers, of one kind. Those to one
// server go one after the other, in the order in which the document made them
// (SND-14), if they are given its name; different servers do not wait for each
// other. Only so many are under way at a time, so that no session takes the slots
// of others. A goroutine of the controller's works while there is something to do,
// which may be longer than the session lives.
type requests struct {
	mu      sync.Mutex
	lines   map[string][]func(context.Context) // what waits, by server; one that is there has work under way, or its turn to come
	turns   []string                           // lines of which nothing is under way
	waiting int
	working int

	alone atomic.Int64 // requests that are in a line by themselves, ever
}

const (
	// maxRequests bounds the requests of a session that are under way, of each
	// kind.
	maxRequests = 8
	// maxRequestsWaiting bounds those that wait for these.
	maxRequestsWaiting = 1000
)

// add lets f make a request when its turn comes. It reports false when too many
// wait, or the controller can do no more.
func (q *requests) add(c *Controller, server string, f func(context.Context)) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.waiting >= maxRequestsWaiting {
		return false
	}
	line, known := q.lines[server]
	if !known {
		if q.working < maxRequests {
			if !c.background(q.work) {
				return false
			}
			q.working++
		}
		q.turns = append(q.turns, server)
	}
	if q.lines == nil {
		q.lines = make(map[string][]func(context.Context))
	}
	q.lines[server] = append(line, f)
	q.waiting++
	return true
}

// addAlone lets f make a request that waits for none before it.
func (q *requests) addAlone(c *Controller, f func(context.Context)) bool {
	return q.add(c, "#"+strconv.FormatInt(q.alone.Add(1), 10), f)
}

// work makes requests until nothing is left of which none is under way.
func (q *requests) work(ctx context.Context) {
	for {
		server, f := q.next()
		if f == nil {
			return
		}
		f(ctx)
		q.done(server)
	}
}

// next gives the first request of the line whose turn it is; nil ends the goroutine.
func (q *requests) next() (server string, f func(context.Context)) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.turns) == 0 {
		q.working--
		return "", nil
	}
	server, q.turns = q.turns[0], q.turns[1:]
	line := q.lines[server]
	q.lines[server] = line[1:]
	q.waiting--
	return server, line[0]
}

// done lets the next one of a line have its turn.
func (q *requests) done(server string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.lines[server]) == 0 {
		delete(q.lines, server)
		return
	}
	q.turns = append(q.turns, server)
}

// serverOf names the server of a URI, in one way; "" for a URI that has none.
func serverOf(uri string) string {
	u, err := url.Parse(uri)
	if err != nil {
		return ""
	}
	port := u.Port()
	if port == "" && u.Scheme == "http" {
		port = "80"
	} else if port == "" && u.Scheme == "https" {
		port = "443"
	}
	return strings.TrimSuffix(strings.ToLower(u.Hostname()), ".") + ":" + port
}
