package doctor

import (
	"context"
	"fmt"
	"maps"
	"slices"
)

// documents loads each document that the configuration names.
func (x *examination) documents(ctx context.Context) {
	const about = "documents"
	named := make(map[string]bool)
	for _, route := range x.config.Documents.Routes {
		named[route.URI] = true
	}
	for _, token := range x.config.Tokens {
		named[token.URI] = true
	}
	if len(x.config.Documents.Routes) == 0 {
		x.warning(about, "routes", "documents.routes is empty: an incoming call is refused, unless the dialplan sets ccxml_uri",
			"name the document that answers under documents.routes")
	}
	for _, uri := range slices.Sorted(maps.Keys(named)) {
		if err := x.Document(ctx, uri); err != nil {
			x.problem(about, "document", fmt.Sprintf("%s does not load: %v", uri, err), "ccxmld check "+uri+" says more")
			continue
		}
		x.ok(about, "document", "%s loads", uri)
	}
}
