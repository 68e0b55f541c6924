package conf

import (
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	yaml "go.yaml.in/yaml/v3"
)

// field is one value while it is read: where it stands, what it is called, and
// who is told when it cannot be used. Its methods return the value and whether
// it is good; a bad one is reported by them.
type field struct {
	loader *loader
	path   string
	node   *yaml.Node
	place  func(*yaml.Node) string
	base   string
}

func (f field) bad(wrong, expected string) {
	f.loader.problems = append(f.loader.problems, Problem{
		Place: f.place(f.node), Key: f.path, Wrong: wrong, Expected: "expected " + expected,
	})
}

// quoted is the value as messages show it.
func (f field) quoted() string {
	const longest = 80
	text := f.node.Value
	if len(text) > longest {
		text = text[:longest] + "…"
	}
	return strconv.Quote(text)
}

// text reads any single value; null counts as empty.
func (f field) text(expected string) (string, bool) {
	if f.node.Kind != yaml.ScalarNode {
		f.bad(describe(f.node), expected)
		return "", false
	}
	if isNull(f.node) {
		return "", true
	}
	if strings.ContainsAny(f.node.Value, "\r\n\x00") {
		f.bad("a text with line breaks", expected)
		return "", false
	}
	return f.node.Value, true
}

// matching reads a text of a given form.
func (f field) matching(form *regexp.Regexp, expected string) (string, bool) {
	text, ok := f.text(expected)
	if ok && !form.MatchString(text) {
		f.bad(f.quoted()+" does not do", expected)
		return "", false
	}
	return text, ok
}

// oneOf reads one of a few words.
func (f field) oneOf(words ...string) (string, bool) {
	expected := "one of " + strings.Join(words, ", ")
	text, ok := f.text(expected)
	if ok && !slices.Contains(words, text) {
		f.bad(f.quoted()+" is none of them", expected)
		return "", false
	}
	return text, ok
}

// truth reads true or false.
func (f field) truth() bool {
	word, _ := f.oneOf("true", "false")
	return word == "true"
}

func (f field) level() (slog.Level, bool) {
	word, ok := f.oneOf("debug", "info", "warn", "error")
	var level slog.Level
	if ok {
		ok = level.UnmarshalText([]byte(word)) == nil
	}
	return level, ok
}

// address reads a HOST:PORT.
func (f field) address(example string) (string, bool) {
	expected := "HOST:PORT, such as " + example
	text, ok := f.text(expected)
	if !ok {
		return "", false
	}
	if wrong := wrongAddress(text); wrong != "" {
		f.bad(f.quoted()+" "+wrong, expected)
		return "", false
	}
	return text, true
}

var hostName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9.])?$`)

// wrongAddress says what keeps a text from being HOST:PORT, or nothing.
func wrongAddress(text string) string {
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		return "is not an address with a port"
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return "has no port from 0 to 65535"
	}
	if _, err := netip.ParseAddr(host); err != nil && host != "" && !hostName.MatchString(host) {
		return "has no host name or IP address"
	}
	return ""
}

// network reads a network or a single address.
func (f field) network() (netip.Prefix, bool) {
	const expected = "a network or an address, such as 10.0.0.0/8 or 192.0.2.7"
	text, ok := f.text(expected)
	if !ok {
		return netip.Prefix{}, false
	}
	if addr, err := netip.ParseAddr(text); err == nil && addr.Zone() == "" {
		return netip.PrefixFrom(addr, addr.BitLen()), true
	}
	prefix, err := netip.ParsePrefix(text)
	if err != nil {
		f.bad(f.quoted()+" is neither", expected)
		return netip.Prefix{}, false
	}
	return prefix.Masked(), true
}

// duration reads a duration between two bounds.
func (f field) duration(least, most time.Duration) (time.Duration, bool) {
	expected := fmt.Sprintf("a duration with its unit from %s to %s, such as 500ms, 5s or 1h", short(least), short(most))
	text, ok := f.text(expected)
	if !ok {
		return 0, false
	}
	d, err := time.ParseDuration(text)
	switch {
	case err != nil:
		f.bad(f.quoted()+" is not a duration", expected)
	case d < least:
		f.bad(f.quoted()+" is too short", expected)
	case d > most:
		f.bad(f.quoted()+" is too long", expected)
	default:
		return d, true
	}
	return 0, false
}

// short writes a duration without zero units: 24h, not 24h0m0s.
func short(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// count reads a whole number between two bounds.
func (f field) count(least, most int) (int, bool) {
	expected := fmt.Sprintf("a whole number from %d to %d", least, most)
	text, ok := f.text(expected)
	if !ok {
		return 0, false
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		f.bad(f.quoted()+" is not a whole number", expected)
		return 0, false
	}
	if n < least || n > most {
		f.bad(f.quoted()+" is out of range", expected)
		return 0, false
	}
	return n, true
}

// rate reads a number of times a second.
func (f field) rate() (float64, bool) {
	const expected = "a number of times a second from 0 to 10000, such as 5 or 0.5"
	text, ok := f.text(expected)
	if !ok {
		return 0, false
	}
	r, err := strconv.ParseFloat(text, 64)
	if err != nil || !(r >= 0 && r <= 10000) { // the negation also refuses NaN
		f.bad(f.quoted()+" does not do", expected)
		return 0, false
	}
	return r, true
}

var sizeUnits = []struct {
	name  string
	bytes int64
}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"", 1}}

// size reads a number of bytes between two bounds.
func (f field) size(least, most int64) (int64, bool) {
	expected := fmt.Sprintf("a number of bytes from %d to %d, such as 65536, 64KiB or 1MiB", least, most)
	text, ok := f.text(expected)
	if !ok {
		return 0, false
	}
	for _, unit := range sizeUnits {
		digits, has := strings.CutSuffix(text, unit.name)
		if !has {
			continue
		}
		n, err := strconv.ParseInt(digits, 10, 64)
		if err != nil {
			break
		}
		if n < 0 || n > most/unit.bytes || n*unit.bytes < least {
			f.bad(f.quoted()+" is out of range", expected)
			return 0, false
		}
		return n * unit.bytes, true
	}
	f.bad(f.quoted()+" is not a size", expected)
	return 0, false
}

// pattern reads a regular expression that must match a text as a whole.
func (f field) pattern() (*regexp.Regexp, bool) {
	const expected = `a regular expression (RE2) for the whole text, such as 1\d{3} or .*`
	text, ok := f.text(expected)
	if !ok {
		return nil, false
	}
	re, err := anchored(text)
	if err != nil {
		f.bad(strings.TrimPrefix(err.Error(), "error parsing regexp: "), expected)
		return nil, false
	}
	return re, true
}

// uri reads the URI of something that is fetched. A path without a scheme is a
// file: relative to the configuration file, or to the working directory where
// it comes from a flag or a variable.
func (f field) uri() (string, bool) {
	text, ok := f.text(expectedURI)
	if !ok {
		return "", false
	}
	return f.uriOf(text)
}

const expectedURI = "an http, https or file URI, or the path of a file"

// uriOf checks the text of a URI.
func (f field) uriOf(text string) (string, bool) {
	const expected = expectedURI
	if text == "" {
		f.bad("empty", expected)
		return "", false
	}
	u, err := url.Parse(text)
	if err != nil {
		f.bad(f.quoted()+" is not a URI", expected)
		return "", false
	}
	switch {
	case u.Scheme == "":
		return f.fileURI(text)
	case u.User != nil:
		f.bad("a URI with a user or password in it", expected+", without")
	case (u.Scheme == "http" || u.Scheme == "https") && u.Host == "":
		f.bad(f.quoted()+" names no host", expected)
	case u.Scheme == "file" && (u.Host != "" && u.Host != "localhost" || !strings.HasPrefix(u.Path, "/")):
		f.bad(f.quoted()+" has no absolute path", "file:///PATH")
	case u.Scheme == "file":
		return "file://" + u.EscapedPath(), true
	case u.Scheme == "http", u.Scheme == "https":
		return text, true
	default:
		f.bad(f.quoted()+" has the scheme "+u.Scheme, expected)
	}
	return "", false
}

func (f field) fileURI(path string) (string, bool) {
	if !filepath.IsAbs(path) {
		path = filepath.Join(f.base, path) + trailingSlash(path)
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		f.bad("the working directory is not to be had: "+err.Error(), "an absolute path")
		return "", false
	}
	u := url.URL{Scheme: "file", Path: filepath.ToSlash(abs) + trailingSlash(path)}
	return u.String(), true
}

func trailingSlash(path string) string {
	if strings.HasSuffix(path, "/") {
		return "/"
	}
	return ""
}

// prefix reads the beginning of the URIs that are allowed. Without a slash
// after the host, http://host would also let http://host.example.org in.
func (f field) prefix() (string, bool) {
	text, ok := f.uri()
	if !ok {
		return "", false
	}
	u, err := url.Parse(text)
	if err != nil || u.Path == "" {
		f.bad(f.quoted()+" would also begin other hosts' names", "a slash after the host, as in "+text+"/")
		return "", false
	}
	if u.RawQuery != "" || u.Fragment != "" {
		f.bad(f.quoted()+" has a query or fragment", "the beginning of URIs, such as https://example.org/ccxml/")
		return "", false
	}
	return text, true
}

// filePath reads the path of a file, absolute or against the folder of the configuration.
func (f field) filePath(expected string) (string, bool) {
	path, ok := f.text(expected)
	if ok && !filepath.IsAbs(path) {
		path = filepath.Join(f.base, path)
	}
	return path, ok
}

// secretFile reads a file that holds a secret in its first line.
func (f field) secretFile() (Secret, bool) {
	const expected = "the path of a readable file with the password in it"
	path, ok := f.filePath(expected)
	if !ok {
		return "", false
	}
	content, err := os.ReadFile(path)
	if err != nil {
		f.bad(err.Error(), expected)
		return "", false
	}
	secret := strings.TrimRight(string(content), "\r\n")
	if secret == "" || strings.ContainsAny(secret, "\r\n\x00") {
		f.bad(path+" holds no password in one line", expected)
		return "", false
	}
	return Secret(secret), true
}

// list reads the entries of a list; a comma-separated text is one, too.
func (f field) list() []field {
	n := f.node
	if n.Kind == yaml.ScalarNode && n.Value == "" {
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		f.bad(describe(n), "a list")
		return nil
	}
	entries := make([]field, len(n.Content))
	for i, c := range n.Content {
		entries[i] = f.below(fmt.Sprintf("%s[%d]", f.path, i), c)
	}
	return entries
}

func (f field) below(path string, n *yaml.Node) field {
	f.path, f.node = path, n
	f.loader.places[path] = f.place(n)
	return f
}

// entry is a list entry or map value made of keys.
type entry struct {
	field
	keys map[string]field
}

// entry reads a value made of keys, of which only the known ones are allowed.
func (f field) entry(known ...string) (entry, bool) {
	e := entry{field: f, keys: map[string]field{}}
	if f.node.Kind != yaml.MappingNode {
		f.bad(describe(f.node), "the keys "+strings.Join(known, ", "))
		return e, false
	}
	for i := 0; i+1 < len(f.node.Content); i += 2 {
		key, value := f.node.Content[i], f.node.Content[i+1]
		at := f.below(f.path+delimiter+key.Value, value)
		problem := Problem{Place: f.place(key), Key: at.path}
		if !slices.Contains(known, key.Value) {
			problem.Wrong, problem.Expected = "unknown key", unknownKey(key.Value, known)
			f.loader.problems = append(f.loader.problems, problem)
			continue
		}
		if _, twice := e.keys[key.Value]; twice {
			problem.Wrong, problem.Expected = "given twice", "expected once"
			f.loader.problems = append(f.loader.problems, problem)
			continue
		}
		if !isNull(value) {
			e.keys[key.Value] = at
		}
	}
	return e, true
}

// required is the field of a key that has to be there.
func (e entry) required(key, expected string) (field, bool) {
	f, ok := e.keys[key]
	if !ok {
		e.bad(key+" is missing", expected)
	}
	return f, ok
}
