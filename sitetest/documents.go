package sitetest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"ccxmld/callcontrol"
	"ccxmld/switchsim"
)

// Document writes a document and gives its URI.
func (s *Site) Document(name, text string) string {
	s.Helper()
	path := filepath.Join(s.Dir, name)
	s.Must(os.WriteFile(path, []byte(text), 0o600))
	return "file://" + path
}

// Transitions makes a document of what stands in its eventprocessor, and of the names of
// its variables, with spaces between them.
func (s *Site) Transitions(name, text string, variables ...string) string {
	s.Helper()
	var declared strings.Builder
	for _, v := range strings.Fields(strings.Join(variables, " ")) {
		fmt.Fprintf(&declared, `<var name=%q/>`, v)
	}
	return s.Document(name, `<ccxml version="1.0" xmlns="http://www.w3.org/2002/09/ccxml">`+declared.String()+`<eventprocessor>`+text+`</eventprocessor></ccxml>`)
}

// Page writes a VoiceXML page of one form, and gives the URI of the document that runs
// it.
func (s *Site) Page(form string) string {
	s.Helper()
	return "vxml:" + s.Document("page.vxml", `<vxml version="2.1" xmlns="http://www.w3.org/2001/vxml">`+form+`</vxml>`)
}

// StartSession starts a session that has no call.
func (s *Site) StartSession(document string) {
	s.Helper()
	_, err := s.Daemon.Controller.Start(s.ctx, callcontrol.StartRequest{URI: document})
	s.Must(err)
}

// Dial makes a call come in, for a document.
func (s *Site) Dial(document string) *switchsim.Party {
	s.Helper()
	return s.DialFrom("", document)
}

// DialFrom makes a call come in from a number, for a document.
func (s *Site) DialFrom(number, document string) *switchsim.Party {
	s.Helper()
	caller, err := s.Switch.Dial(switchsim.Call{
		From: number, Sockets: []string{s.Daemon.ESLAddress()}, Variables: map[string]string{"ccxml_uri": document},
	})
	s.Must(err)
	return caller
}
