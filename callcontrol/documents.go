package callcontrol

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"

	"ccxmld/fetch"
	"ccxmld/interpreter"
)

// documents gets and compiles CCXML documents. A compiled document is shared by
// all sessions that run the same version of it.
type documents struct {
	client   *fetch.Client
	compiler *interpreter.Compiler
	log      *slog.Logger

	mu       sync.Mutex
	compiled map[string]compiledDocument // by URI
}

type compiledDocument struct {
	version  string
	document *interpreter.Document
	scripts  []scriptVersion // that are part of it
}

// scriptVersion is a script that a document names by src, as it was compiled in.
type scriptVersion struct{ uri, version string }

// maxCompiled bounds how many documents are kept; applications that make a URI
// per call would fill the memory otherwise.
const maxCompiled = 1000

func newDocuments(client *fetch.Client, compiler *interpreter.Compiler, log *slog.Logger) *documents {
	return &documents{client: client, compiler: compiler, log: log, compiled: make(map[string]compiledDocument)}
}

// get gets a document and compiles it, if it has changed since.
func (d *documents) get(ctx context.Context, r fetch.Request) (*interpreter.Document, error) {
	response, err := d.client.Fetch(ctx, r)
	if err != nil {
		return nil, err
	}
	return d.compile(ctx, response)
}

func (d *documents) compile(ctx context.Context, response *fetch.Response) (*interpreter.Document, error) {
	d.mu.Lock()
	known, ok := d.compiled[response.URI]
	d.mu.Unlock()
	if ok && known.version == response.Version && d.unchanged(ctx, known.scripts) {
		d.supplement(response, known.document)
		return known.document, nil
	}
	root, err := response.XML(fetch.XMLLimits{})
	if err != nil {
		return nil, err
	}
	var scripts []scriptVersion
	document, err := d.compiler.Compile(root, response.URI, func(base, src string) (string, string, error) {
		script, err := d.client.Reference(ctx, base, src)
		if err != nil {
			return "", "", err
		}
		scripts = append(scripts, scriptVersion{script.URI, script.Version})
		return script.Text(), script.URI, nil
	})
	if err != nil {
		return nil, err
	}
	for _, notice := range document.Notices {
		d.log.Warn("document loaded with a notice", "document", notice.Position.String(), "notice", notice.Reason)
	}
	d.keep(response.URI, compiledDocument{response.Version, document, scripts})
	d.supplement(response, document)
	return document, nil
}

// supplement tells the cache what the document says of itself by <meta
// http-equiv> (DOC-6).
func (d *documents) supplement(response *fetch.Response, document *interpreter.Document) {
	if len(document.HTTPEquiv) == 0 {
		return
	}
	header := make(http.Header)
	for _, pair := range document.HTTPEquiv {
		header.Add(pair.Name, pair.Value)
	}
	d.client.Supplement(response, header)
}

// unchanged tells whether scripts are still what was compiled in. What cannot be
// had any more is for compiling to report.
func (d *documents) unchanged(ctx context.Context, scripts []scriptVersion) bool {
	for _, script := range scripts {
		response, err := d.client.Fetch(ctx, fetch.Request{URI: script.uri})
		if err != nil || response.Version != script.version {
			return false
		}
	}
	return true
}

func (d *documents) keep(uri string, document compiledDocument) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.compiled) >= maxCompiled {
		for old := range d.compiled { // any one
			delete(d.compiled, old)
			break
		}
	}
	d.compiled[uri] = document
}

// fetch does what <fetch> asks for.
func (d *documents) fetch(ctx context.Context, r interpreter.FetchRequest) interpreter.FetchResult {
	uri, err := fetch.Resolve(r.Base, r.URI)
	if err != nil {
		return interpreter.FetchResult{URI: r.URI, Err: err}
	}
	request := fetch.Request{URI: uri, Method: r.Method, Enctype: r.Enctype, Timeout: r.Timeout, MaxAge: r.MaxAge, MaxStale: r.MaxStale}
	for _, p := range r.Parameters {
		request.Form = append(request.Form, fetch.Pair(p))
	}
	response, err := d.client.Fetch(ctx, request)
	if err != nil {
		return failedFetch(uri, err)
	}
	result := interpreter.FetchResult{URI: response.URI, Status: response.Status, ContentType: response.ContentType}
	if r.Mode == "text" {
		result.Content = response.Text()
		return result
	}
	d.process(ctx, r, response, &result)
	return result
}

// failedFetch is a fetch that brought an error, with what the server said.
func failedFetch(uri string, err error) interpreter.FetchResult {
	result := interpreter.FetchResult{URI: uri, Err: err}
	var failure *fetch.Error
	if errors.As(err, &failure) {
		result.Status, result.ContentType, result.Content = failure.Status, failure.ContentType, string(failure.Body)
	}
	return result
}

// process compiles what was fetched, by the type that the server gave, else by
// the one that the document expects (FET-3, FET-9, FET-10).
func (d *documents) process(ctx context.Context, r interpreter.FetchRequest, response *fetch.Response, result *interpreter.FetchResult) {
	kind := response.ContentType
	if kind == "" || kind == "application/octet-stream" || kind == "text/plain" || kind == "text/html" {
		kind = mediaType(r.Type)
	}
	switch {
	case strings.Contains(kind, "javascript"), strings.Contains(kind, "ecmascript"):
		result.Script, result.Err = d.compiler.CompileScript(response.Text(), response.URI)
	case strings.HasSuffix(kind, "xml"):
		result.Document, result.Err = d.compile(ctx, response)
	default:
		result.Content = response.Text()
	}
}

func mediaType(contentType string) string {
	kind, _, _ := strings.Cut(contentType, ";")
	return strings.ToLower(strings.TrimSpace(kind))
}
