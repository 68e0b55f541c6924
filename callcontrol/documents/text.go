package documents

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"ccxmld/fetch"
	"ccxmld/interpreter"
)

// text is a document as it was fetched. It is kept for whoever takes over a session that
// runs it, since fetching it again may bring another one.
type text struct {
	URI     string
	Type    string `json:",omitempty"`
	Charset string `json:",omitempty"`
	Body    []byte
}

// sourceOf encodes the text of a document, and gives its hash.
func sourceOf(r *fetch.Response) (source []byte, hash string, err error) {
	source, err = json.Marshal(text{URI: r.URI, Type: r.ContentType, Charset: r.Charset, Body: r.Body})
	return source, interpreter.TextHash(source), err
}

// Source gets a text by its hash.
type Source func(hash string) ([]byte, error)

// FromTexts compiles a document again from its texts (interpreter.Document.Texts), without
// fetching anything but by source. Of a document that runs a VoiceXML page there is no
// text: its URI says all.
func (d *Loader) FromTexts(ctx context.Context, texts []interpreter.Text, source Source) (*interpreter.Document, error) {
	if len(texts) == 0 {
		return nil, errors.New("the texts of the document are not named")
	}
	own, version := texts[0], ""
	if page, is := PageOf(own.URI); is {
		return d.forPage(ctx, own.URI, page)
	}
	for _, one := range texts {
		version += " " + one.Hash
	}
	known, err := d.compiled.Make(ctx, "texts:"+own.URI, version, nil, func(ctx context.Context) (compiledDocument, int64, error) {
		encoded, err := source(own.Hash)
		if err != nil {
			return compiledDocument{}, 0, err
		}
		var t text
		if err := json.Unmarshal(encoded, &t); err != nil {
			return compiledDocument{}, 0, fmt.Errorf("the text of %s is damaged: %w", own.URI, err)
		}
		response := &fetch.Response{URI: t.URI, ContentType: t.Type, Charset: t.Charset, Body: t.Body}
		rest := texts[1:]
		return d.compileAnew(ctx, response, func(r interpreter.ScriptRequest) (string, string, scriptVersion, error) {
			if len(rest) == 0 {
				return "", "", scriptVersion{}, fmt.Errorf("the text of script %s is not among those of the document", r.Src)
			}
			next := rest[0]
			rest = rest[1:]
			script, err := source(next.Hash)
			return string(script), next.URI, scriptVersion{}, err
		})
	})
	return known.document, err
}

// Recompile gives again what a session had fetched: a document, or a script.
func (d *Loader) Recompile(ctx context.Context, texts []interpreter.Text, script bool, source Source) (result interpreter.FetchResult, err error) {
	if len(texts) == 0 {
		return result, errors.New("its text is not named")
	}
	result.URI = texts[0].URI
	if !script {
		result.Document, err = d.FromTexts(ctx, texts, source)
		return result, err
	}
	code, err := source(texts[0].Hash)
	if err == nil {
		result.Script, err = d.compiler.Until(ctx).CompileScript(string(code), result.URI)
	}
	return result, err
}
