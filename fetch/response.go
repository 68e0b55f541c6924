package fetch

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"mime"
	"net/http"
	"regexp"
	"strings"

	"golang.org/x/net/html/charset"
	"golang.org/x/text/encoding/unicode"
)

// Response is what was fetched. It may be shared with other fetches through the
// cache: do not change Body.
type Response struct {
	// URI is where it came from, after redirects.
	URI    string
	Status int
	// ContentType is the media type in lower case without parameters, and
	// Charset the parameter of this name; empty if the server did not say.
	ContentType string
	Charset     string
	Body        []byte
	// Version changes when the content does. The same Version means the same
	// bytes and Charset.
	Version string
	// FromCache tells that the content was not transferred now.
	FromCache bool
	// Reusable tells that the content may be kept for other requests: it is a file, or
	// the cache keeps it.
	Reusable bool

	key    string      // under which the cache may keep it, "" if it may not
	header http.Header // of a transfer, for Client.Supplement
}

func newResponse(uri string, status int, contentType string, body []byte) *Response {
	r := &Response{URI: uri, Status: status, Body: body}
	media, parameters, err := mime.ParseMediaType(contentType)
	if err != nil {
		media, _, _ = strings.Cut(contentType, ";")
		media = strings.ToLower(strings.TrimSpace(media))
	}
	r.ContentType, r.Charset = media, strings.Trim(parameters["charset"], "'")
	if m := charsetParameter.FindStringSubmatch(contentType); err != nil && m != nil { // what stands beside it is wrong
		r.Charset = m[1]
	}
	sum := sha256.New()
	fmt.Fprintln(sum, r.Charset) // by which the same bytes are another text
	sum.Write(body)
	r.Version = hex.EncodeToString(sum.Sum(nil)[:16])
	return r
}

// charsetParameter finds the first charset of a Content-Type that is not well-formed.
var charsetParameter = regexp.MustCompile(`(?i);\s*charset\s*=\s*["']?([A-Za-z0-9._:-]{1,40})`)

// Text returns the content as UTF-8. Its encoding is that of a byte order mark,
// of the HTTP header, or of an XML declaration, in this order (RFC 7303, section
// 3), or else UTF-8; bytes that are no UTF-8 become U+FFFD.
func (r *Response) Text() string {
	decoded, err := decode(r.Body, r.Charset)
	if err != nil {
		decoded = r.Body
	}
	return strings.ToValidUTF8(string(decoded), "\uFFFD")
}

// TextIn is Text where whoever names the content also names its encoding, which
// counts if neither a byte order mark nor the server does. The error is for an
// encoding that nobody knows.
func (r *Response) TextIn(encoding string) (string, error) {
	if r.Charset != "" {
		encoding = r.Charset
	}
	decoded, err := decode(r.Body, encoding)
	if err != nil {
		return "", err
	}
	return strings.ToValidUTF8(string(decoded), "\uFFFD"), nil
}

var xmlEncoding = regexp.MustCompile(`^\s*<\?xml[^>]{0,200}?\sencoding\s*=\s*["']([A-Za-z0-9._:-]{1,40})["']`)

// decode converts data to UTF-8 and removes a byte order mark. The error is for
// an encoding that nobody knows.
func decode(data []byte, label string) ([]byte, error) {
	switch {
	case bytes.HasPrefix(data, []byte("\xEF\xBB\xBF")):
		return data[3:], nil
	case bytes.HasPrefix(data, []byte("\xFE\xFF")), bytes.HasPrefix(data, []byte("\xFF\xFE")):
		return unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewDecoder().Bytes(data)
	}
	if order, ok := withoutMark(data, label); ok {
		return unicode.UTF16(order, unicode.IgnoreBOM).NewDecoder().Bytes(data)
	}
	if label == "" {
		if m := xmlEncoding.FindSubmatch(data[:min(len(data), 1024)]); m != nil {
			label = string(m[1])
		}
	}
	switch strings.ToLower(label) {
	case "", "utf-8", "utf8", "us-ascii", "utf-16", "utf-16le", "utf-16be":
		// A text in single bytes that calls itself UTF-16 is not.
		return data, nil
	}
	encoding, name := charset.Lookup(label)
	if encoding == nil { // ISO8859_1, as Java calls it
		encoding, name = charset.Lookup(strings.ReplaceAll(label, "_", "-"))
	}
	if encoding == nil || name == "replacement" {
		return nil, &unknownEncodingError{label}
	}
	return encoding.NewDecoder().Bytes(data)
}

// withoutMark tells the byte order of UTF-16 that has no mark. XML begins with <
// (XML 1.0, appendix F); other text has to be called UTF-16, and its first
// characters are taken to be ASCII.
func withoutMark(data []byte, label string) (order unicode.Endianness, ok bool) {
	label = strings.ToLower(label)
	if len(data) < 2 || data[0] != '<' && data[1] != '<' && !strings.HasPrefix(label, "utf-16") {
		return unicode.BigEndian, false
	}
	inPairs := bytes.IndexByte(data, 0) >= 0
	switch {
	case label == "utf-16be" && inPairs:
		return unicode.BigEndian, true
	case label == "utf-16le" && inPairs:
		return unicode.LittleEndian, true
	case data[0] == 0 && data[1] != 0:
		return unicode.BigEndian, true
	case data[0] != 0 && data[1] == 0:
		return unicode.LittleEndian, true
	}
	return unicode.BigEndian, false
}

type unknownEncodingError struct{ label string }

func (e *unknownEncodingError) Error() string {
	return "the character encoding " + e.label + " is unknown"
}
