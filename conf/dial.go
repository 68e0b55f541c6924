package conf

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"ccxmld/sip"
)

// Dial says how the destinations of createcall become FreeSWITCH dial strings.
type Dial struct {
	// Routes are tried in order; the first that matches counts.
	Routes []DialRoute
	// Redirects is how often a call goes on to where its callee redirects it, by
	// Routes; with 0 it fails, and the document learns the address.
	Redirects int
}

// DialRoute is the dial string for some of the destinations.
type DialRoute struct {
	match    *regexp.Regexp
	dial     []dialPart
	callerID string
}

// Beginning is what all dial strings of the route begin with, such as
// "sofia/gateway/carrier/": the template up to its first placeholder.
func (r DialRoute) Beginning() string {
	if len(r.dial) == 0 || r.dial[0].name != "" {
		return ""
	}
	return r.dial[0].text
}

// DialString is where FreeSWITCH dials.
type DialString struct {
	// Text is a FreeSWITCH dial string without variables, such as
	// "sofia/gateway/carrier/4072223333".
	Text string
	// CallerID is the route's caller id number; empty means that the route sets
	// none.
	CallerID string
}

// ErrNoRoute says that no dial route matches a destination.
var ErrNoRoute = errors.New("no dial route matches")

// ErrDestination says that a destination cannot be dialled by anyone: it is no
// tel: or sip: URI, or holds characters that FreeSWITCH would take apart.
var ErrDestination = errors.New("not a destination that can be dialled")

// destination is a parsed tel: or sip: URI.
type destination struct {
	text   string // normalised: what routes match
	number string
	user   string
	host   string
}

// String looks a destination of createcall up in the routes. The destination
// is a tel:, sip: or sips: URI; a bare number counts as tel:. Parameters and
// headers of the URI, and in tel: numbers the characters - . ( ) and spaces,
// are left out before routes are matched. The error is, or wraps, ErrNoRoute
// or ErrDestination. It is safe for concurrent use.
func (d Dial) String(uri string) (DialString, error) {
	dest, err := parseDestination(uri)
	if err != nil {
		return DialString{}, err
	}
	for _, r := range d.Routes {
		if captures := r.match.FindStringSubmatch(dest.text); captures != nil {
			return r.expand(dest, captures)
		}
	}
	return DialString{}, fmt.Errorf("%w %s", ErrNoRoute, dest.text)
}

var (
	telNumber = regexp.MustCompile(`^\+?[0-9A-Da-d*#]+$`)
	// sipUser and sipHost hold no character with a meaning in dial strings,
	// application arguments or variables: no {}[]<>|,&^'"$\ and no spaces.
	sipUser = regexp.MustCompile(`^[A-Za-z0-9+*#._~%-]+$`)
	sipHost = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?$`)
)

func parseDestination(uri string) (destination, error) {
	const longest = 512
	if len(uri) > longest {
		return destination{}, fmt.Errorf("%w: longer than %d characters", ErrDestination, longest)
	}
	to, err := sip.Parse(uri)
	switch {
	case err != nil:
		return destination{}, fmt.Errorf("%w: %w", ErrDestination, err)
	case to.Name != "" || strings.ContainsAny(uri, "<>\""):
		return destination{}, fmt.Errorf("%w: %q has a name beside the address", ErrDestination, uri)
	case to.Scheme == "tel":
		if !telNumber.MatchString(to.User) {
			return destination{}, fmt.Errorf("%w: %q holds no telephone number", ErrDestination, uri)
		}
		return destination{text: "tel:" + to.User, number: to.User, user: to.User}, nil
	case to.User != "" && !sipUser.MatchString(to.User) || !sipHost.MatchString(to.Host):
		return destination{}, fmt.Errorf("%w: %q is not scheme:user@host, or has characters that are not dialled", ErrDestination, uri)
	}
	text := to.Scheme + ":" + to.Host
	if to.User != "" {
		text = to.Scheme + ":" + to.User + "@" + to.Host
	}
	return destination{text: text, number: to.User, user: to.User, host: to.Host}, nil
}

// dialPart is a piece of a dial template: text as it stands, or something of
// the destination.
type dialPart struct {
	text    string
	name    string // number, user, host or destination
	capture int    // n for $n, when name is "capture"
}

const partCapture = "capture"

// parseDial takes a dial template apart.
func parseDial(template string, captures int) ([]dialPart, error) {
	var parts []dialPart
	for template != "" {
		text, rest, found := strings.Cut(template, "$")
		if text != "" {
			parts = append(parts, dialPart{text: text})
		}
		if !found {
			break
		}
		part, after, err := parsePlaceholder(rest, captures)
		if err != nil {
			return nil, err
		}
		parts, template = append(parts, part), after
	}
	return parts, nil
}

// parsePlaceholder takes what follows a dollar sign.
func parsePlaceholder(rest string, captures int) (dialPart, string, error) {
	if after, ok := strings.CutPrefix(rest, "$"); ok {
		return dialPart{text: "$"}, after, nil
	}
	name, after, digit := "", rest, ""
	if inner, ok := strings.CutPrefix(rest, "{"); ok {
		if name, after, ok = strings.Cut(inner, "}"); !ok {
			return dialPart{}, "", errors.New("${ without }")
		}
		digit = name
	} else if rest != "" {
		digit, after = rest[:1], rest[1:]
	}
	switch name {
	case "number", "user", "host", "destination":
		return dialPart{name: name}, after, nil
	}
	n, err := strconv.Atoi(digit)
	switch {
	case err != nil && name != "":
		return dialPart{}, "", fmt.Errorf("${%s} is not known", name)
	case err != nil || n < 1:
		return dialPart{}, "", errors.New("a dollar sign that stands for nothing")
	case n > captures:
		return dialPart{}, "", fmt.Errorf("$%d, but match has only %d groups", n, captures)
	}
	return dialPart{name: partCapture, capture: n}, after, nil
}

func (r DialRoute) expand(dest destination, captures []string) (DialString, error) {
	var text strings.Builder
	for _, p := range r.dial {
		value := p.text
		switch p.name {
		case "number":
			value = dest.number
		case "user":
			value = dest.user
		case "host":
			value = dest.host
		case "destination":
			value = dest.text
		case partCapture:
			value = captures[p.capture]
		}
		if p.name != "" && p.name != partCapture && value == "" {
			return DialString{}, fmt.Errorf("%w: %s has no %s, which its dial route needs", ErrDestination, dest.text, p.name)
		}
		text.WriteString(value)
	}
	return DialString{Text: text.String(), CallerID: r.callerID}, nil
}

var callerNumber = regexp.MustCompile(`^\+?[0-9A-Za-z*#._-]{1,64}$`)

func readDialRoutes(f field, c *Config) {
	const template = "a FreeSWITCH dial string with ${number}, ${user}, ${host}, ${destination}, $1 to $9, or $$ for a dollar sign"
	for _, at := range f.list() {
		e, ok := at.entry(entryNames("dial.routes")...)
		if !ok {
			continue
		}
		var route DialRoute
		match, given := e.required("match", "a regular expression for destinations, such as tel:.*")
		if !given {
			continue
		}
		if route.match, ok = match.pattern(); !ok {
			continue
		}
		if dial, given := e.required("dial", template); given {
			route.dial = dial.template(route.match.NumSubexp(), template)
		}
		if callerid, given := e.keys["callerid"]; given {
			route.callerID, _ = callerid.matching(callerNumber, "a number or name without spaces, such as 4072223333")
		}
		c.Dial.Routes = append(c.Dial.Routes, route)
	}
}

// template reads a dial template. Channel variables are ccxmld's to set, for
// all routes alike: a template that begins with them, or that names several
// destinations, would defeat originate's bookkeeping.
func (f field) template(captures int, expected string) []dialPart {
	text, ok := f.text(expected)
	if !ok {
		return nil
	}
	parts, err := parseDial(text, captures)
	switch {
	case err != nil:
		f.bad(err.Error(), expected)
	case text == "":
		f.bad("empty", expected)
	case strings.ContainsAny(text, "|,<>[] \t\"'\\") || strings.HasPrefix(text, "{"):
		f.bad(f.quoted()+" holds variables, several destinations, quotes or spaces", expected+", for one destination")
	}
	return parts
}
