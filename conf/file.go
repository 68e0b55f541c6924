package conf

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	yaml "go.yaml.in/yaml/v3"
)

// fileParser reads the YAML file for koanf. koanf's own YAML parser hands on
// values without lines, and values that YAML has already interpreted (a
// password 0123 becomes the number 83); this one hands on the nodes.
type fileParser struct {
	loader *loader
	name   string
}

// Unmarshal implements koanf.Parser. What is wrong with the text is added to
// the loader's problems, with its line; the error is always nil.
func (p fileParser) Unmarshal(text []byte) (map[string]any, error) {
	values := map[string]any{}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var doc yaml.Node
	if err := decoder.Decode(&doc); err != nil {
		if !errors.Is(err, io.EOF) { // an empty file sets nothing
			p.syntax(err)
		}
		return values, nil
	}
	if err := decoder.Decode(new(yaml.Node)); err == nil {
		p.problem(doc.Line, "", "more than one YAML document", "expected one, without --- lines between settings")
	}
	if alias := findAlias(&doc); alias != nil {
		p.problem(alias.Line, "", "an alias, *"+alias.Value, "expected the value itself")
		return values, nil
	}
	p.section("", doc.Content[0], values)
	return values, nil
}

// Marshal implements koanf.Parser; nothing here writes configurations.
func (p fileParser) Marshal(map[string]any) ([]byte, error) {
	return nil, errors.New("writing a configuration is not supported")
}

// section collects the settings of one level of the file.
func (p fileParser) section(prefix string, n *yaml.Node, into map[string]any) {
	if isNull(n) {
		return
	}
	name := strings.TrimSuffix(prefix, delimiter)
	if n.Kind != yaml.MappingNode {
		p.problem(n.Line, name, describe(n)+" where keys belong", "expected "+keysBelow(prefix))
		return
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		path := prefix + key.Value
		if line, twice := seen[key.Value]; twice {
			p.problem(key.Line, path, fmt.Sprintf("given twice, first in line %d", line), "expected once")
			continue
		}
		seen[key.Value] = key.Line
		switch {
		case isSetting(path) && !strings.Contains(key.Value, delimiter):
			if !isNull(value) {
				into[key.Value] = value
			}
		case isSection(path) && !strings.Contains(key.Value, delimiter):
			below := map[string]any{}
			p.section(path+delimiter, value, below)
			into[key.Value] = below
		case isSetting(path) || isSection(path):
			p.problem(key.Line, path, "a key with dots", "expected nested keys: "+nested(key.Value))
		default:
			p.problem(key.Line, path, "unknown key", misplacedKey(path, key.Value, prefix))
		}
	}
}

func (p fileParser) problem(line int, key, wrong, expected string) {
	p.loader.problems = append(p.loader.problems, Problem{
		Place: fmt.Sprintf("%s:%d", p.name, line), Key: key, Wrong: wrong, Expected: expected,
	})
}

var syntaxLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)

// syntax reports YAML that cannot be read at all.
func (p fileParser) syntax(err error) {
	line, wrong := 1, err.Error()
	if m := syntaxLine.FindStringSubmatch(wrong); m != nil {
		if n, convErr := strconv.Atoi(m[1]); convErr == nil {
			line = n
		}
		wrong = m[2]
	}
	p.problem(line, "", "not readable as YAML: "+wrong, "expected keys and values as in conf/ccxmld.yaml")
}

// findAlias returns the first alias below n. Aliases are not followed: they
// can make a small text endless, and no configuration needs them.
func findAlias(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n
	}
	for _, c := range n.Content {
		if alias := findAlias(c); alias != nil {
			return alias
		}
	}
	return nil
}

// describe names a node's kind in words.
func describe(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "keys and values"
	case yaml.SequenceNode:
		return "a list"
	default:
		return strconv.Quote(n.Value)
	}
}

// nested writes a dotted key as YAML's flow style.
func nested(dotted string) string {
	parts := strings.Split(dotted, delimiter)
	text := parts[len(parts)-1] + ": …"
	for i := len(parts) - 2; i >= 0; i-- {
		text = parts[i] + ": {" + text + "}"
	}
	return text
}
