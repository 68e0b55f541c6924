package conf_test

import (
	"encoding/xml"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ccxmld/conf"
)

// TestShippedFreeSWITCHFiles: they are well-formed, keep preprocessor
// directives out of comments (FreeSWITCH carries them out there, too), and
// agree with ccxmld's defaults.
func TestShippedFreeSWITCHFiles(t *testing.T) {
	c := load(t, conf.Source{})
	var all strings.Builder
	err := filepath.WalkDir("freeswitch", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".xml" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		all.Write(text)
		for d := xml.NewDecoder(strings.NewReader(string(text))); ; {
			token, err := d.Token()
			if errors.Is(err, io.EOF) {
				return nil
			} else if err != nil {
				t.Errorf("%s: %v", path, err)
				return nil
			}
			if comment, ok := token.(xml.Comment); ok && strings.Contains(string(comment), "X-PRE-PROCESS") {
				t.Errorf("%s: X-PRE-PROCESS in a comment", path)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`<profile name="` + c.Conference.Profile + `">`,
		`<action application="socket" data="` + c.ESL.Listen + ` async full"/>`,
		`<param name="listen-port" value="8021"/>`, // the default of a node's address
	} {
		if !strings.Contains(all.String(), want) {
			t.Errorf("no file has %s", want)
		}
	}
}
