package conformance

import (
	"fmt"
	"io/fs"
	"regexp"
	"strings"
)

// Section is a section of the list of requirements.
type Section struct {
	Title        string
	Requirements []Requirement
}

// Requirement is an item of the list.
type Requirement struct {
	ID   string
	Text string // its first words
}

var (
	sectionLine     = regexp.MustCompile(`^## (.+)$`)
	requirementLine = regexp.MustCompile(`^- \*\*([A-Z]+-[A-Z0-9]+)\*\* (.+)$`)
)

// ParseRequirements reads docs/ccxml-conformance.md.
func ParseRequirements(list string) (sections []Section) {
	for line := range strings.Lines(list) {
		line = strings.TrimSpace(line)
		if m := sectionLine.FindStringSubmatch(line); m != nil {
			sections = append(sections, Section{Title: m[1]})
		}
		if m := requirementLine.FindStringSubmatch(line); m != nil && len(sections) > 0 {
			last := &sections[len(sections)-1]
			last.Requirements = append(last.Requirements, Requirement{ID: m[1], Text: m[2]})
		}
	}
	return sections
}

// exceptionsFile lists the requirements that no document proves, with the reason.
const exceptionsFile = "exceptions.txt"

// LoadExceptions reads the requirements that are not implemented, or that no
// document can show, with the reason: lines of an id and the reason.
func LoadExceptions(suite fs.FS) (map[string]string, error) {
	text, err := fs.ReadFile(suite, exceptionsFile)
	if err != nil {
		return nil, err
	}
	reasons := make(map[string]string)
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		id, reason, _ := strings.Cut(line, " ")
		if strings.TrimSpace(reason) == "" {
			return nil, fmt.Errorf("%s: %s has no reason", exceptionsFile, id)
		}
		reasons[id] = strings.TrimSpace(reason)
	}
	return reasons, nil
}
