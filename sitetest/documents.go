package sitetest

import (
	"os"
	"path/filepath"

	"ccxmld/switchsim"
)

// Document writes a document and gives its URI.
func (s *Site) Document(name, text string) string {
	s.Helper()
	path := filepath.Join(s.Dir, name)
	s.Must(os.WriteFile(path, []byte(text), 0o600))
	return "file://" + path
}

// Transitions makes a document of what stands in its eventprocessor.
func (s *Site) Transitions(name, text string) string {
	s.Helper()
	return s.Document(name, `<ccxml version="1.0" xmlns="http://www.w3.org/2002/09/ccxml"><eventprocessor>`+text+`</eventprocessor></ccxml>`)
}

// Page writes a VoiceXML page of one form, and gives the URI of the document that runs
// it.
func (s *Site) Page(form string) string {
	s.Helper()
	return "vxml:" + s.Document("page.vxml", `<vxml version="2.1" xmlns="http://www.w3.org/2001/vxml">`+form+`</vxml>`)
}

// Dial makes a call come in, for a document.
func (s *Site) Dial(document string) *switchsim.Party {
	s.Helper()
	caller, err := s.Switch.Dial(switchsim.Call{
		Sockets: []string{s.Daemon.ESLAddress()}, Variables: map[string]string{"ccxml_uri": document},
	})
	s.Must(err)
	return caller
}
