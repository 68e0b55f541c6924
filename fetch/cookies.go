package fetch

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"sync"
)

// Cookies keeps the cookies that servers set (RFC 6265), for the requests of one
// dialog. It is safe for concurrent use; the zero value is ready, and nil keeps
// none.
type Cookies struct {
	mu    sync.Mutex
	jar   *cookiejar.Jar // nil until there is one
	taken int
}

// mostCookies bounds the bytes of cookies that are taken in all. Later ones are
// ignored.
const mostCookies = 256 << 10

// add puts the cookies for a URI into a request.
func (c *Cookies) add(r *http.Request) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.jar == nil {
		return
	}
	for _, cookie := range c.jar.Cookies(r.URL) {
		r.AddCookie(cookie)
	}
}

// take keeps the cookies that an answer sets.
func (c *Cookies) take(from *url.URL, answer *http.Response) {
	cookies := answer.Cookies()
	if c == nil || len(cookies) == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.jar == nil {
		c.jar, _ = cookiejar.New(nil) // fails for no options
	}
	for _, cookie := range cookies {
		size := len(cookie.Name) + len(cookie.Value) + len(cookie.Path) + len(cookie.Domain)
		if c.taken+size > mostCookies {
			return
		}
		c.taken += size
		c.jar.SetCookies(from, []*http.Cookie{cookie})
	}
}

// personal tells whether an answer is for nobody but the one with the cookies, so
// that the cache, which all share, must not keep it.
func (c *Cookies) personal(r *http.Request, answer *http.Response) bool {
	if c == nil {
		return false
	}
	if len(answer.Header.Values("Set-Cookie")) > 0 {
		return true
	}
	private := strings.Contains(strings.ToLower(strings.Join(answer.Header.Values("Cache-Control"), ",")), "private")
	return private && r.Header.Get("Cookie") != ""
}
