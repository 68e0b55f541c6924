package srgs

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"ccxmld/dialog"
	"ccxmld/script"
)

// longestDigits is how many digits the builtin grammar digits may ask for.
const longestDigits = 100

// Builtin gives a builtin grammar (VoiceXML 2.0, appendix P) by the type of a field,
// such as digits?minlength=4;maxlength=6, or by its URI, such as
// builtin:dtmf/boolean?y=7. Parameters that a grammar does not have are ignored.
// What keys cannot say is left out: the digits of a time never end in a or p. The
// error is ErrSpeech for builtin:voice and the like.
func Builtin(reference string) (Grammar, error) {
	name := strings.TrimSpace(reference)
	if rest, isURI := strings.CutPrefix(name, "builtin:"); isURI {
		kind, rest, found := strings.Cut(rest, "/")
		switch {
		case kind == "voice" || kind == "speech":
			return nil, ErrSpeech
		case !found || kind != "dtmf" && kind != "grammar":
			return nil, fmt.Errorf("%w %q; expected builtin:dtmf/NAME or builtin:grammar/NAME", ErrNoBuiltin, shorten(reference))
		}
		name = rest
	}
	name, query, _ := strings.Cut(name, "?")
	p := parametersOf(query)
	switch name = strings.TrimSpace(name); name {
	case "boolean":
		return newBoolean(p)
	case "date":
		return date{}, nil
	case "digits":
		return newDigits(p)
	case "currency":
		return decimal{places: 2}, nil
	case "number":
		return decimal{places: longestInput}, nil
	case "phone":
		return phone{}, nil
	case "time":
		return clock{}, nil
	}
	return nil, fmt.Errorf("%w %q; there are boolean, currency, date, digits, number, phone and time", ErrNoBuiltin, shorten(name))
}

// ErrNoBuiltin is wrapped by the error for a builtin grammar that is not there.
var ErrNoBuiltin = errors.New("there is no builtin grammar")

// parameters are those of a builtin grammar, as they are written.
type parameters map[string]string

func parametersOf(query string) parameters {
	p := make(parameters)
	for parameter := range strings.FieldsFuncSeq(query, func(r rune) bool { return r == ';' || r == '&' }) {
		if decoded, err := url.PathUnescape(parameter); err == nil {
			parameter = decoded
		}
		name, value, _ := strings.Cut(parameter, "=")
		p[strings.TrimSpace(name)] = strings.TrimSpace(value)
	}
	return p
}

func (p parameters) length(name string, standard int) (int, error) {
	value, given := p[name]
	if !given {
		return standard, nil
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < 1 || n > longestDigits {
		return 0, fmt.Errorf("%q: expected a number from 1 to %d", name+"="+value, longestDigits)
	}
	return n, nil
}

// boolean is one key for yes and one for no.
type boolean struct{ yes, no string }

func newBoolean(p parameters) (Grammar, error) {
	g := boolean{"1", "2"}
	for name, key := range map[string]*string{"y": &g.yes, "n": &g.no} {
		value, given := p[name]
		if !given {
			continue
		}
		if keys, _, ok := keysOf(value); !ok || len(keys) != 1 {
			return nil, fmt.Errorf("%q: expected a key, 0 to 9, *, # or A to D", name+"="+value)
		}
		*key = strings.ToUpper(value)
	}
	if g.yes == g.no {
		return nil, fmt.Errorf("%q is the key for both yes and no; give y and n different ones", g.yes)
	}
	return g, nil
}

func (g boolean) Match(digits string) dialog.Match {
	switch digits {
	case "":
		return dialog.Partial
	case g.yes, g.no:
		return dialog.Complete
	}
	return dialog.NoMatch
}

// Interpret gives true or false.
func (g boolean) Interpret(digits string, _ script.Limits) (any, error) {
	return digits == g.yes, matched(g, digits)
}

// matched is the error for digits that are not in a grammar.
func matched(g dialog.Grammar, digits string) error {
	if m := g.Match(digits); m != dialog.Matched && m != dialog.Complete {
		return errNoMatch
	}
	return nil
}

// digits is a number of digits between two bounds.
type digits struct {
	least, most int // most 0: any number
}

// newDigits reads minlength, maxlength and length. What contradicts itself is an
// error (VoiceXML 2.0, appendix P).
func newDigits(p parameters) (Grammar, error) {
	least, err := p.length("minlength", 1)
	if err != nil {
		return nil, err
	}
	most, err := p.length("maxlength", 0)
	if err != nil {
		return nil, err
	}
	length, err := p.length("length", 0)
	switch {
	case err != nil:
		return nil, err
	case length > 0 && (most > 0 && most < length || least > length):
		return nil, fmt.Errorf("length contradicts minlength or maxlength")
	case length > 0:
		return digits{length, length}, nil
	case most > 0 && least > most:
		return nil, fmt.Errorf("minlength is greater than maxlength")
	}
	return digits{least, most}, nil
}

func (g digits) Match(input string) dialog.Match {
	switch n := len(input); {
	case !isDigits(input), g.most > 0 && n > g.most:
		return dialog.NoMatch
	case n < g.least:
		return dialog.Partial
	case n == g.most:
		return dialog.Complete
	}
	return dialog.Matched
}

// Interpret gives the digits.
func (g digits) Interpret(input string, _ script.Limits) (any, error) {
	return input, matched(g, input)
}

func isDigits(input string) bool { return strings.Trim(input, "0123456789") == "" }

// date is a day as yyyymmdd, which must be one of the calendar.
type date struct{}

func (date) Match(input string) dialog.Match {
	// What is not there yet is taken from days that any such date could be.
	const some = "00000101"
	if len(input) > len(some) || !isDigits(input) {
		return dialog.NoMatch
	}
	for _, rest := range []string{some, "00000110"} {
		if _, err := time.Parse("20060102", input+rest[len(input):]); err == nil {
			if len(input) == len(some) {
				return dialog.Complete
			}
			return dialog.Partial
		}
	}
	return dialog.NoMatch
}

// Interpret gives yyyymmdd.
func (g date) Interpret(input string, _ script.Limits) (any, error) { return input, matched(g, input) }

// clock is a time as hhmm.
type clock struct{}

func (clock) Match(input string) dialog.Match {
	const some = "0000"
	if len(input) > len(some) || !isDigits(input) {
		return dialog.NoMatch
	}
	if _, err := time.Parse("1504", input+some[len(input):]); err != nil {
		return dialog.NoMatch
	}
	if len(input) == len(some) {
		return dialog.Complete
	}
	return dialog.Partial
}

// Interpret gives hhmmh, or hhmm? where it might be morning or afternoon.
func (g clock) Interpret(input string, _ script.Limits) (any, error) {
	if err := matched(g, input); err != nil {
		return nil, err
	}
	if hour := input[:2]; hour == "00" || hour > "12" {
		return input + "h", nil
	}
	return input + "?", nil
}

// decimal is a number, or an amount of money, with * for the point.
type decimal struct{ places int }

func (g decimal) Match(input string) dialog.Match {
	whole, fraction, point := strings.Cut(input, "*")
	switch {
	case !isDigits(whole) || !isDigits(fraction) || len(fraction) > g.places:
		return dialog.NoMatch
	case input == "" || point && fraction == "":
		return dialog.Partial
	case point && len(fraction) == g.places:
		return dialog.Complete
	}
	return dialog.Matched
}

// Interpret gives the number with a point; an amount of money has two places, and
// no currency, which keys cannot say.
func (g decimal) Interpret(input string, _ script.Limits) (any, error) {
	if err := matched(g, input); err != nil {
		return nil, err
	}
	whole, fraction, point := strings.Cut(input, "*")
	if g.places == 2 {
		if whole == "" {
			whole = "0"
		}
		return whole + "." + (fraction + "00")[:2], nil
	}
	if !point {
		return whole, nil
	}
	return whole + "." + fraction, nil
}

// phone is a telephone number, with * before an extension.
type phone struct{}

func (phone) Match(input string) dialog.Match {
	number, extension, extended := strings.Cut(input, "*")
	switch {
	case !isDigits(number) || !isDigits(extension) || extended && number == "":
		return dialog.NoMatch
	case number == "" || extended && extension == "":
		return dialog.Partial
	}
	return dialog.Matched
}

// Interpret gives the number with x for the *.
func (g phone) Interpret(input string, _ script.Limits) (any, error) {
	return strings.Replace(input, "*", "x", 1), matched(g, input)
}

// keys is one sequence of keys.
type keys struct {
	digits string
	value  any
}

// Keys gives the grammar of one sequence of keys, as the attribute dtmf of choices,
// options and links has it (VoiceXML 2.0, 2.2); spaces do not matter. It means
// value, or the digits if that is nil.
func Keys(dtmf string, value any) (Grammar, error) {
	g := keys{strings.ToUpper(strings.Join(strings.Fields(dtmf), "")), value}
	for i := range len(g.digits) {
		if keyOf(g.digits[i]) == 0 {
			return nil, fmt.Errorf("%q: expected keys, 0 to 9, *, # or A to D", shorten(dtmf))
		}
	}
	if g.digits == "" || len(g.digits) > longestInput {
		return nil, fmt.Errorf("%q: expected keys, at most %d", shorten(dtmf), longestInput)
	}
	if value == nil {
		g.value = g.digits
	}
	return g, nil
}

func (g keys) Match(input string) dialog.Match {
	switch {
	case input == g.digits:
		return dialog.Complete
	case strings.HasPrefix(g.digits, input):
		return dialog.Partial
	}
	return dialog.NoMatch
}

func (g keys) Interpret(input string, _ script.Limits) (any, error) {
	return g.value, matched(g, input)
}
