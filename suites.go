// Package ccxmld holds what belongs to the project as a whole: the conformance
// suite and the list of requirements that it proves.
package ccxmld

import "embed"

// Conformance is the conformance suite, by the paths of its documents below this
// folder; testdata/conformance/README.md says how they are written.
//
//go:embed testdata/conformance
var Conformance embed.FS

// Requirements is the list of what the language asks, docs/ccxml-conformance.md.
//
//go:embed docs/ccxml-conformance.md
var Requirements string
