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
// agree with ccxmld's defaults; its README names each.
func TestShippedFreeSWITCHFiles(t *testing.T) {
	c := load(t, conf.Source{})
	readme, err := os.ReadFile("freeswitch/README.md")
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	err = filepath.WalkDir("freeswitch", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".xml" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		all.Write(text)
		if name, _ := filepath.Rel("freeswitch", path); !strings.Contains(string(readme), "`"+filepath.ToSlash(name)+"`") {
			t.Errorf("conf/freeswitch/README.md does not say where %s goes", name)
		}
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
