package goja

import (
	"fmt"
	"strconv"
	"strings"
)

// The compilers of regular expressions descend into them, take time with the square of
// some and with what counted repetitions multiply to, and do not look at the interrupt.
const (
	longestRegexp  = 16 << 10 // bytes
	deepestRegexp  = 200      // groups in each other
	widestRegexp   = 16 << 10 // characters if each repetition that is counted is written out
	stepsToCompile = 16       // for each unit of a text to evaluate
	stepsOfRegexp  = 32       // for each unit of a regular expression, and each of those characters
)

// checkRegexp refuses what takes too long to compile.
func checkRegexp(pattern string) error {
	_, err := regexpWidth(pattern)
	return err
}

// newPattern compiles a regular expression of a running script, and counts the steps.
func (r *Runtime) newPattern(source String, flags string) *regexpPattern {
	r.step(int64(source.Length()))
	text := escapeInvalidUtf16(source)
	if width, err := regexpWidth(text); err == nil { // otherwise it is not compiled
		units := int64(max(width, len(text))) * stepsOfRegexp
		r.mayLast(units)
		r.step(units)
	}
	pattern, err := compileRegexp(text, flags)
	if err != nil {
		panic(r.newSyntaxError(err.Error()))
	}
	return pattern
}

// regexpWidth is how many characters a regular expression has if each repetition that is
// counted is written out. It fails for what takes too long to compile.
func regexpWidth(pattern string) (width int, err error) {
	if len(pattern) > longestRegexp {
		return 0, fmt.Errorf("Invalid regular expression: it is longer than %d bytes", longestRegexp)
	}
	widths := []int{0} // of the groups that are open, outermost first
	class, last := false, 0
	for i := 0; i < len(pattern); i++ { // bounded: one expression
		here, counted := len(widths)-1, false
		switch c := pattern[i]; {
		case class:
			if c == '\\' {
				i++
			}
			class = c != ']'
			continue
		case c == '(':
			if len(widths) > deepestRegexp {
				return 0, fmt.Errorf("Invalid regular expression: its groups are nested more than %d deep", deepestRegexp)
			}
			widths = append(widths, 0)
			continue
		case c == ')' && here > 0:
			last, widths, here = widths[here], widths[:here], here-1
		case c == '{':
			last *= repetitions(pattern[i+1:]) - 1 // more than there is
			counted = true
		case c == '\\':
			i++
			last = 1
		default:
			class = c == '['
			last = 1
		}
		if widths[here] += last; widths[here] > widestRegexp {
			return 0, fmt.Errorf("Invalid regular expression: its repetitions multiply to more than %d characters", widestRegexp)
		}
		if counted {
			last = 0
		}
	}
	for _, open := range widths[1:] { // bounded: one expression
		widths[0] += open
	}
	return widths[0], nil
}

// repetitions gives the larger number of a counted repetition, without its bracket, and
// 1 for what is none.
func repetitions(text string) int {
	inside, _, closed := strings.Cut(text, "}")
	least, most, _ := strings.Cut(inside, ",")
	if _, err := strconv.Atoi(least); !closed || err != nil && !isRangeErr(err) {
		return 1
	}
	n := 1
	for _, number := range []string{least, most} { // bounded: two
		if m, err := strconv.Atoi(number); err == nil || isRangeErr(err) {
			n = max(n, min(m, widestRegexp+1))
		}
	}
	return n
}
