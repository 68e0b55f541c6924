package fetch

import (
	"fmt"
	"net/url"
	"strings"
)

// Resolve returns the reference as an absolute URI, seen from base. A reference
// as authors write it, with spaces or other characters that have no
// place in a URI, is escaped; what is escaped already stays. An empty base asks for
// an absolute reference.
func Resolve(base, reference string) (string, error) {
	r, err := parseURI(reference)
	if err != nil {
		return "", err
	}
	switch r.Scheme {
	case "", "http", "https", "file":
	default:
		// Such as null://?text=… for speech without a file: not ours to rewrite.
		return escape(strings.TrimSpace(reference)), nil
	}
	if base != "" {
		b, err := parseURI(base)
		if err != nil {
			return "", err
		}
		r = b.ResolveReference(r)
	}
	if r.Scheme == "" {
		return "", fmt.Errorf("%q is not an absolute URI", reference)
	}
	return r.String(), nil
}

func parseURI(raw string) (*url.URL, error) {
	u, err := url.Parse(escape(strings.TrimSpace(raw)))
	if err != nil {
		return nil, fmt.Errorf("%q is not a URI: %w", raw, unwrapURL(err))
	}
	return u, nil
}

func unwrapURL(err error) error {
	if e, ok := err.(*url.Error); ok {
		return e.Err
	}
	return err
}

const hexDigits = "0123456789ABCDEF"

// escape percent-encodes what RFC 3986 allows nowhere in a URI, a percent sign
// that begins no escape, and in the query a number sign that is text rather than
// the beginning of a fragment: one that a space follows, or nothing ("press #").
func escape(raw string) string {
	var b strings.Builder
	inQuery := false
	for i := range len(raw) {
		c := raw[i]
		bad := c <= ' ' || c >= 0x7f || strings.IndexByte("\"<>\\^`{|}", c) >= 0
		switch c {
		case '%':
			bad = i+2 >= len(raw) || !isHex(raw[i+1]) || !isHex(raw[i+2])
		case '?':
			inQuery = true
		case '#':
			bad = inQuery && (i+1 == len(raw) || raw[i+1] == ' ')
		}
		if bad {
			b.WriteByte('%')
			b.WriteByte(hexDigits[c>>4])
			b.WriteByte(hexDigits[c&15])
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}
