package fetch

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"path"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// policy says which URIs may be fetched and which addresses connected to, and what one
// fetch may take. It may change.
type policy struct{ now atomic.Pointer[rules] }

// rules are a policy as it is at a time.
type rules struct {
	prefixes []prefix
	links    bool // files may be read by links that lead out of prefixes
	maxBytes int64
	timeout  time.Duration
}

// rules are those that hold now.
func (p *policy) rules() *rules { return p.now.Load() }

// prefix is an allowed beginning of URIs.
type prefix struct {
	scheme string
	host   string // with port; empty for any host
	path   string // cleaned, without a slash at the end
}

// newPolicy makes the policy of options.
func newPolicy(o Options) (*policy, error) {
	p := &policy{}
	return p, p.set(o)
}

// set parses the allowed prefixes: http://host:port/path, https://…, file:///path, or
// http:// and https:// alone for all public hosts. On an error nothing changes.
func (p *policy) set(o Options) error {
	r := &rules{links: o.Links, maxBytes: o.MaxBytes, timeout: o.Timeout}
	for _, text := range o.Allow {
		u, err := parseURI(text)
		if err != nil {
			return err
		}
		if u.RawQuery != "" || u.Fragment != "" || u.Opaque != "" {
			return fmt.Errorf("%q cannot be a prefix: it must end with its path", text)
		}
		if reason := unfit(u); reason != "" {
			return fmt.Errorf("%q cannot be a prefix: %s", text, reason)
		}
		r.prefixes = append(r.prefixes, prefix{u.Scheme, hostPort(u), strings.TrimSuffix(path.Clean("/"+u.Path), "/")})
	}
	p.now.Store(r)
	return nil
}

// check returns why the URI may not be fetched, or "".
func (p *policy) check(u *url.URL) string {
	if reason := unfit(u); reason != "" {
		return reason
	}
	host, cleaned := hostPort(u), path.Clean("/"+u.Path)
	for _, allowed := range p.rules().prefixes {
		if u.Scheme != allowed.scheme || allowed.host != host && (allowed.host != "" || u.Scheme == "file") {
			continue
		}
		if cleaned == allowed.path || strings.HasPrefix(cleaned, allowed.path+"/") {
			return ""
		}
	}
	return "not allowed by documents.allow"
}

// semicolons decodes them.
var semicolons = strings.NewReplacer("%3b", ";", "%3B", ";")

// unfit returns why a URI is refused whatever is allowed, or "". Different
// programs read such URIs in different ways, which is how one is made to pass a
// check and mean something else.
func unfit(u *url.URL) string {
	switch u.Scheme {
	case "http", "https":
	case "file":
		if u.Host != "" && u.Host != "localhost" {
			return "a file URI cannot name a host"
		}
	case "":
		return "the URI is not absolute"
	default:
		return fmt.Sprintf("URIs of the scheme %s cannot be fetched", u.Scheme)
	}
	if u.Opaque != "" {
		return "the URI has no path"
	}
	if u.User != nil {
		return "a user name in a URI is not allowed"
	}
	// Some servers decode a path twice, and so does what is behind a proxy.
	for _, escaped := range []string{strings.ToLower(u.EscapedPath()), strings.ToLower(u.Path)} {
		for _, bad := range []string{"%2f", "%5c", "%2e", "%00", "\\", "%252f", "%255c", "%252e", "%2500"} {
			if strings.Contains(escaped, bad) {
				return fmt.Sprintf("%s in the path of a URI is not allowed", bad)
			}
		}
	}
	for segment := range strings.SplitSeq(u.Path, "/") {
		// Servers of Java take what follows a semicolon away (RFC 3986, 3.3), encoded
		// or not, and then go up.
		name, _, parameters := strings.Cut(semicolons.Replace(segment), ";")
		if name == ".." || name == "." && parameters {
			return segment + " in the path of a URI is not allowed"
		}
	}
	return ""
}

// hostPort returns the host in lower case with its port, without a dot at the
// end. It is empty for a file.
func hostPort(u *url.URL) string {
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	if u.Scheme == "file" || host == "" {
		return ""
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return net.JoinHostPort(host, port)
}

// names reports whether a prefix names the host and port itself, and does not
// only allow it with all others.
func (p *policy) names(hostPort string) bool {
	hostPort = strings.ToLower(hostPort)
	if host, port, err := net.SplitHostPort(hostPort); err == nil {
		hostPort = net.JoinHostPort(strings.TrimSuffix(host, "."), port)
	}
	for _, allowed := range p.rules().prefixes {
		if allowed.host != "" && allowed.host == hostPort {
			return true
		}
	}
	return false
}

// dialContext connects to a host after looking at the address that it has just
// been resolved to.
func (p *policy) dialContext(dialer net.Dialer) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		d := dialer
		named := p.names(address)
		d.Control = func(_, resolved string, _ syscall.RawConn) error {
			to, err := netip.ParseAddrPort(resolved)
			if err != nil {
				return failure(address, ErrNotAllowed, "the address %s is not allowed", resolved)
			}
			if reason := refusedAddress(to.Addr(), named); reason != "" {
				return failure(address, ErrNotAllowed, "%s", reason)
			}
			return nil
		}
		return d.DialContext(ctx, network, address)
	}
}

// metadata are addresses at which clouds hand out credentials, beside the
// link-local ones.
var metadata = []netip.Addr{
	netip.MustParseAddr("100.100.100.200"), // Alibaba Cloud
	netip.MustParseAddr("168.63.129.16"),   // Azure
	netip.MustParseAddr("192.0.0.192"),     // Oracle Cloud
	netip.MustParseAddr("fd00:ec2::254"),   // Amazon EC2
	netip.MustParseAddr("fd20:ce::254"),    // Google Cloud
}

var (
	nat64  = netip.MustParsePrefix("64:ff9b::/96")  // RFC 6052
	shared = netip.MustParsePrefix("100.64.0.0/10") // RFC 6598
)

// refusedAddress returns why no connection may be made to the address, or "".
// Loopback and private addresses are fine for hosts that a prefix names.
func refusedAddress(a netip.Addr, named bool) string {
	a = a.Unmap().WithZone("")
	if nat64.Contains(a) {
		b := a.As16()
		a = netip.AddrFrom4([4]byte(b[12:]))
	}
	if a.IsLinkLocalUnicast() || a.IsMulticast() || a.IsUnspecified() || a == netip.AddrFrom4([4]byte{255, 255, 255, 255}) {
		return fmt.Sprintf("the address %s is never allowed", a)
	}
	for _, m := range metadata {
		if a == m {
			return fmt.Sprintf("the address %s is never allowed", a)
		}
	}
	if !named && (a.IsLoopback() || a.IsPrivate() || shared.Contains(a) || a.Is4() && a.As4()[0] == 0) {
		return fmt.Sprintf("the private address %s is allowed only for a host that documents.allow names", a)
	}
	return ""
}
