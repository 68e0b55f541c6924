package documents

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	"ccxmld/clock"
	"ccxmld/fetch"
	"ccxmld/interpreter"
	"ccxmld/processors"
)

// Loader gets and compiles CCXML documents. A compiled document is shared by
// all sessions that run the same version of it.
type Loader struct {
	// Processors shares them between documents that are compiled, and others; nil does not.
	Processors *processors.Gate

	intake   *fetch.Client // for calls and token starts
	client   *fetch.Client // for what documents ask for
	compiler *interpreter.Compiler
	log      *slog.Logger

	compiled *fetch.Versions[compiledDocument]
	scripts  *fetch.Versions[*interpreter.Script] // of <fetch>
}

type compiledDocument struct {
	document *interpreter.Document
	scripts  []scriptVersion // that are part of it
}

// scriptVersion is a script that a document names by src, as it was compiled in.
type scriptVersion struct {
	request fetch.Request
	version string
}

// maxCompiled bounds the bytes of documents that are kept; applications that make a
// URI per call would fill the memory otherwise.
const maxCompiled = 64 << 20

// New makes a loader: intake gets the documents of calls and token starts, client what
// documents ask for.
func New(intake, client *fetch.Client, compiler *interpreter.Compiler, c clock.Clock, log *slog.Logger) *Loader {
	return &Loader{
		intake: intake, client: client, compiler: compiler, log: log,
		compiled: fetch.NewVersions[compiledDocument](c, maxCompiled),
		scripts:  fetch.NewVersions[*interpreter.Script](c, maxCompiled),
	}
}

// ForCall gets the document of a call or token start.
func (d *Loader) ForCall(ctx context.Context, r fetch.Request) (*interpreter.Document, error) {
	return d.get(ctx, d.intake, r)
}

// ForChild gets the document of a session that another one creates. The URI is
// absolute.
func (d *Loader) ForChild(ctx context.Context, r interpreter.FetchRequest) (*interpreter.Document, error) {
	return d.get(ctx, d.client, fetchRequest(r, r.URI))
}

// get gets a document and compiles it, if it has changed since.
func (d *Loader) get(ctx context.Context, client *fetch.Client, r fetch.Request) (*interpreter.Document, error) {
	if page, is := PageOf(r.URI); is {
		return d.forPage(ctx, r.URI, page)
	}
	response, err := client.Fetch(ctx, r)
	if err != nil {
		return nil, err
	}
	return d.compile(ctx, client, response)
}

func (d *Loader) compile(ctx context.Context, client *fetch.Client, response *fetch.Response) (*interpreter.Document, error) {
	known, err := d.compiled.Make(ctx, response.URI, response.Version, func(known compiledDocument) bool {
		return d.unchanged(ctx, client, known.scripts)
	}, func(ctx context.Context) (compiledDocument, int64, error) {
		return d.compileAnew(ctx, response, func(r interpreter.ScriptRequest) (text, uri string, version scriptVersion, err error) {
			return fetchScript(ctx, client, r)
		})
	})
	var mistake *fetch.MistakeError
	if errors.As(err, &mistake) {
		d.log.Error("internal error", "during", "compiling", "document", response.URI, "panic", mistake.Panic, "stack", string(mistake.Stack))
	}
	if err != nil {
		return nil, err
	}
	d.supplement(response, known.document)
	return known.document, nil
}

// getScript gets a script that a document names: its text, where that came from, and the
// version.
type getScript func(interpreter.ScriptRequest) (text, uri string, version scriptVersion, err error)

// compileAnew compiles a document.
func (d *Loader) compileAnew(ctx context.Context, response *fetch.Response, get getScript) (compiled compiledDocument, bytes int64, err error) {
	account := d.Processors.Account()
	account.Begin()
	defer account.End()
	root, places, err := response.PlacedXML(fetch.XMLLimits{Account: account, Context: ctx})
	if err != nil {
		return compiled, 0, err
	}
	own, hash, err := sourceOf(response)
	if err != nil {
		return compiled, 0, err
	}
	size, sources := len(response.Body), [][]byte{own}
	document, err := d.compiler.Until(ctx).CompileSource(interpreter.Source{Root: root, URI: response.URI, Hash: hash, Places: places, Account: account, Load: func(r interpreter.ScriptRequest) (string, string, error) {
		if len(compiled.scripts) == mostScripts || size > mostScriptBytes {
			return "", "", fmt.Errorf("a document has at most %d scripts by src, of %d MiB together", mostScripts, mostScriptBytes>>20)
		}
		account.Pause()
		defer account.Resume()
		script, uri, version, err := get(r)
		if err != nil {
			return "", "", err
		}
		compiled.scripts = append(compiled.scripts, version)
		size += len(script)
		sources = append(sources, []byte(script))
		return script, uri, nil
	}})
	if err != nil {
		return compiled, 0, err
	}
	document.Sources = sources
	compiled.document = document
	d.tell(response, document)
	return compiled, fetch.CompiledBytes(size), nil
}

// fetchScript gets a script that a document names.
func fetchScript(ctx context.Context, client *fetch.Client, r interpreter.ScriptRequest) (text, from string, version scriptVersion, err error) {
	uri, err := fetch.Resolve(r.Base, r.Src)
	if err != nil {
		return "", "", version, err
	}
	request := fetch.Request{URI: uri, Timeout: r.Timeout, MaxAge: r.MaxAge, MaxStale: r.MaxStale}
	response, err := client.Fetch(ctx, request)
	if err != nil {
		return "", "", version, err
	}
	text, err = response.TextIn(r.Charset)
	return text, response.URI, scriptVersion{request, response.Version}, err
}

// Scripts that a document names by src are fetched and compiled with it, each time that it
// names them, and looked at again whenever the document is asked for.
const (
	mostScripts     = 200
	mostScriptBytes = 8 << 20
)

// tell logs what is to be said of a document that was loaded.
func (d *Loader) tell(response *fetch.Response, document *interpreter.Document) {
	if served := response.ContentType; served != ccxmlType && !strings.HasPrefix(response.URI, "file:") {
		d.log.Warn("document loaded with a notice", "document", response.URI,
			"notice", fmt.Sprintf("its server calls it %q; it is read as CCXML, whose type is %s", served, ccxmlType))
	}
	mistakes, moreMistakes := document.Mistakes.First()
	for _, mistake := range mistakes {
		d.log.Warn("document loaded with an expression that does not parse", "document", mistake.Position.String(), "mistake", mistake.Reason)
	}
	notices, moreNotices := document.Notices.First()
	for _, notice := range notices {
		d.log.Warn("document loaded with a notice", "document", notice.Position.String(), "notice", notice.Reason)
	}
	if more := moreMistakes + moreNotices; more > 0 {
		d.log.Warn("document loaded with more of the kind", "document", response.URI, "more", more, "do", "see them by ccxmld check")
	}
}

// supplement tells the cache what the document says of itself by <meta
// http-equiv> (DOC-6).
func (d *Loader) supplement(response *fetch.Response, document *interpreter.Document) {
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
func (d *Loader) unchanged(ctx context.Context, client *fetch.Client, scripts []scriptVersion) bool {
	for _, script := range scripts {
		response, err := client.Fetch(ctx, script.request)
		if err != nil || response.Version != script.version {
			return false
		}
	}
	return true
}

// Fetch does what <fetch> asks for.
func (d *Loader) Fetch(ctx context.Context, r interpreter.FetchRequest) interpreter.FetchResult {
	uri, err := fetch.Resolve(r.Base, r.URI)
	if err != nil {
		return interpreter.FetchResult{URI: r.URI, Err: err}
	}
	response, err := d.client.Fetch(ctx, fetchRequest(r, uri))
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

// fetchRequest is how a document that an element names is asked for.
func fetchRequest(r interpreter.FetchRequest, uri string) fetch.Request {
	request := fetch.Request{URI: uri, Method: r.Method, Enctype: r.Enctype, Timeout: r.Timeout, MaxAge: r.MaxAge, MaxStale: r.MaxStale}
	for _, p := range r.Parameters {
		request.Form = append(request.Form, fetch.Pair{Name: p.Name, Value: p.Value})
	}
	return request
}

// failedFetch is a fetch that brought an error, with what the server said.
func failedFetch(uri string, err error) interpreter.FetchResult {
	result := interpreter.FetchResult{URI: uri, Err: err}
	var failure *fetch.Error
	if errors.As(err, &failure) {
		result.Status, result.ContentType, result.Content = failure.Status, failure.ContentType, failure.Text()
	}
	return result
}

const ccxmlType = "application/ccxml+xml"

// process compiles what was fetched. What cannot be compiled is in the event as
// text (FET-9, FET-12).
func (d *Loader) process(ctx context.Context, r interpreter.FetchRequest, response *fetch.Response, result *interpreter.FetchResult) {
	switch kind := kindOf(r, response); {
	case strings.Contains(kind, "javascript"), strings.Contains(kind, "ecmascript"):
		result.Script, result.Err = d.script(ctx, response)
	case kind == ccxmlType, kind == "text/xml", kind == "application/xml":
		result.Document, result.Err = d.compile(ctx, d.client, response)
	default:
		result.Content = response.Text()
		return
	}
	if result.Err != nil {
		result.Content = response.Text()
	}
}

// script compiles a script, if it has changed since.
func (d *Loader) script(ctx context.Context, response *fetch.Response) (*interpreter.Script, error) {
	return d.scripts.Make(ctx, response.URI, response.Version, nil, func(ctx context.Context) (*interpreter.Script, int64, error) {
		text, err := response.TextIn("")
		if err != nil {
			return nil, 0, err
		}
		account := d.Processors.Account()
		account.Begin()
		defer account.End()
		account.TickFor(len(text))
		compiled, err := d.compiler.Until(ctx).CompileScript(text, response.URI)
		if err == nil {
			compiled.Source = []byte(text)
		}
		return compiled, fetch.CompiledBytes(len(response.Body)), err
	})
}

// kindOf is the media type by which content is processed: the server's, which
// wins over the document's (FET-3), unless it is one that servers give to
// whatever a script, page or folder of theirs brings.
func kindOf(r interpreter.FetchRequest, response *fetch.Response) string {
	switch response.ContentType {
	case "", "application/octet-stream", "text/plain", "text/html":
		return mediaType(r.Type)
	}
	return response.ContentType
}

func mediaType(contentType string) string {
	kind, _, _ := strings.Cut(contentType, ";")
	return strings.ToLower(strings.TrimSpace(kind))
}
