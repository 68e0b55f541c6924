package conf

import (
	"regexp"
	"slices"
	"strings"
)

// Documents says which document answers a call and what may be fetched.
type Documents struct {
	// Routes are tried in order; the first that matches counts.
	Routes []DocumentRoute
	// Allow is what the URIs of documents, scripts, dialogs and audio may begin
	// with: documents.allow or, where that is empty, the folders of the
	// configured documents; and dialog.sounds. Empty means nothing at all.
	Allow []string
	// Links says whether files may be symbolic links out of Allow.
	Links bool
}

// DocumentRoute is the document for some of the incoming calls.
type DocumentRoute struct {
	// Destination and Context match the dialled number and the dialplan context
	// as a whole.
	Destination *regexp.Regexp
	Context     *regexp.Regexp
	URI         string
}

// URI is the document of the first route for a dialled number in a dialplan
// context, and whether there is one.
func (d Documents) URI(destination, context string) (string, bool) {
	for _, r := range d.Routes {
		if r.Destination.MatchString(destination) && r.Context.MatchString(context) {
			return r.URI, true
		}
	}
	return "", false
}

func readDocumentRoutes(f field, c *Config) {
	for _, at := range f.list() {
		e, ok := at.entry(entryNames("documents.routes")...)
		if !ok {
			continue
		}
		route := DocumentRoute{Destination: anything, Context: anything}
		if destination, ok := e.keys["destination"]; ok {
			route.Destination, _ = destination.pattern()
		}
		if context, ok := e.keys["context"]; ok {
			route.Context, _ = context.pattern()
		}
		if uri, ok := e.required("uri", "the URI of the document that answers"); ok {
			route.URI, _ = uri.document()
		}
		c.Documents.Routes = append(c.Documents.Routes, route)
	}
}

var anything = regexp.MustCompile(`\A(?:.*)\z`)

func readDocumentAllow(f field, c *Config) {
	for _, entry := range f.list() {
		if prefix, ok := entry.prefix(); ok {
			c.Documents.Allow = append(c.Documents.Allow, prefix)
		}
	}
}

// configuredDocumentsAllowed sees to it that what the configuration names may
// also be fetched: without documents.allow by allowing the documents' folders,
// with it by refusing a document outside. dialog.sounds is the operator's own
// choice and always allowed.
func (l *loader) configuredDocumentsAllowed() {
	c := l.config
	given := len(c.Documents.Allow) > 0
	for _, d := range l.documents {
		switch {
		case !given:
			c.Documents.Allow = append(c.Documents.Allow, folder(d.uri))
		case !slices.ContainsFunc(c.Documents.Allow, func(p string) bool { return strings.HasPrefix(d.uri, p) }):
			l.problems = append(l.problems, Problem{
				Place: d.place, Key: d.path,
				Wrong:    d.uri + " begins with none of documents.allow",
				Expected: "expected a document that may be fetched, or another entry in documents.allow",
			})
		}
	}
	if c.Dialog.Sounds != "" {
		c.Documents.Allow = append(c.Documents.Allow, c.Dialog.Sounds)
	}
	slices.Sort(c.Documents.Allow)
	c.Documents.Allow = slices.Compact(c.Documents.Allow)
}

// namedDocument is a document, or page, that the configuration names.
type namedDocument struct{ path, place, uri string }

// voiceXMLScheme before the URI of a VoiceXML page stands for the document of
// ccxmld that runs it.
const voiceXMLScheme = "vxml:"

// document reads a document's URI and remembers what is fetched for it, which may
// be a page, for the check against documents.allow.
func (f field) document() (string, bool) {
	text, ok := f.text(expectedURI)
	if !ok {
		return "", false
	}
	page, isPage := strings.CutPrefix(text, voiceXMLScheme)
	uri, ok := f.uriOf(page)
	if !ok {
		return "", false
	}
	f.loader.documents = append(f.loader.documents, namedDocument{f.path, f.place(f.node), uri})
	if isPage {
		uri = voiceXMLScheme + uri
	}
	return uri, true
}

// folder is a URI up to the last slash of its path; a host alone gets one.
func folder(uri string) string {
	uri, _, _ = strings.Cut(uri, "#")
	uri, _, _ = strings.Cut(uri, "?")
	scheme, rest, _ := strings.Cut(uri, "://")
	if slash := strings.LastIndexByte(rest, '/'); slash >= 0 {
		return scheme + "://" + rest[:slash+1]
	}
	return uri + "/"
}
