// Package sip reads addresses: SIP and SIPS URIs, telephone numbers, and these with
// a display name as headers have them (RFC 3261, 19.1 and 20.10; RFC 3966). All who
// take numbers, users or hosts out of an address do it here.
package sip

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// Address is one address, taken apart.
type Address struct {
	Name   string // the display name, without quotation marks; "" for none
	Scheme string // sip, sips or tel
	// User is the user or number, without its parameters; of a tel: URI without
	// what only makes it easier to read, - . ( ) and spaces.
	User string
	Host string // with the port, if there is one; "" for tel:
	// URI is as it was written, without headers.
	URI     string
	Headers url.Values // of the URI
	// Parameters are those of the header, with names in lower case.
	Parameters map[string]string
}

// longest bounds what is read.
const longest = 4096

var (
	bareNumber   = regexp.MustCompile(`^\+?[0-9*#.() -]*[0-9*#][0-9*#.() -]*$`)
	scheme       = regexp.MustCompile(`^(?i:sips?|tel):`)
	telSeparator = strings.NewReplacer("-", "", ".", "", "(", "", ")", "", " ", "")
)

// Parse reads one address: sip:a@b, "A" <sip:a@b>;tag=1, tel:+1-407, or a bare
// number, which counts as tel:.
func Parse(text string) (Address, error) {
	text = strings.TrimSpace(text)
	if len(text) > longest {
		return Address{}, fmt.Errorf("an address is longer than %d characters", longest)
	}
	if bareNumber.MatchString(text) {
		text = "tel:" + text
	}
	name, uri, rest, err := split(text)
	if err != nil {
		return Address{}, err
	}
	a := Address{Name: name, Parameters: ParametersOf(rest)}
	return a, a.read(uri)
}

// split takes a name-addr apart. Without angle brackets, parameters are those of the
// header (RFC 3261, 20.10), but a tel: URI keeps its own.
func split(text string) (name, uri, rest string, err error) {
	var parsed sip.Uri
	if strings.HasPrefix(text, `"`) {
		// The parser knows where the quotation ends; the rest is as without it.
		quoted, err := sip.ParseAddressValue(text, &parsed, nil)
		end := len(quoted) + 2
		if err != nil || quoted == "" && !strings.HasPrefix(text, `""`) || end > len(text) {
			return "", "", "", fmt.Errorf("%.80q is no address: its name has no end", text)
		}
		name, text = unquote(quoted), text[end:]
	}
	before, after, bracketed := strings.Cut(text, "<")
	if !bracketed {
		if name != "" {
			return "", "", "", fmt.Errorf("%.80q is no address: behind its name there is none in <>", text)
		}
		if strings.EqualFold(text[:min(len(text), 4)], "tel:") {
			return "", text, "", nil
		}
		rest = parametersBehind(text)
		return "", strings.TrimSuffix(text, rest), rest, nil
	}
	if name == "" {
		name = strings.TrimSpace(before)
	}
	uri, rest, closed := strings.Cut(after, ">")
	if !closed {
		return "", "", "", fmt.Errorf("%.80q is no address: a < has no >", text)
	}
	return name, strings.TrimSpace(uri), rest, nil
}

func parametersBehind(uri string) string {
	if at := strings.LastIndexByte(uri, '@'); at >= 0 {
		uri = uri[at:]
	}
	_, rest, found := strings.Cut(uri, ";")
	if !found {
		return ""
	}
	return ";" + rest
}

// read reads the URI.
func (a *Address) read(uri string) error {
	if bareNumber.MatchString(uri) {
		uri = "tel:" + uri
	}
	if !scheme.MatchString(uri) {
		return fmt.Errorf("%.80q is neither a sip:, a sips: nor a tel: URI", uri)
	}
	var parsed sip.Uri
	if err := sip.ParseUri(uri, &parsed); err != nil {
		return fmt.Errorf("%.80q is no address: %w", uri, err)
	}
	a.Scheme = strings.ToLower(parsed.Scheme)
	a.URI, _, _ = strings.Cut(uri, "?")
	if a.Scheme == "tel" {
		_, number, _ := strings.Cut(uri, ":")
		number, _, _ = strings.Cut(number, ";")
		if a.User = telSeparator.Replace(number); a.User == "" {
			return fmt.Errorf("%.80q holds no telephone number", uri)
		}
		return nil
	}
	if parsed.Password != "" || parsed.Host == "" {
		return errors.New("a SIP URI is scheme:user@host, without a password")
	}
	a.User, _, _ = strings.Cut(parsed.User, ";")
	if a.Host = parsed.Host; parsed.Port != 0 {
		a.Host = fmt.Sprintf("%s:%d", parsed.Host, parsed.Port)
	}
	if _, headers, found := strings.Cut(uri, "?"); found {
		a.Headers, _ = url.ParseQuery(strings.ReplaceAll(headers, ";", "%3B"))
	}
	return nil
}

// unquote undoes the escapes of a quotation (RFC 3261, 25.1).
func unquote(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' && i+1 < len(text) {
			i++
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

// ParametersOf reads the parameters of a header's value, which stand behind its first
// semicolon: ;a=b;c="d" (RFC 3261, 7.3.1). Names are in lower case.
func ParametersOf(text string) map[string]string {
	parameters := make(map[string]string)
	_, text, _ = strings.Cut(text, ";")
	for part := range strings.SplitSeq(text, ";") {
		if name, value, ok := strings.Cut(part, "="); ok {
			parameters[strings.ToLower(strings.TrimSpace(name))] = strings.Trim(strings.TrimSpace(value), `"`)
		}
	}
	return parameters
}
