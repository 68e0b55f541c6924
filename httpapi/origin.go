package httpapi

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"ccxmld/remote"
)

// addressed serves requests whose Host is ours. A browser sends there the name that
// its page was loaded from, so a stranger's name that leads to this machine (DNS
// rebinding) is refused, though to the browser all of it is one site.
func (s *Server) addressed(serve http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Who has also given a length may read what follows as a request (RFC 9112, 6.1).
		if len(r.TransferEncoding) > 0 {
			w.Header().Set("Connection", "close")
		}
		if !s.isOurs(r) {
			s.refuse(w, r, "unknown host "+quoted(r.Host), fmt.Sprintf(
				"this ccxmld is not known as %s; if it is to be, add that to http.hosts, or set http.url", quoted(r.Host)))
			return
		}
		serve.ServeHTTP(w, r)
	})
}

// unlessForeign serves what does not come from another site's page, open in the
// browser of somebody who is let in.
func (s *Server) unlessForeign(serve http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if sign := s.foreign(r); sign != "" {
			s.refuse(w, r, "another site's page: "+sign, fmt.Sprintf(
				"requests from pages of other sites are not allowed (%s); pages that ccxmld's own host serves may, and those of http.url", sign))
			return
		}
		serve(w, r)
	}
}

func (s *Server) refuse(w http.ResponseWriter, r *http.Request, reason, text string) {
	s.options.Logger.Warn("request refused", "path", oneLine(r.URL.Path), "remote", r.RemoteAddr, "reason", reason)
	answer(w, http.StatusForbidden, textFailure+text)
}

// quoted is a text of the requester's as messages show it.
func quoted(text string) string { return fmt.Sprintf("%.100q", text) }

// isOurs tells whether a request asks for this machine itself, for the address that
// it came in at, or for one of Hosts. None at all, which HTTP/1.0 allows, is no
// browser's.
func (s *Server) isOurs(r *http.Request) bool {
	if r.Host == "" {
		return true
	}
	asked, ok := parseHost(r.Host)
	if !ok {
		return false
	}
	if asked.isLoopback() {
		return true
	}
	if local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok {
		if at, ok := parseHost(local.String()); ok && at.name == asked.name {
			return true
		}
	}
	for _, own := range s.hosts {
		if own.name == asked.name && (own.port == "" || own.port == asked.port) {
			return true
		}
	}
	return false
}

// foreign returns what marks a request as that of another site's page, or "". All
// browsers send Origin with a POST; Sec-Fetch-Site goes to https and to this machine.
func (s *Server) foreign(r *http.Request) string {
	for _, site := range r.Header.Values("Sec-Fetch-Site") {
		switch site {
		case "", "same-origin", "none": // none: the address was typed in
		default: // same-site is another port of the host, or its neighbour
			return "Sec-Fetch-Site: " + quoted(site)
		}
	}
	for _, origin := range r.Header.Values("Origin") {
		if origin != "" && !s.isOwnOrigin(origin, r.Host) {
			return "Origin: " + quoted(origin)
		}
	}
	return ""
}

// isOwnOrigin tells whether an origin is the host that was asked, or http.url. A
// proxy may have taken TLS away, so the scheme does not count.
func (s *Server) isOwnOrigin(origin, asked string) bool {
	u, err := url.Parse(origin)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" {
		return false
	}
	from, ok := parseHost(u.Host)
	if !ok {
		return false
	}
	if host, ok := parseHost(asked); ok && from.or(u.Scheme) == host.or(u.Scheme) {
		return true
	}
	own, err := url.Parse(s.options.URL)
	if err != nil || own.Host == "" {
		return false
	}
	host, ok := parseHost(own.Host)
	return ok && from.or(u.Scheme) == host.or(own.Scheme)
}

// host is a name or address, and a port or "".
type host struct{ name, port string }

// parseHost reads HOST or HOST:PORT. Names are in small letters without a dot at
// the end, addresses as netip writes them.
func parseHost(text string) (h host, ok bool) {
	h.name = text
	if name, port, err := net.SplitHostPort(text); err == nil {
		h.name, h.port = name, port
	} else if inner, bracketed := strings.CutPrefix(text, "["); bracketed {
		if h.name, ok = strings.CutSuffix(inner, "]"); !ok {
			return h, false
		}
	}
	h.name = strings.TrimSuffix(strings.ToLower(h.name), ".")
	if address, err := netip.ParseAddr(h.name); err == nil {
		h.name = address.Unmap().WithZone("").String()
	}
	return h, h.name != ""
}

// or fills in the port of a scheme.
func (h host) or(scheme string) host {
	if h.port == "" {
		h.port = map[string]string{"http": "80", "https": "443"}[scheme]
	}
	return h
}

func (h host) isLoopback() bool { return remote.IsLoopback(h.name) }

// ownHosts are the hosts of Options.
func ownHosts(o Options) (hosts []host) {
	texts := o.Hosts
	if u, err := url.Parse(o.URL); err == nil && u.Host != "" {
		texts = append([]string{u.Hostname()}, texts...)
	}
	for _, text := range texts {
		// Of a wildcard address there is no name to ask for.
		if h, ok := parseHost(text); ok && h.name != "0.0.0.0" && h.name != "::" {
			hosts = append(hosts, h)
		}
	}
	return hosts
}
