// Package examples holds the documents of the example applications, for the demo.
package examples

import "embed"

// Files are the documents, by their paths below this folder.
//
//go:embed outbound-calls-with-tokens conference/*.ccxml conference/*.vxml
var Files embed.FS
