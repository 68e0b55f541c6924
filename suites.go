// Package ccxmld holds what belongs to the project as a whole: the conformance
// suites and the lists of requirements that they prove.
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

// VoiceXML is the conformance suite of VoiceXML, by the paths of its pages below
// this folder; testdata/vxml/README.md says how they are written.
//
//go:embed testdata/vxml
var VoiceXML embed.FS

// Assertions is the list of what VoiceXML asks, docs/vxml-assertions.md.
//
//go:embed docs/vxml-assertions.md
var Assertions string
