package conf

import (
	"fmt"
	"sort"
	"strings"
)

// Problem is one thing that is wrong with the configuration.
type Problem struct {
	// Place is "file:line", an environment variable or a flag.
	Place string
	// Key is the setting, with the entry where it is in a list:
	// "nodes[0].address". It is empty where the file as a whole is wrong.
	Key string
	// Wrong says what is wrong, Expected what would be right.
	Wrong    string
	Expected string
}

// Error is "place: key: what is wrong; what is expected".
func (p Problem) Error() string {
	key := p.Key
	if key != "" {
		key += ": "
	}
	return fmt.Sprintf("%s: %s%s; %s", p.Place, key, p.Wrong, p.Expected)
}

// Problems are all that Load found, in the order in which they were found.
// errors.As finds them in Load's error.
type Problems []Problem

// Error is one problem a line.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// unknownKey says what to do about a name that is none of ours.
func unknownKey(name string, known []string) string {
	if near := nearest(name, known); near != "" {
		return "did you mean " + near + "?"
	}
	sorted := append([]string(nil), known...)
	sort.Strings(sorted)
	return "expected one of " + strings.Join(sorted, ", ")
}

// nearest is the known name with the fewest edits from name, or "" when all
// are too different to be meant: more than a third of the letters.
func nearest(name string, known []string) string {
	const longest = 64 // keeps the work bounded for absurd names
	if len(name) > longest {
		return ""
	}
	best, bestEdits := "", len(name)/3+1
	for _, k := range known {
		if e := edits(strings.ToLower(name), strings.ToLower(k)); e <= bestEdits && (best == "" || e < bestEdits) {
			best, bestEdits = k, e
		}
	}
	return best
}

// edits is the Damerau-Levenshtein distance with adjacent transpositions.
func edits(a, b string) int {
	var before, above []int
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, above, row = above, row, make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(above[j]+1, row[j-1]+1, above[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	return row[len(b)]
}
