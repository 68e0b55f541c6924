package fetch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"time"

	"ccxmld/clock"
)

// Options configure a Client. Zero fields have the defaults.
type Options struct {
	// Allow lists the URI prefixes that may be fetched: http://host/path,
	// https://host:port/path, file:///path; a whole path segment at a time. http://
	// or https:// alone allow all hosts with public addresses. Nothing is
	// allowed by default.
	Allow []string
	// Links lets files be read by symbolic links that lead out of what Allow has.
	Links bool
	// MaxBytes bounds a body; 1 MiB by default.
	MaxBytes int64
	// Timeout bounds a fetch that has none of its own; 10 s by default.
	Timeout time.Duration
	// MaxRedirects bounds the redirects of one fetch; 5 by default, none if
	// negative.
	MaxRedirects int
	// MaxConcurrent bounds the fetches under way, and MaxPerHost those from one
	// host; further ones wait, at most MaxWaiting for each host, and fail beyond:
	// they would not come to their turn in time. 256, 64 and 2000 by default.
	MaxConcurrent, MaxPerHost, MaxWaiting int
	// CacheBytes bounds the cache; 16 MiB by default, no cache if negative.
	CacheBytes int64
	// UserAgent is sent to servers; "ccxmld" by default.
	UserAgent string
	// Fetched is told what came of each fetch, for which purpose (Client.For), and how long
	// it took; nil is not.
	Fetched func(purpose string, response *Response, err error, took time.Duration)
	// Logger is told of each transfer, at debug level; nothing by default.
	Logger *slog.Logger
	// Clock is that of the cache and of timeouts; the one on the wall by default.
	Clock clock.Clock
	// Transport takes requests in place of the network, if it is given. The policy
	// holds all the same, but for the addresses that names lead to.
	Transport http.RoundTripper
	// Before is called before each request goes out; its error is the request's. Nil is not
	// asked.
	Before func(context.Context) error
}

func (o Options) withDefaults() Options {
	if o.MaxBytes <= 0 {
		o.MaxBytes = 1 << 20
	}
	if o.Timeout <= 0 {
		o.Timeout = 10 * time.Second
	}
	if o.MaxRedirects == 0 {
		o.MaxRedirects = 5
	}
	if o.MaxConcurrent <= 0 {
		o.MaxConcurrent = 256
	}
	if o.MaxPerHost <= 0 {
		o.MaxPerHost = 64
	}
	if o.MaxWaiting <= 0 {
		o.MaxWaiting = 2000
	}
	if o.CacheBytes == 0 {
		o.CacheBytes = 16 << 20
	}
	if o.UserAgent == "" {
		o.UserAgent = "ccxmld"
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	o.Clock = clock.Or(o.Clock)
	return o
}

// Client fetches. It is safe for concurrent use.
type Client struct {
	purpose   string // of what it fetches, for who counts
	options   Options
	policy    *policy
	cache     *cache
	flights   *flights
	transport http.RoundTripper
	slots     *slots
}

// New returns a client. The error says which of the allowed prefixes is none.
func New(o Options) (*Client, error) {
	o = o.withDefaults()
	p, err := newPolicy(o)
	if err != nil {
		return nil, err
	}
	c := &Client{options: o, policy: p, cache: newCache(o.CacheBytes, o.Clock.Now)}
	c.connectApart()
	return c, nil
}

// Set replaces what the client, and all that were taken apart from it, may fetch: Allow,
// Links, MaxBytes and Timeout of o. The error says which of the allowed prefixes is
// none; nothing changes then.
func (c *Client) Set(o Options) error { return c.policy.set(o.withDefaults()) }

// Apart returns a client of the same policy and cache that has connections and
// slots of its own: what is slow to answer one of the two does not hold up the
// other.
func (c *Client) Apart() *Client {
	other := *c
	other.connectApart()
	return &other
}

// For is the same client, whose fetches are told of (Options.Fetched) as for a purpose.
func (c *Client) For(purpose string) *Client {
	other := *c
	other.purpose = purpose
	return &other
}

func (c *Client) connectApart() {
	o := c.options
	c.slots, c.flights = newSlots(o), newFlights(o.Clock)
	if c.transport = o.Transport; c.transport != nil {
		return
	}
	c.transport = c.policy.transport(o)
}

// Transport returns a way to the machine's network that leads to the addresses which
// the policy of a client with these options allows, for who puts something in between
// as its Transport. The error says which of the allowed prefixes is none.
func Transport(o Options) (http.RoundTripper, error) {
	o = o.withDefaults()
	p, err := newPolicy(o)
	if err != nil {
		return nil, err
	}
	return p.transport(o), nil
}

func (p *policy) transport(o Options) *http.Transport {
	return &http.Transport{
		Proxy:                  nil, // One from the environment would make the connections for us.
		DialContext:            p.dialContext(net.Dialer{Timeout: o.Timeout}),
		ForceAttemptHTTP2:      true,
		MaxIdleConnsPerHost:    4,
		MaxIdleConns:           o.MaxConcurrent,
		IdleConnTimeout:        30 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
	}
}

// Close ends the connections that are idle.
func (c *Client) Close() {
	if t, ok := c.transport.(interface{ CloseIdleConnections() }); ok {
		t.CloseIdleConnections()
	}
}

// Allowed says whether a URI may be fetched: nil, or an error that wraps
// ErrNotAllowed and says why not. It is for what others fetch, such as the files
// that FreeSWITCH plays.
func (c *Client) Allowed(uri string) error {
	u, err := parseURI(uri)
	if err != nil {
		return failure(uri, err, "%v", err)
	}
	if reason := c.policy.check(u); reason != "" {
		return failure(uri, ErrNotAllowed, "%s", reason)
	}
	if u.Scheme != "file" || c.policy.rules().links {
		return nil
	}
	// What is not here may be on FreeSWITCH's machine.
	if _, _, err := c.policy.place(filepath.FromSlash(u.Path)); errors.Is(err, ErrNotAllowed) {
		return fileFailure(uri, err)
	}
	return nil
}

// Fetch gets what r asks for, from the cache if that is good enough. The error is
// an *Error; an answer that is not 2xx is one too.
func (c *Client) Fetch(ctx context.Context, r Request) (response *Response, err error) {
	if told := c.options.Fetched; told != nil {
		begun := c.options.Clock.Now()
		defer func() { told(c.purpose, response, err, c.options.Clock.Now().Sub(begun)) }()
	}
	return c.fetch(ctx, r)
}

func (c *Client) fetch(ctx context.Context, r Request) (*Response, error) {
	p, failed := prepare(r)
	if failed != nil {
		return nil, failed
	}
	timeout := r.Timeout
	if timeout <= 0 {
		timeout = c.policy.rules().timeout
	}
	ctx, cancel := clock.WithTimeoutCause(ctx, c.options.Clock, timeout, errTimedOut)
	defer cancel()
	begin := c.options.Clock.Now()
	response, failed := c.follow(ctx, p, timeout)
	if failed != nil {
		c.options.Logger.DebugContext(ctx, "fetch failed", "method", p.method, "uri", p.url.Redacted(), "reason", failed.Reason)
		return nil, failed
	}
	if c.options.Logger.Enabled(ctx, slog.LevelDebug) {
		c.options.Logger.DebugContext(ctx, "fetched", "method", p.method, "uri", p.url.Redacted(), "status", response.Status, "bytes", len(response.Body),
			"from_cache", response.FromCache, "took", c.options.Clock.Now().Sub(begin))
	}
	return response, nil
}

// follow fetches, going along with redirects. Policy is asked at every step.
func (c *Client) follow(ctx context.Context, p *prepared, timeout time.Duration) (*Response, *Error) {
	for redirects := 0; ; redirects++ {
		uri := p.url.String()
		if reason := c.policy.check(p.url); reason != "" {
			return nil, failure(uri, ErrNotAllowed, "%s", reason)
		}
		response, location, failed := c.once(ctx, p, timeout)
		if failed != nil || location == "" {
			return response, failed
		}
		if redirects >= c.options.MaxRedirects {
			return nil, failure(uri, nil, "redirected more than %d times", max(c.options.MaxRedirects, 0))
		}
		next, err := parseURI(location)
		if err != nil {
			return nil, failure(uri, err, "redirected to what is no URI: %v", err)
		}
		p = p.redirected(p.url.ResolveReference(next), response.Status)
		if p.url.Scheme == "file" {
			return nil, failure(uri, ErrNotAllowed, "a redirect to a file is not allowed")
		}
	}
}

// redirected returns the request for where a redirect leads (RFC 9110, section
// 15.4): a POST becomes a GET unless the status forbids that.
func (p *prepared) redirected(to *url.URL, status int) *prepared {
	next := *p
	next.url = to
	next.url.Fragment, next.url.RawFragment = "", ""
	if status != http.StatusTemporaryRedirect && status != http.StatusPermanentRedirect {
		next.method, next.body, next.contentType = http.MethodGet, nil, ""
	}
	if to.Host != p.url.Host {
		next.Header = nil // It may hold what is meant for the first host only.
	}
	return &next
}

// once fetches from one URI. The location is where a redirect leads.
func (c *Client) once(ctx context.Context, p *prepared, timeout time.Duration) (*Response, string, *Error) {
	key, stored := c.stored(p)
	if p.url.Scheme == "file" {
		release, failed := c.slots.take(ctx, p.url, timeout)
		if failed != nil {
			return nil, "", failed
		}
		defer release()
		r, failed := c.readFile(p, key, stored)
		return r, "", failed
	}
	if hit := c.hit(stored, p); hit != nil {
		return hit, "", nil
	}
	if c.flights.shares(key, p) {
		return c.together(ctx, p, key, timeout)
	}
	return c.inTurn(ctx, p, key, stored, timeout)
}

// hit answers a request from the cache, if what is stored is good enough for it.
func (c *Client) hit(stored *entry, p *prepared) *Response {
	if stored == nil || !c.cache.usable(stored, &p.Request) {
		return nil
	}
	hit := *stored.response
	hit.FromCache = true
	return &hit
}

// inTurn asks the server once there is a slot.
func (c *Client) inTurn(ctx context.Context, p *prepared, key string, stored *entry, timeout time.Duration) (*Response, string, *Error) {
	release, failed := c.slots.take(ctx, p.url, timeout)
	if failed != nil {
		return nil, "", failed
	}
	defer release()
	response, location, failed := c.transfer(ctx, p, key, stored, timeout)
	if failed == nil && key != "" && c.hit(c.cache.get(key), p) != nil {
		c.flights.alone.Drop(key)
	}
	return response, location, failed
}

// stored returns under which key the request is cached, and what is. The key is
// empty if the cache is not for this request.
func (c *Client) stored(p *prepared) (string, *entry) {
	if p.method != http.MethodGet || len(p.Header) > 0 || c.options.CacheBytes < 0 {
		return "", nil
	}
	key := p.url.String() + "\n" + p.Accept
	return key, c.cache.get(key)
}

// transfer asks the server, telling it which version we have.
func (c *Client) transfer(ctx context.Context, p *prepared, key string, stored *entry, timeout time.Duration) (*Response, string, *Error) {
	uri := p.url.String()
	request, err := c.httpRequest(ctx, p, stored)
	if err != nil {
		return nil, "", failure(uri, err, "%v", err)
	}
	if c.options.Before != nil {
		if err := c.options.Before(ctx); err != nil {
			return nil, "", transportFailure(ctx, uri, timeout, err)
		}
	}
	p.Cookies.add(request)
	answer, err := c.transport.RoundTrip(request)
	if err != nil {
		return nil, "", transportFailure(ctx, uri, timeout, err)
	}
	defer answer.Body.Close()
	p.Cookies.take(p.url, answer)
	most := c.policy.rules().maxBytes
	body, err := io.ReadAll(io.LimitReader(answer.Body, most+1))
	if err != nil {
		return nil, "", transportFailure(ctx, uri, timeout, err)
	}
	if int64(len(body)) > most {
		return nil, "", failure(uri, nil, "larger than %s", sizeText(most))
	}
	if answer.StatusCode == http.StatusNotModified && stored != nil {
		c.cache.put(c.cache.revalidated(stored, answer.Header))
		hit := *stored.response
		hit.FromCache = true
		return &hit, "", nil
	}
	response := newResponse(uri, answer.StatusCode, answer.Header.Get("Content-Type"), body)
	switch answer.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther,
		http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		if location := answer.Header.Get("Location"); location != "" {
			return response, location, nil
		}
	}
	if answer.StatusCode < 200 || answer.StatusCode > 299 {
		return nil, "", statusFailure(response)
	}
	if p.method != http.MethodGet { // which may have changed what is there (RFC 9111, section 4.4)
		c.cache.dropURI(uri)
	}
	if p.Cookies.personal(request, answer) {
		return response, "", nil
	}
	response.key, response.header = key, aboutKeeping(answer.Header)
	c.keep(response, nil)
	return response, "", nil
}

// Supplement takes headers that the content of r stands in for, as <meta
// http-equiv> does, where the server sent none: those that say how long r may be
// kept count if the server said nothing about that. Other headers are ignored, and
// so is r if it comes from the cache, which knows already.
func (c *Client) Supplement(r *Response, header http.Header) {
	if !r.FromCache && !speaksOfKeeping(r.header) && speaksOfKeeping(header) {
		c.keep(r, header)
	}
}

// keep puts an answer into the cache or, if it may not be kept, what was there
// before out of it.
func (c *Client) keep(response *Response, supplement http.Header) {
	if response.key == "" {
		return
	}
	if e := c.cache.newEntry(response, supplement); e != nil {
		response.Reusable = true
		c.cache.put(e)
	} else {
		c.cache.drop(response.key)
	}
}

func (c *Client) httpRequest(ctx context.Context, p *prepared, stored *entry) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, p.method, p.url.String(), bytes.NewReader(p.body))
	if err != nil {
		return nil, err
	}
	for name, values := range p.Header {
		request.Header[http.CanonicalHeaderKey(name)] = values
	}
	if _, given := request.Header["Cache-Control"]; !given {
		for _, d := range requestDirectives(p.MaxAge, p.MaxStale) {
			request.Header.Add("Cache-Control", d)
		}
	}
	request.Header.Set("User-Agent", c.options.UserAgent)
	if p.contentType != "" {
		request.Header.Set("Content-Type", p.contentType)
	}
	if p.Accept != "" {
		request.Header.Set("Accept", p.Accept)
	}
	if stored != nil {
		if stored.etag != "" {
			request.Header.Set("If-None-Match", stored.etag)
		}
		if stored.lastModified != "" {
			request.Header.Set("If-Modified-Since", stored.lastModified)
		}
	}
	return request, nil
}

// requestDirectives tell caches on the way what ours goes by (RFC 9111, section
// 5.2.1).
func requestDirectives(maxAge, maxStale *time.Duration) (directives []string) {
	for name, d := range map[string]*time.Duration{"max-age": maxAge, "max-stale": maxStale} {
		if d != nil {
			directives = append(directives, fmt.Sprintf("%s=%d", name, int64(d.Seconds())))
		}
	}
	return directives
}
