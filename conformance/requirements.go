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

// ParseRequirements reads docs/ccxml-conformance.md or docs/vxml-assertions.md.
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

// Files of a suite with reasons: exceptionsFile for requirements that no document
// proves, failingFile for documents that are known to fail.
const (
	exceptionsFile = "exceptions.txt"
	failingFile    = "failing.txt"
)

// loadReasons reads lines of a name and the reason.
func loadReasons(suite fs.FS, file string) (map[string]string, error) {
	text, err := fs.ReadFile(suite, file)
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
			return nil, fmt.Errorf("%s: %s has no reason", file, id)
		}
		reasons[id] = strings.TrimSpace(reason)
	}
	return reasons, nil
}
