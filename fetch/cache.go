package fetch

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// cache keeps responses in memory, the least recently used ones going first.
type cache struct {
	now       func() time.Time
	responses *LRU[*entry] // by URI and Accept
}

// entry is a stored response with what RFC 9111 needs to know of it. It is
// immutable.
type entry struct {
	key      string
	response *Response
	// received is when the response came, less the age it had by then
	// (section 4.2.3), and lifetime how long it is fresh (section 4.2.1).
	received time.Time
	lifetime time.Duration
	// mustRevalidate forbids to use it stale, noCache to use it unasked.
	mustRevalidate, noCache bool
	etag, lastModified      string
	// supplement counts where the server says nothing (Client.Supplement).
	supplement http.Header
	header     http.Header // what the server has said about keeping it
}

func newCache(bytes int64, now func() time.Time) *cache {
	return &cache{now: now, responses: NewLRU[*entry](bytes)}
}

// get gives what is stored under a key, nil for nothing.
func (c *cache) get(key string) *entry {
	e, _ := c.responses.Get(key)
	return e
}

func (c *cache) put(e *entry) { c.responses.Put(e.key, e, int64(len(e.response.Body))) }

func (c *cache) drop(key string) { c.responses.Drop(key) }

// dropURI drops what is stored for a URI, whatever was accepted.
func (c *cache) dropURI(uri string) { c.responses.DropPrefix(uri + "\n") }

// usable reports whether the entry may answer the request without asking the
// server (RFC 9111, section 4.2, and 5.2.1 for what the request says).
func (c *cache) usable(e *entry, r *Request) bool {
	if e.noCache {
		return false
	}
	age := c.now().Sub(e.received)
	if r.MaxAge != nil && age >= *r.MaxAge { // no time at all means none, however quick we are
		return false
	}
	stale := age - e.lifetime
	if stale < 0 {
		return true
	}
	return r.MaxStale != nil && !e.mustRevalidate && stale <= *r.MaxStale
}

// newEntry returns the entry to keep for an answer, or nil if it must not be kept
// or never could be used (section 3).
func (c *cache) newEntry(r *Response, supplement http.Header) *entry {
	e := &entry{key: r.key, response: r, supplement: supplement}
	_, noStore := e.cacheControl(r.header)["no-store"]
	if noStore || r.Status != http.StatusOK || !sameForAll(r.header) {
		return nil
	}
	e.update(r.header, c.now())
	if e.lifetime > 0 || e.etag != "" || e.lastModified != "" {
		return e
	}
	if e.noCache || e.mustRevalidate || !speaksOfKeeping(e.about(r.header)) {
		return nil
	}
	return e // of use to whoever takes it stale
}

// revalidated returns the entry after a 304 answer has confirmed it. What that
// says replaces what was said before, the rest stays (section 4.3.4).
func (c *cache) revalidated(e *entry, header http.Header) *entry {
	fresh := *e
	fresh.update(header, c.now())
	return &fresh
}

// update takes in what an answer that came now says of the entry.
func (e *entry) update(answer http.Header, now time.Time) {
	header := aboutKeeping(answer)
	for name, values := range e.header {
		if _, said := header[name]; !said && name != "Age" {
			header[name] = values
		}
	}
	e.header, e.etag, e.lastModified = header, header.Get("Etag"), header.Get("Last-Modified")
	directives := e.cacheControl(header)
	e.received = now.Add(-seconds(header.Get("Age")))
	_, e.noCache = directives["no-cache"]
	_, e.mustRevalidate = directives["must-revalidate"]
	e.lifetime = 0
	if age, ok := directives["max-age"]; ok {
		e.lifetime = seconds(age)
	} else if expires, err := http.ParseTime(e.about(header).Get("Expires")); err == nil {
		date, err := http.ParseTime(header.Get("Date"))
		if err != nil {
			date = now
		}
		e.lifetime = expires.Sub(date)
	}
}

// aboutKeeping gives those headers of an answer that the cache looks at.
func aboutKeeping(header http.Header) http.Header {
	kept := make(http.Header)
	for _, name := range []string{"Age", "Cache-Control", "Date", "Etag", "Expires", "Last-Modified", "Vary"} {
		if values := header.Values(name); len(values) > 0 {
			kept[name] = values
		}
	}
	return kept
}

// about gives the headers that say how long the answer may be kept: the server's,
// or else those that stand in for them.
func (e *entry) about(header http.Header) http.Header {
	if e.supplement == nil || speaksOfKeeping(header) {
		return header
	}
	return e.supplement
}

func speaksOfKeeping(header http.Header) bool {
	return header.Get("Cache-Control") != "" || header.Get("Expires") != ""
}

// sameForAll reports whether the answer depends on no header of the request that
// differs between our requests (section 4.1).
func sameForAll(header http.Header) bool {
	for _, line := range header.Values("Vary") {
		for name := range strings.SplitSeq(line, ",") {
			switch strings.ToLower(strings.TrimSpace(name)) {
			case "", "accept-encoding", "user-agent", "accept": // Accept is in the key.
			default:
				return false
			}
		}
	}
	return true
}

// cacheControl returns the directives of the header with their values.
func (e *entry) cacheControl(header http.Header) map[string]string {
	directives := make(map[string]string)
	for _, line := range e.about(header).Values("Cache-Control") {
		for directive := range strings.SplitSeq(line, ",") {
			name, value, _ := strings.Cut(strings.TrimSpace(directive), "=")
			directives[strings.ToLower(name)] = strings.Trim(value, `"`)
		}
	}
	return directives
}

// longestLifetime is what larger numbers of seconds count as (section 1.2.2).
const longestLifetime = (1 << 31) * time.Second

func seconds(text string) time.Duration {
	n, err := strconv.ParseUint(strings.TrimSpace(text), 10, 64)
	if err != nil {
		return 0
	}
	return time.Duration(min(n, uint64(longestLifetime/time.Second))) * time.Second
}
