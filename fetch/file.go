package fetch

import (
	"errors"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"
)

// readFile reads a local file. A file whose time and size are those of the stored
// one is not read again.
func (c *Client) readFile(p *prepared, key string, stored *entry) (*Response, *Error) {
	uri := p.url.String()
	if p.method != http.MethodGet {
		return nil, failure(uri, nil, "nothing can be posted to a file")
	}
	name := filepath.FromSlash(p.url.Path)
	info, err := os.Stat(name)
	if err != nil {
		return nil, fileFailure(uri, err)
	}
	if !info.Mode().IsRegular() {
		return nil, failure(uri, nil, "not a file")
	}
	if info.Size() > c.options.MaxBytes {
		return nil, failure(uri, nil, "larger than %s", sizeText(c.options.MaxBytes))
	}
	if stored != nil && stored.received.Equal(info.ModTime()) && int64(len(stored.response.Body)) == info.Size() {
		hit := *stored.response
		hit.FromCache = true
		return &hit, nil
	}
	body, err := readAtMost(name, c.options.MaxBytes)
	if err != nil {
		return nil, fileFailure(uri, err)
	}
	if int64(len(body)) > c.options.MaxBytes {
		return nil, failure(uri, nil, "larger than %s", sizeText(c.options.MaxBytes))
	}
	response := newResponse(uri, http.StatusOK, typeOf(p.url.Path), body)
	// A file that was written a moment ago may be written again without its time
	// changing.
	if key != "" && c.options.Clock.Now().Sub(info.ModTime()) > 2*time.Second {
		c.cache.put(&entry{key: key, response: response, received: info.ModTime()})
	}
	return response, nil
}

func readAtMost(name string, limit int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, limit+1))
}

func fileFailure(uri string, err error) *Error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return failure(uri, err, "there is no such file")
	case errors.Is(err, fs.ErrPermission):
		return failure(uri, err, "the file may not be read")
	}
	return failure(uri, err, "%v", err)
}

// typeOf returns the media type by the name of a file. The types of our field are
// given here, so that they do not depend on the machine.
func typeOf(name string) string {
	switch extension := strings.ToLower(path.Ext(name)); extension {
	case ".ccxml":
		return "application/ccxml+xml"
	case ".vxml":
		return "application/voicexml+xml"
	case ".ssml":
		return "application/ssml+xml"
	case ".js", ".es":
		return "text/ecmascript"
	case ".xml":
		return "application/xml"
	case ".wav":
		return "audio/wav"
	case ".txt":
		return "text/plain"
	default:
		return mime.TypeByExtension(extension)
	}
}
