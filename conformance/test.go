package conformance

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/antchfx/xmlquery"
)

// Test is a document of the suite, with what its <meta> elements say of it.
type Test struct {
	Path         string   // in the suite, such as sessions/loaded.ccxml
	Title        string   // what it shows
	Requirements []string // ids
	Incoming     bool     // a call starts it, rather than a request
	Caller       Caller   // of that call
	Reading      string   // where the specification leaves a choice: which was taken
	SIP          bool     // it needs a caller by SIP, which on FreeSWITCH only a phone is
	Telephony    bool     // it touches a connection, bridge, conference or dialog
	Page         bool     // a VoiceXML page, which a document of the runner starts as a dialog
	Party        string   // whom that document calls for the page, instead of a call that comes in
	Failing      string   // why it is known to fail, from failing.txt; "" if it is not
}

// partsFolder is the folder of a section with what its tests fetch: they are no
// tests themselves.
const partsFolder = "parts"

// pageSuffix is that of VoiceXML pages.
const pageSuffix = ".vxml"

// Load reads the suite: every document and page but those in folders called parts.
func Load(suite fs.FS) (tests []*Test, err error) {
	failing, err := loadReasons(suite, failingFile)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	err = fs.WalkDir(suite, ".", func(file string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && entry.Name() == partsFolder:
			return fs.SkipDir
		case entry.IsDir() || path.Ext(file) != ".ccxml" && path.Ext(file) != pageSuffix:
			return nil
		}
		test, err := load(suite, file)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		test.Failing = failing[file]
		delete(failing, file)
		tests = append(tests, test)
		return nil
	})
	if err != nil {
		return nil, err
	}
	for file := range failing {
		return nil, fmt.Errorf("%s: there is no %s", failingFile, file)
	}
	return tests, nil
}

// load reads a document of the suite.
func load(suite fs.FS, file string) (*Test, error) {
	text, err := fs.ReadFile(suite, file)
	if err != nil {
		return nil, err
	}
	return read(file, text)
}

// read reads what a document says of itself.
func read(file string, text []byte) (*Test, error) {
	root, err := xmlquery.Parse(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	t := &Test{Path: file}
	if path.Ext(file) == pageSuffix {
		t.Page, t.Incoming = true, true
	}
	for _, node := range xmlquery.Find(root, "/*/*[local-name()='meta']") {
		content := strings.TrimSpace(node.SelectAttr("content"))
		switch name := node.SelectAttr("name"); name {
		case "requirements":
			t.Requirements = strings.Fields(content)
		case "title":
			t.Title = content
		case "reading":
			t.Reading = content
		case "start":
			if content != "incoming" {
				return nil, fmt.Errorf("start is %q; expected incoming", content)
			}
			t.Incoming = true
		case "party":
			t.Party, t.Incoming = content, false
		case "caller-by":
			t.SIP = content == "sip"
		case "caller":
			if t.Caller.Steps, err = parseSteps(content); err != nil {
				return nil, err
			}
		case "caller-header":
			name, value, ok := strings.Cut(content, ": ")
			if !ok {
				return nil, fmt.Errorf("caller-header is %q; expected NAME: VALUE", content)
			}
			if t.Caller.Headers == nil {
				t.Caller.Headers = make(map[string]string)
			}
			t.Caller.Headers[name] = value
		}
	}
	if len(t.Requirements) == 0 || t.Title == "" {
		return nil, errors.New(`the document needs <meta name="requirements" content="IDS"/> and <meta name="title" content="WHAT IT SHOWS"/>`)
	}
	t.Telephony = t.Incoming || slices.ContainsFunc(telephonyElements, func(name string) bool {
		return xmlquery.FindOne(root, "//*[local-name()='"+name+"']") != nil
	})
	return t, nil
}

// telephonyElements are those by which a document reaches the switch.
var telephonyElements = []string{
	"accept", "createcall", "createconference", "destroyconference", "dialogprepare", "dialogstart", "disconnect",
	"join", "merge", "redirect", "reject", "unjoin",
}
