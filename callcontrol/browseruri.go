package callcontrol

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"ccxmld/dialog"
	"ccxmld/dialog/vxml"
	"ccxmld/fetch"
	"ccxmld/interpreter"
	"ccxmld/sip"
)

// internalBrowser, as the hint browser or as dialog.voicexml, is our own.
const internalBrowser = "internal"

// hostSyntax is that of a host with or without its port.
var hostSyntax = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?$`)

// sipAddress reads a SIP or SIPS URI that has nothing but a host and perhaps a user.
func sipAddress(text string) (address sip.Address, ok bool) {
	address, err := sip.Parse(text)
	plain := err == nil && (address.Scheme == "sip" || address.Scheme == "sips") && address.Name == "" &&
		!strings.ContainsAny(text, "<>\"") && len(address.Parameters)+len(address.Headers) == 0
	return address, plain && hostSyntax.MatchString(address.Host) && (address.User == "" || callerNumber.MatchString(address.User))
}

// browserOf gives the external server that runs a dialog, as a SIP URI; "" for a
// dialog that runs here.
func (c *control) browserOf(r interpreter.DialogRequest) (server string, err error) {
	kind, _, _ := strings.Cut(r.Type, ";")
	if !vxml.IsType(strings.ToLower(strings.TrimSpace(kind))) {
		return "", nil
	}
	server = c.controller.options.VoiceXML
	if hint, ok := hint(r.Hints, "browser"); ok {
		server = strings.TrimSpace(fmt.Sprint(hint))
	}
	if server == "" || server == internalBrowser {
		return "", nil
	}
	switch address, ok := sipAddress(server); {
	case !ok:
		return "", fmt.Errorf("the hint browser is %.60q; expected internal, or a SIP URI such as sip:vxml.example.org", server)
	case r.ConferenceID != "" || r.MediaDirection != "" && r.MediaDirection != directionBoth:
		return "", errOneWay
	default:
		user := cmp.Or(address.User, "dialog") // RFC 5552, 2.1
		return address.Scheme + ":" + user + "@" + address.Host, nil
	}
}

// errOneWay: a bridge has two ways, and a conference is no connection.
var errOneWay = errors.New("a dialog on an external VoiceXML server needs a connection, and mediadirection both; hints=\"{browser: 'internal'}\" runs it here")

func isSIPAddress(text string) bool {
	address, ok := sipAddress(text)
	return ok && address.User != ""
}

// longestParameters bounds what an INVITE carries.
const longestParameters = 8 << 10

// browserParameters are the parameters of the Request-URI that say which page is
// run, and how (RFC 5552, 2.1).
func browserParameters(r interpreter.DialogRequest) (string, error) {
	page, err := fetch.Resolve(r.Base, r.Source)
	if err != nil {
		return "", err
	}
	form := make([]string, len(r.Namelist))
	for i, pair := range r.Namelist {
		form[i] = url.QueryEscape(pair.Name) + "=" + url.QueryEscape(pair.Value)
	}
	posts := strings.EqualFold(r.Method, "post")
	if len(form) > 0 && !posts {
		separator := "?"
		if strings.Contains(page, "?") {
			separator = "&"
		}
		page += separator + strings.Join(form, "&")
	}
	list := []string{"voicexml=" + escapeParameter(page)}
	add := func(name, value string) {
		if value != "" {
			list = append(list, name+"="+escapeParameter(value))
		}
	}
	add("maxage", wholeSeconds(r.MaxAge))
	add("maxstale", wholeSeconds(r.MaxStale))
	if posts {
		add("method", "post")
		add("postbody", strings.Join(form, "&"))
	}
	if len(r.Parameters) > 0 { // session.connection.ccxml.values, as our own pages have it
		text, err := json.Marshal(map[string]any{"values": interpreter.Values(r.Parameters)})
		if err != nil {
			return "", err
		}
		add("ccxml", string(text))
	}
	if aai, ok := hint(r.Hints, "aai"); ok {
		add("aai", fmt.Sprint(aai))
	}
	text := strings.Join(list, ";")
	if len(text) > longestParameters {
		return "", fmt.Errorf("the request for the VoiceXML server is longer than %d characters", longestParameters)
	}
	return text, nil
}

func wholeSeconds(d *time.Duration) string {
	if d == nil {
		return ""
	}
	return strconv.Itoa(int(*d / time.Second))
}

// escapeParameter writes the value of a URI parameter (RFC 3261, 25.1: paramchar).
func escapeParameter(value string) string {
	var b strings.Builder
	for _, octet := range []byte(value) {
		switch {
		case octet >= '0' && octet <= '9', octet >= 'a' && octet <= 'z', octet >= 'A' && octet <= 'Z', strings.IndexByte("-._~:/", octet) >= 0:
			b.WriteByte(octet)
		default:
			fmt.Fprintf(&b, "%%%02X", octet)
		}
	}
	return b.String()
}

// The names in a BYE that stand for something else than a variable of the page.
const (
	exitExpression = "__exit"   // the value of <exit expr>
	exitReason     = "__reason" // disconnect, exit, or a word of the server's
)

// mostReturned bounds the values that a BYE brings.
const mostReturned = 1000

// returnedValues reads what a page has returned. disconnects tells that it was by
// <disconnect>. The value of an expression gets the name that it has for pages
// which run here.
func returnedValues(body string) (values dialog.Values, disconnects bool) {
	for pair := range strings.SplitSeq(strings.TrimSpace(body), "&") {
		name, value, _ := strings.Cut(pair, "=")
		name, value = unescapeForm(name), unescapeForm(value)
		switch {
		case name == "" || len(values) >= mostReturned:
		case name == exitReason:
			disconnects = value == "disconnect"
		case name == exitExpression:
			values = append(values, dialog.Value{Name: "expr", Value: value})
		default:
			values = append(values, dialog.Value{Name: name, Value: value})
		}
	}
	return values, disconnects
}

// unescapeForm decodes a name or value; one that is not encoded stays as it is.
func unescapeForm(text string) string {
	if decoded, err := url.QueryUnescape(text); err == nil {
		return strings.ToValidUTF8(decoded, "\uFFFD")
	}
	return strings.ToValidUTF8(text, "\uFFFD")
}
