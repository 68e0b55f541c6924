package conf_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	yaml "go.yaml.in/yaml/v3"

	"ccxmld/conf"
)

// TestSchema: what can be used passes the schema, with each of its keys, and keys that are not
// there do not.
func TestSchema(t *testing.T) {
	text, err := conf.Schema()
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("ccxmld.json", parsed); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("ccxmld.json")
	if err != nil {
		t.Fatal(err)
	}
	valid := func(file string) error {
		t.Helper()
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var value any
		if err := yaml.Unmarshal(text, &value); err != nil {
			t.Fatal(err)
		}
		return schema.Validate(value)
	}
	good, err := filepath.Glob("testdata/*.good.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range append(good, "ccxmld.yaml") {
		if filepath.Base(file) == "nothing.good.yaml" || filepath.Base(file) == "empty.good.yaml" {
			continue // no object at all
		}
		if err := valid(file); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
	for _, name := range []string{"unknown-key", "unknown-here", "unknown-section", "unknown-key-in-list", "section-is-text", "tokens-are-list", "node-is-text", "route-without-uri"} {
		if err := valid("testdata/" + name + ".bad.yaml"); err == nil {
			t.Errorf("%s passes", name)
		}
	}
	for _, key := range conf.Keys() {
		last := key[strings.LastIndex(key, ".")+1:]
		if !bytes.Contains(text, []byte(`"`+last+`": {`)) {
			t.Errorf("%s is not in the schema", key)
		}
	}
}
