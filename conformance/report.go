package conformance

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Verdict is what is known of a requirement.
type Verdict string

// The verdicts.
const (
	Pass           Verdict = "pass"
	Fail           Verdict = "fail"
	ByGoTest       Verdict = "Go test" // proved by a test in Go, since no document can
	NotImplemented Verdict = "not implemented"
	NoTest         Verdict = "no test" // a mistake in the suite
)

// Item is a requirement in a report.
type Item struct {
	Requirement
	Verdict Verdict
	Reason  string // of a failure, or why it is not implemented
	Tests   []*Test
}

// Report is the result of a run, by requirement.
type Report struct {
	Sections []ReportSection
	Unknown  []string // ids that tests or exceptions name and the list does not have

	head string
}

// ReportSection is a section of the list with its items.
type ReportSection struct {
	Title string
	Items []Item
}

// NewReport sorts results by requirement. A requirement passes if all the tests
// that name it did.
func NewReport(suite *Suite, results []Result) *Report {
	exceptions := suite.Exceptions
	byID := make(map[string][]Result)
	for _, result := range results {
		for _, id := range result.Test.Requirements {
			byID[id] = append(byID[id], result)
		}
	}
	report := &Report{head: suite.head}
	known := make(map[string]bool)
	for _, section := range suite.Requirements {
		part := ReportSection{Title: section.Title}
		for _, requirement := range section.Requirements {
			known[requirement.ID] = true
			part.Items = append(part.Items, judge(requirement, byID[requirement.ID], exceptions[requirement.ID]))
		}
		if len(part.Items) > 0 {
			report.Sections = append(report.Sections, part)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(byID)) {
		if !known[id] {
			report.Unknown = append(report.Unknown, id)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(exceptions)) {
		if !known[id] {
			report.Unknown = append(report.Unknown, id)
		}
	}
	return report
}

// goTest begins the reason of a requirement that a test in Go proves.
const goTest = "go-test:"

func judge(r Requirement, results []Result, exception string) Item {
	item := Item{Requirement: r, Verdict: Pass, Reason: exception}
	var failures, known []string
	for _, result := range results {
		item.Tests = append(item.Tests, result.Test)
		switch {
		case result.Test.Failing != "":
			known = append(known, result.Test.Path+": "+result.Test.Failing)
		case result.Failure != "":
			failures = append(failures, result.Test.Path+": "+result.Failure)
		}
	}
	switch {
	case len(failures) > 0:
		item.Verdict, item.Reason = Fail, strings.Join(failures, "; ")
	case strings.HasPrefix(exception, goTest):
		item.Verdict, item.Reason = ByGoTest, strings.TrimSpace(strings.TrimPrefix(exception, goTest))
	case len(known) > 0:
		item.Verdict, item.Reason = NotImplemented, strings.Join(known, "; ")
	case exception != "":
		item.Verdict = NotImplemented
	case len(results) == 0:
		item.Verdict, item.Reason = NoTest, "no document of the suite names it"
	}
	return item
}

// Count gives how many requirements have a verdict.
func (r *Report) Count(v Verdict) (n int) {
	for _, section := range r.Sections {
		n += section.count(v)
	}
	return n
}

func (s ReportSection) count(v Verdict) (n int) {
	for _, item := range s.Items {
		if item.Verdict == v {
			n++
		}
	}
	return n
}

// Total gives how many requirements there are.
func (r *Report) Total() (n int) {
	for _, section := range r.Sections {
		n += len(section.Items)
	}
	return n
}

const ccxmlHead = `# Conformance

Made by ` + "`go test ./conformance -update`" + ` from a run of the suite; do not edit. A test fails when this page differs from what ran.

Each requirement of [the list](ccxml-conformance.md) is proved by documents of testdata/conformance that run by themselves, on the simulated switch in CI and unchanged on a real FreeSWITCH (` + "`make test-freeswitch`" + `). ` + "`ccxmld conformance`" + ` runs them for you. A document that touches a connection, bridge, conference or dialog is marked ☎.

`

const vxmlHead = `# Conformance of VoiceXML

Made by ` + "`go test ./conformance -update`" + ` from a run of the suite; do not edit. A test fails when this page differs from what ran.

Each assertion of [the list](vxml-assertions.md) is proved by pages of testdata/vxml, in the manner of the W3C's implementation reports for VoiceXML 2.0 and 2.1. A page runs by itself as a dialog of a call, on the simulated switch in CI and unchanged on a real FreeSWITCH, and says itself whether it has passed. ` + "`ccxmld conformance --vxml`" + ` runs them for you.

`

// Markdown gives the report as docs/conformance.md or docs/vxml-conformance.md has
// it.
func (r *Report) Markdown() string {
	var b strings.Builder
	b.WriteString(r.head)
	b.WriteString("| section | requirements | pass | by a Go test | fail | not implemented |\n| --- | --: | --: | --: | --: | --: |\n")
	for _, s := range r.Sections {
		fmt.Fprintf(&b, "| %s | %d | %d | %d | %d | %d |\n", s.Title, len(s.Items),
			s.count(Pass), s.count(ByGoTest), s.count(Fail)+s.count(NoTest), s.count(NotImplemented))
	}
	fmt.Fprintf(&b, "| **all** | **%d** | **%d** | **%d** | **%d** | **%d** |\n", r.Total(),
		r.Count(Pass), r.Count(ByGoTest), r.Count(Fail)+r.Count(NoTest), r.Count(NotImplemented))
	for _, s := range r.Sections {
		fmt.Fprintf(&b, "\n## %s\n\n| | verdict | proved by |\n| --- | --- | --- |\n", s.Title)
		for _, item := range s.Items {
			fmt.Fprintf(&b, "| %s | %s | %s |\n", item.ID, cell(item.verdictText()), cell(item.proof()))
		}
	}
	return b.String()
}

func (i Item) verdictText() string {
	if i.Reason == "" {
		return string(i.Verdict)
	}
	return string(i.Verdict) + ": " + i.Reason
}

func (i Item) proof() string {
	var parts []string
	for _, test := range i.Tests {
		text := fmt.Sprintf("%s (%s)", test.Title, test.Path)
		if test.Telephony && !test.Page {
			text += " ☎"
		}
		if test.Reading != "" {
			text += " *Reading taken: " + test.Reading + "*"
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, "<br>")
}

// cell makes text fit a cell of a table.
func cell(text string) string {
	return strings.NewReplacer("|", "\\|", "\n", " ", "<exit", "&lt;exit").Replace(text)
}
