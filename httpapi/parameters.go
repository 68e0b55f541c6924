package httpapi

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html/charset"
)

// parameter is one parameter of a request, decoded and as it came.
type parameter struct{ name, value, raw string }

// decode splits the query of a request and the form in its body.
func decode(encoded ...string) (list []parameter, err error) {
	for _, part := range encoded {
		for pair := range strings.SplitSeq(part, "&") {
			if pair == "" {
				continue
			}
			rawName, rawValue, _ := strings.Cut(pair, "=")
			name, nameErr := url.QueryUnescape(rawName)
			value, valueErr := url.QueryUnescape(rawValue)
			if err := errors.Join(nameErr, valueErr); err != nil {
				return nil, errors.New("a parameter is not URL-encoded")
			}
			if !utf8.ValidString(name) || !utf8.ValidString(value) {
				return nil, fmt.Errorf("the parameter %.50q is not in UTF-8; a form may be in another character set, which its Content-Type says by charset", pair)
			}
			list = append(list, parameter{name, value, pair})
		}
	}
	return list, nil
}

// inUTF8 writes a form anew that is in another character set.
func inUTF8(form, label string) (string, error) {
	if label == "" || form == "" || strings.EqualFold(label, "utf-8") {
		return form, nil
	}
	encoding, _ := charset.Lookup(label)
	if encoding == nil {
		return "", fmt.Errorf("the character set %.50q is unknown", label)
	}
	pairs := strings.Split(form, "&")
	for i, pair := range pairs {
		name, value, given := strings.Cut(pair, "=")
		for _, text := range []*string{&name, &value} {
			raw, err := url.QueryUnescape(*text)
			if err != nil {
				return "", errors.New("a parameter is not URL-encoded")
			}
			decoded, err := encoding.NewDecoder().String(raw)
			if err != nil || strings.ContainsRune(decoded, utf8.RuneError) {
				return "", fmt.Errorf("the parameter %.50q is not in the character set %s", pair, label)
			}
			*text = url.QueryEscape(decoded)
		}
		if pairs[i] = name; given {
			pairs[i] += "=" + value
		}
	}
	return strings.Join(pairs, "&"), nil
}

const maxParameters = 200

var errTooMany = fmt.Errorf("more than %d parameters", maxParameters)

// take removes the parameters of these names, which mean the same, and gives
// their value. ok is false where there is none; two that differ are an error.
func take(list []parameter, names ...string) (rest []parameter, value string, ok bool, err error) {
	for _, p := range list {
		switch {
		case !slices.Contains(names, p.name):
			rest = append(rest, p)
		case ok && p.value != value:
			return nil, "", false, fmt.Errorf("more than one %s", strings.Join(names, " or "))
		default:
			value, ok = p.value, true
		}
	}
	return rest, value, ok, nil
}

// parameters are what a token start was called with.
type parameters struct {
	token  string
	values url.Values // without tokenid
	query  string     // the same, encoded as it came
}

// parseParameters reads a token start. Each parameter is kept as it was encoded,
// because servers of documents differ in what they make of %20 and +; only what
// may not stand in a query is encoded.
func parseParameters(encoded ...string) (p parameters, err error) {
	list, err := decode(encoded...)
	if err != nil {
		return p, err
	}
	if list, p.token, _, err = take(list, "tokenid"); err != nil {
		return p, err
	}
	if len(list) > maxParameters {
		return p, errTooMany
	}
	p.values = values(list)
	query := make([]string, len(list))
	for i := range list {
		query[i] = queryText(list[i].raw)
	}
	p.query = strings.Join(query, "&")
	return p, nil
}

func values(list []parameter) url.Values {
	v := make(url.Values, len(list))
	for _, p := range list {
		v.Add(p.name, p.value)
	}
	return v
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
	if query == "" || strings.HasPrefix(strings.TrimPrefix(uri, "vxml:"), "file:") {
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
