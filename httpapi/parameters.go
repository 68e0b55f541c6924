package httpapi

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// parameters are what a token start was called with.
type parameters struct {
	token  string
	values url.Values // without tokenid
	query  string     // the same, encoded as it came
}

const maxParameters = 200

// tokenParameter is the one parameter that is ours.
const tokenParameter = "tokenid"

// parseParameters reads the query of a request and the form in its body. Each
// parameter is kept as it was encoded, because servers of documents differ in
// what they make of %20 and +; only what may not stand in a query is encoded.
func parseParameters(encoded ...string) (parameters, error) {
	p := parameters{values: url.Values{}}
	var query []string
	for _, part := range encoded {
		for pair := range strings.SplitSeq(part, "&") {
			if pair == "" {
				continue
			}
			rawName, rawValue, _ := strings.Cut(pair, "=")
			name, nameErr := url.QueryUnescape(rawName)
			value, valueErr := url.QueryUnescape(rawValue)
			if err := errors.Join(nameErr, valueErr); err != nil {
				return p, errors.New("a parameter is not URL-encoded")
			}
			if name == tokenParameter {
				if p.token != "" && p.token != value {
					return p, errors.New("more than one tokenid")
				}
				p.token = value
				continue
			}
			if len(query) == maxParameters {
				return p, fmt.Errorf("more than %d parameters", maxParameters)
			}
			p.values.Add(name, value)
			query = append(query, queryText(pair))
		}
	}
	p.query = strings.Join(query, "&")
	return p, nil
}

// queryText encodes what RFC 3986 does not allow in a query, section 3.4: a #
// would cut the URI, a space or line break would end it.
func queryText(raw string) string {
	const hexDigits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(raw) {
		c := raw[i]
		if c <= ' ' || c >= 0x7f || strings.IndexByte("#\"<>\\^`{|}[]", c) >= 0 {
			b.Write([]byte{'%', hexDigits[c>>4], hexDigits[c&15]})
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// documentURI is the token's document, asked for with the parameters. A file
// has nobody to read them: its URI stays as it is, so that all starts share one
// compiled document.
func documentURI(uri, query string) string {
	if query == "" || strings.HasPrefix(uri, "file:") {
		return uri
	}
	uri, fragment, hasFragment := strings.Cut(uri, "#")
	switch {
	case !strings.Contains(uri, "?"):
		uri += "?"
	case !strings.HasSuffix(uri, "?") && !strings.HasSuffix(uri, "&"):
		uri += "&"
	}
	uri += query
	if hasFragment {
		uri += "#" + fragment
	}
	return uri
}
