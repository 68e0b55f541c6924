package dialog

import (
	"context"
	"testing"

	"ccxmld/fetch"
)

// texts answers fetches with one version of a document after the other.
type texts []fetch.Response

func (t *texts) Fetch(_ context.Context, r fetch.Request) (*fetch.Response, error) {
	response := (*t)[0]
	*t, response.URI = (*t)[1:], r.URI
	return &response, nil
}

// TestTextsAreReadOnce: what is fetched to be spoken is read once for all dialogs, and
// anew when it has changed. The answers tell by their bodies which of them was read.
func TestTextsAreReadOnce(t *testing.T) {
	server := texts{
		{Version: "1", Reusable: true, Body: []byte("<speak>one</speak>")},
		{Version: "1", Reusable: true, Body: []byte("<speak>not read</speak>")},
		{Version: "1", Reusable: true, Body: []byte("<b>as text</b>")},
		{Version: "2", Reusable: true, Body: []byte("<speak>two</speak>")},
		{Version: "3", Body: []byte("<speak>mine</speak>")},
		{Version: "3", Body: []byte("<speak>yours</speak>")},
	}
	s := New(Options{Fetcher: &server})
	for _, want := range []struct {
		kind        kind
		text, plain string
	}{
		{ssml, "<speak>one</speak>", "one"},
		{ssml, "<speak>one</speak>", "one"},
		{plainText, "<b>as text</b>", ""},
		{ssml, "<speak>two</speak>", "two"},
		{ssml, "<speak>mine</speak>", "mine"},
		{ssml, "<speak>yours</speak>", "yours"},
	} {
		m := &media{kind: want.kind, source: source{uri: "http://host/a.xml"}}
		prompts, err := m.text(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		if p := prompts[0]; len(prompts) != 1 || p.Text != want.text || p.plain != want.plain || p.SSML != (want.kind == ssml) {
			t.Errorf("%+v, want %+v", prompts, want)
		}
	}
}
