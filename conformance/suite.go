package conformance

import (
	"errors"
	"io/fs"
)

// Suite is a conformance suite: its documents, and what they are to prove.
type Suite struct {
	Documents    fs.FS
	Requirements []Section
	// Exceptions are the requirements that no document proves, with the reason.
	Exceptions map[string]string

	head string // of the report
}

// CCXML is the suite of testdata/conformance, whose list of requirements is
// docs/ccxml-conformance.md.
func CCXML(documents fs.FS, list string) (*Suite, error) {
	return newSuite(documents, list, ccxmlHead)
}

// VoiceXML is the suite of testdata/vxml, whose list of assertions is
// docs/vxml-assertions.md.
func VoiceXML(documents fs.FS, list string) (*Suite, error) {
	return newSuite(documents, list, vxmlHead)
}

func newSuite(documents fs.FS, list, head string) (*Suite, error) {
	exceptions, err := loadReasons(documents, exceptionsFile)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return &Suite{Documents: documents, Requirements: ParseRequirements(list), Exceptions: exceptions, head: head}, nil
}
