package fetch

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"net/url"
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
	file, err := c.openFile(p.url)
	if err != nil {
		return nil, fileFailure(uri, err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, fileFailure(uri, err)
	}
	if !info.Mode().IsRegular() {
		return nil, failure(uri, nil, "not a file")
	}
	most := c.policy.rules().maxBytes
	if info.Size() > most {
		return nil, failure(uri, nil, "larger than %s", sizeText(most))
	}
	if stored != nil && stored.received.Equal(info.ModTime()) && int64(len(stored.response.Body)) == info.Size() {
		hit := *stored.response
		hit.FromCache = true
		return &hit, nil
	}
	body, err := io.ReadAll(io.LimitReader(file, most+1))
	if err != nil {
		return nil, fileFailure(uri, err)
	}
	if int64(len(body)) > most {
		return nil, failure(uri, nil, "larger than %s", sizeText(most))
	}
	response := newResponse(uri, http.StatusOK, typeOf(p.url.Path), body)
	response.Reusable = true
	// A file that was written a moment ago may be written again without its time
	// changing.
	if key != "" && c.options.Clock.Now().Sub(info.ModTime()) > 2*time.Second {
		c.cache.put(&entry{key: key, response: response, received: info.ModTime()})
	}
	return response, nil
}

// openFile opens a file that the policy allows. Pipes and devices are refused without
// being opened: that would wait.
func (c *Client) openFile(u *url.URL) (*os.File, error) {
	name := filepath.FromSlash(u.Path)
	if c.policy.rules().links {
		if info, err := os.Stat(name); err != nil || !info.Mode().IsRegular() {
			return nil, cmp.Or[error](err, errNoFile)
		}
		return os.Open(name)
	}
	folder, below, err := c.policy.place(name)
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	if info, err := root.Stat(below); err != nil || !info.Mode().IsRegular() {
		return nil, cmp.Or[error](err, errNoFile)
	}
	return root.Open(below)
}

var (
	errNoFile = errors.New("not a file")
	errLink   = fmt.Errorf("a symbolic link leads out of what documents.allow has; documents.links allows that: %w", ErrNotAllowed)
)

// place finds where a file is that may be behind symbolic links: an allowed folder, and
// the path below it. The error is errLink if the links lead out of all of them, and is
// that of the file system if there is no such file.
func (p *policy) place(name string) (folder, below string, err error) {
	real, err := filepath.EvalSymlinks(name)
	if err != nil {
		return "", "", err
	}
	for _, allowed := range p.rules().prefixes {
		if allowed.scheme != "file" {
			continue
		}
		// What the operator names may be a link itself.
		folder, err := filepath.EvalSymlinks(filepath.FromSlash(cmp.Or(allowed.path, "/")))
		if err != nil {
			continue
		}
		if folder == real { // a file that is named itself
			return filepath.Dir(real), filepath.Base(real), nil
		}
		if below, err := filepath.Rel(folder, real); err == nil && filepath.IsLocal(below) {
			return folder, below, nil
		}
	}
	return "", "", errLink
}

func fileFailure(uri string, err error) *Error {
	switch {
	case errors.Is(err, errNoFile):
		return failure(uri, nil, "not a file")
	case errors.Is(err, ErrNotAllowed):
		return failure(uri, ErrNotAllowed, "%v", err)
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
