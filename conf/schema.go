package conf

import (
	"encoding/json"
	"strings"
)

// schema is a part of a JSON Schema (2020-12), as far as a configuration has use for it.
type schema struct {
	Schema      string             `json:"$schema,omitempty"`
	Title       string             `json:"title,omitempty"`
	Type        any                `json:"type,omitempty"` // a word or several
	Description string             `json:"description,omitempty"`
	Default     any                `json:"default,omitempty"`
	Items       *schema            `json:"items,omitempty"`
	Properties  map[string]*schema `json:"properties,omitempty"`
	Additional  any                `json:"additionalProperties,omitempty"` // false, or a schema
	Required    []string           `json:"required,omitempty"`
}

// Schema is a JSON Schema of the configuration file, by which editors complete and check it. What
// values mean is checked by Load alone.
func Schema() ([]byte, error) {
	root := section()
	root.Schema, root.Title = "https://json-schema.org/draft/2020-12/schema", "ccxmld.yaml"
	for _, s := range settings {
		at, path := root, strings.Split(s.key, ".")
		for _, name := range path[:len(path)-1] {
			if at.Properties[name] == nil {
				at.Properties[name] = section()
			}
			at = at.Properties[name]
		}
		at.Properties[path[len(path)-1]] = s.schema()
	}
	return json.MarshalIndent(root, "", "  ")
}

// section is an object that has no other keys than are put into it.
func section() *schema {
	return &schema{Type: []string{"object", "null"}, Properties: make(map[string]*schema), Additional: false}
}

// schema is that of one setting.
func (s setting) schema() *schema {
	one := &schema{Description: s.help}
	if s.usual != "" {
		one.Default = s.usual
	}
	switch s.kind {
	case kindWord:
		one.Type = []string{"boolean", "null"}
		one.Default = s.usual == "true"
	case kindCount, kindSize, kindText:
		one.Type = []string{"string", "integer", "null"}
	case kindWords:
		one.Type, one.Items = []string{"array", "string", "null"}, &schema{Type: []string{"string", "integer"}}
	case kindList:
		one.Type, one.Items = []string{"array", "null"}, entryOf(s.key)
	case kindMap:
		one.Type, one.Additional = []string{"object", "null"}, entryOf(s.key)
	default:
		one.Type = []string{"string", "null"}
	}
	return one
}

// entryOf is an entry of a list or map.
func entryOf(key string) *schema {
	e := &schema{Type: "object", Properties: make(map[string]*schema), Additional: false}
	for _, name := range entryNames(key) {
		e.Properties[name] = &schema{Type: []string{"string", "integer", "number"}}
	}
	for _, name := range entryKeys[key] {
		if required, is := strings.CutSuffix(name, "!"); is {
			e.Required = append(e.Required, required)
		}
	}
	if key == "tokens" { // a document alone does as well
		e.Type = []string{"object", "string"}
	}
	return e
}

// entryNames are the keys that entries of a list or map may have.
func entryNames(key string) (names []string) {
	for _, name := range entryKeys[key] {
		names = append(names, strings.TrimSuffix(name, "!"))
	}
	return names
}

// entryKeys are the keys of entries of lists and maps; ! marks those that must be there.
var entryKeys = map[string][]string{
	"nodes":            {"name", "address", "password", "password_file", "weight", "sip"},
	"api.operators":    {"name!", "role!", "key", "key_file", "certificate"},
	"documents.routes": {"destination", "context", "uri!"},
	"dial.routes":      {"match!", "dial!", "callerid"},
	"tokens":           {"uri", "sessions", "rate"},
}
