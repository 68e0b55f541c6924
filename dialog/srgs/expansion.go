package srgs

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"ccxmld/dialog"
	"ccxmld/script"
)

// kind is what an expansion is (SRGS 1.0, 2).
type kind int

const (
	sequence kind = iota // of nothing: NULL
	key
	choice
	repeat
	reference
	void
	garbage
	tagged
)

// expansion is a rule expansion, of either form.
type expansion struct {
	kind    kind
	at      script.Position
	items   []*expansion // of a sequence; of a choice the heaviest first; what is repeated
	weights []float64    // of a choice
	keys    keySet

	// A repeat. most is -1 for no end; rarely is set where the end is more likely
	// than another one.
	least, most int
	rarely      bool

	// A reference.
	uri, mediaType string
	target         *rule

	tag *tag
}

// each visits an expansion and those in it.
func (e *expansion) each(visit func(*expansion)) {
	visit(e)
	for _, item := range e.items {
		item.each(visit)
	}
}

// sort puts the alternatives of a choice in the order in which they are tried.
// Weights matter to keys only where the same ones match two alternatives.
func (e *expansion) sort() {
	order := make([]int, len(e.items))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case e.weights[a] > e.weights[b]:
			return -1
		case e.weights[a] < e.weights[b]:
			return 1
		}
		return 0
	})
	sorted := make([]*expansion, len(order))
	for i, from := range order {
		sorted[i] = e.items[from]
	}
	e.items, e.weights = sorted, nil
}

// keySet is a set of keys: a bit for each of dialog.Digits, by its index.
type keySet uint16

const anyKey keySet = 1<<16 - 1

// keyOf gives the set of one key, or none.
func keyOf(digit byte) keySet {
	if digit >= 'a' && digit <= 'd' {
		digit -= 'a' - 'A'
	}
	if i := strings.IndexByte(dialog.Digits, digit); i >= 0 {
		return 1 << i
	}
	return 0
}

// keysOf reads a token of a DTMF grammar (SRGS 1.0, appendix E): a key, or star or
// pound. Several keys without a space between, and names such as dtmf-1, are no
// tokens there, but often written.
func keysOf(token string) (keys []keySet, lenient, ok bool) {
	name := strings.ToLower(token)
	if short, found := strings.CutPrefix(name, "dtmf-"); found && short != "" {
		name, lenient = short, true
	}
	switch name {
	case "star":
		return []keySet{keyOf('*')}, lenient, true
	case "pound":
		return []keySet{keyOf('#')}, lenient, true
	}
	for i := range len(name) {
		k := keyOf(name[i])
		if k == 0 {
			return nil, false, false
		}
		keys = append(keys, k)
	}
	return keys, lenient || len(keys) > 1, len(keys) > 0
}

// token adds the keys of a token to a sequence.
func (c *compilation) token(to *expansion, token string, at script.Position) {
	keys, lenient, ok := keysOf(token)
	if !ok {
		c.problem(at, "token", "%q is no key; expected 0 to 9, A to D, *, #, star or pound, with spaces between", shorten(token))
		return
	}
	if lenient {
		c.notice(at, "token", "%q is no token of DTMF grammars; it is read as its keys, one after the other", shorten(token))
	}
	for _, k := range keys {
		to.items = append(to.items, &expansion{kind: key, at: at, keys: k})
	}
}

func shorten(text string) string {
	if len(text) > 40 {
		return strings.ToValidUTF8(text[:40], "") + "…"
	}
	return text
}

var repeatSyntax = regexp.MustCompile(`^([0-9]{1,9})(?:(-)([0-9]{1,9})?)?$`)

// repeated reads how often an expansion comes: n, n-m or n- (SRGS 1.0, 2.5), and
// how likely it is that it comes again.
func repeated(item *expansion, times, probability string) (*expansion, error) {
	match := repeatSyntax.FindStringSubmatch(strings.Join(strings.Fields(times), ""))
	if match == nil {
		return nil, fmt.Errorf("repeat is %q; expected a number, or two such as 2-4, or 2- for no upper bound", shorten(times))
	}
	e := &expansion{kind: repeat, at: item.at, items: []*expansion{item}}
	e.least, _ = strconv.Atoi(match[1]) // a number by its syntax
	switch {
	case match[2] == "":
		e.most = e.least
	case match[3] == "":
		e.most = -1
	default:
		e.most, _ = strconv.Atoi(match[3])
	}
	if max(e.least, e.most) > mostRepeats {
		return nil, fmt.Errorf("repeat is %q; more than %d times is not supported, write 0- for no upper bound", shorten(times), mostRepeats)
	}
	if e.most >= 0 && e.most < e.least {
		return nil, fmt.Errorf("repeat is %q; the second number must not be less than the first", shorten(times))
	}
	if probability != "" {
		p, err := number(probability)
		if err != nil || p > 1 {
			return nil, fmt.Errorf("repeat-prob is %q; expected a number from 0.0 to 1.0", shorten(probability))
		}
		e.rarely = p < 0.5
	}
	return e, nil
}

var numberSyntax = regexp.MustCompile(`^(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)$`)

// number reads a weight or a probability: no sign, no exponent (SRGS 1.0, 2.4.1).
func number(text string) (float64, error) {
	text = strings.TrimSpace(text)
	if !numberSyntax.MatchString(text) {
		return 0, fmt.Errorf("%q is no number such as 2 or 0.5", shorten(text))
	}
	return strconv.ParseFloat(text, 64)
}
