package fetch

import (
	"bytes"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"
	"time"
)

// Pair is one name with its value of what a document submits.
type Pair struct {
	Name, Value string
	// File is set when Value is the content of a file with this name, and of the
	// ContentType. Only Multipart says so.
	File, ContentType string
}

// The ways to write pairs into the body of a POST (CCXML 1.0, enctype).
const (
	URLEncoded = "application/x-www-form-urlencoded"
	Multipart  = "multipart/form-data"
)

// Request is what to fetch and how.
type Request struct {
	// URI is absolute. What has no place in a URI is escaped.
	URI string
	// Method is GET, the default, or POST, in upper or lower case.
	Method string
	// Form is submitted in this order: GET appends it to the query, POST
	// sends it as the body in the Enctype, URLEncoded by default.
	Form    []Pair
	Enctype string
	// Body, of the media type ContentType, is sent by POST in place of a Form;
	// nil for none.
	Body        []byte
	ContentType string
	// Timeout bounds the whole fetch; 0 is that of the Client.
	Timeout time.Duration
	// MaxAge and MaxStale bound what may come from the cache (RFC 9111, section
	// 5.2.1): content no older than MaxAge, and content that has expired for no
	// longer than MaxStale. With MaxAge alone no stale content is taken.
	MaxAge, MaxStale *time.Duration
	// Accept is the header of this name; any type by default.
	Accept string
	// Cookies are sent, and those of the answer kept; nil for neither.
	Cookies *Cookies
	// Header is added to the request. A request with one does not use the cache.
	Header http.Header
}

// prepared is a request whose URI is parsed and whose form is written.
type prepared struct {
	Request
	url         *url.URL
	method      string
	body        []byte
	contentType string
}

func prepare(r Request) (*prepared, *Error) {
	u, err := parseURI(r.URI)
	if err != nil {
		return nil, failure(r.URI, err, "%v", err)
	}
	u.Fragment, u.RawFragment = "", ""
	p := &prepared{Request: r, url: u, method: strings.ToUpper(r.Method)}
	switch p.method {
	case "":
		p.method = http.MethodGet
		fallthrough
	case http.MethodGet:
		if len(r.Form) > 0 {
			if u.RawQuery != "" {
				u.RawQuery += "&"
			}
			u.RawQuery += encode(r.Form)
		}
	case http.MethodPost:
		if err := p.writeBody(); err != nil {
			return nil, failure(u.String(), err, "%v", err)
		}
	default:
		return nil, failure(u.String(), nil, "the method %q is not GET or POST", r.Method)
	}
	return p, nil
}

func (p *prepared) writeBody() error {
	if p.Body != nil {
		p.body, p.contentType = p.Body, p.ContentType
		return nil
	}
	switch strings.ToLower(strings.TrimSpace(p.Enctype)) {
	case "", URLEncoded:
		p.body, p.contentType = []byte(encode(p.Form)), URLEncoded
		return nil
	case Multipart:
		var b bytes.Buffer
		w := multipart.NewWriter(&b)
		for _, pair := range p.Form {
			if err := pair.write(w); err != nil {
				return err
			}
		}
		if err := w.Close(); err != nil {
			return err
		}
		p.body, p.contentType = b.Bytes(), w.FormDataContentType()
		return nil
	}
	return fmt.Errorf("the enctype %q is neither %s nor %s", p.Enctype, URLEncoded, Multipart)
}

// write adds the pair as a part (RFC 7578).
func (p *Pair) write(w *multipart.Writer) error {
	if p.File == "" {
		return w.WriteField(p.Name, p.Value)
	}
	part, err := w.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {multipart.FileContentDisposition(p.Name, p.File)},
		"Content-Type":        {p.ContentType},
	})
	if err == nil {
		_, err = io.WriteString(part, p.Value)
	}
	return err
}

// encode writes pairs in their order, which url.Values would lose.
func encode(form []Pair) string {
	var b strings.Builder
	for i, pair := range form {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(url.QueryEscape(pair.Name))
		b.WriteByte('=')
		b.WriteString(url.QueryEscape(pair.Value))
	}
	return b.String()
}
