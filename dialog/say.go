package dialog

import (
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// A source say:KIND/TEXT is read out by FreeSWITCH's say modules, from the sounds
// of a language: say:money/12.50?lang=en. See docs/dialogs.md.
const sayScheme = "say"

// sayKind is a way of reading: FreeSWITCH's type and method of say
// (switch_ivr_say.c), and what the text has to look like.
type sayKind struct {
	kind, method string
	text         *regexp.Regexp
	expected     string
	convert      func(string) (string, error) // nil: as it is
}

var (
	digitsOnly = regexp.MustCompile(`^\d{1,18}$`)
	amount     = regexp.MustCompile(`^-?\d{1,15}(\.\d{1,2})?$`)
	phone      = regexp.MustCompile(`^\+?[0-9*#]{1,32}$`)
	spelled    = regexp.MustCompile(`^[A-Za-z0-9@._+*#-]{1,64}$`)
	isoDate    = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}$`)
	isoTime    = regexp.MustCompile(`^\d{2}:\d{2}(:\d{2})?$`)
	anything   = regexp.MustCompile(`^[A-Za-z0-9@:/._+*#-]{1,128}$`)
	sayWord    = regexp.MustCompile(`^[A-Za-z_-]{1,32}$`)
)

// sayKindOf gives the way of reading by its name: one of our own, or TYPE/METHOD
// as FreeSWITCH names them.
func sayKindOf(name string) (sayKind, bool) {
	switch strings.ToLower(name) {
	case "number":
		return sayKind{"number", "pronounced", digitsOnly, "a whole number", nil}, true
	case "ordinal":
		return sayKind{"items", "counted", digitsOnly, "a whole number", nil}, true
	case "digits":
		return sayKind{"number", "iterated", digitsOnly, "digits", nil}, true
	case "money":
		return sayKind{"currency", "pronounced", amount, "an amount such as 12.50", nil}, true
	case "phone":
		return sayKind{"telephone_number", "pronounced", phone, "a telephone number", nil}, true
	case "spell":
		return sayKind{"name_spelled", "pronounced", spelled, "letters and digits", nil}, true
	case "phonetic":
		return sayKind{"name_phonetic", "pronounced", spelled, "letters and digits", nil}, true
	case "date":
		return sayKind{"current_date", "pronounced", isoDate, "a date such as 2026-11-21", noonOf}, true
	case "time":
		return sayKind{"current_time", "pronounced", isoTime, "a time such as 17:05", clockOf}, true
	}
	kind, method, both := strings.Cut(name, "/")
	if both && sayWord.MatchString(kind) && sayWord.MatchString(method) {
		return sayKind{kind, method, anything, "a text without spaces", nil}, true
	}
	return sayKind{}, false
}

// noonOf gives a day as say wants it, in seconds since 1970. Its noon is on that
// day in nearly every time zone that FreeSWITCH may live in.
func noonOf(text string) (string, error) {
	day, err := time.Parse(time.DateOnly, text)
	return fmt.Sprint(day.Add(12 * time.Hour).Unix()), err
}

// clockOf gives a time of day as say wants it: HH:MM:SS is taken as such.
func clockOf(text string) (string, error) {
	if len(text) == len("15:04") {
		text += ":00"
	}
	_, err := time.Parse(time.TimeOnly, text)
	return text, err
}

// sayArgument gives the argument of the say application (mod_dptools): module and
// language, type, method, perhaps a gender, and the text.
func sayArgument(source string) (string, error) {
	rest := source[len(sayScheme)+1:]
	rest, query, _ := strings.Cut(rest, "?")
	rest = strings.TrimPrefix(rest, "//")
	at := strings.LastIndex(rest, "/")
	if at < 0 {
		return "", fmt.Errorf("%q: expected say:KIND/TEXT, such as say:number/42", shorten(source))
	}
	name, text := rest[:at], unescape(rest[at+1:])
	kind, known := sayKindOf(name)
	if !known {
		return "", fmt.Errorf("%q is no way to say something; expected number, ordinal, digits, money, phone, spell, phonetic, date, time, or TYPE/METHOD of FreeSWITCH's say", name)
	}
	if !kind.text.MatchString(text) {
		return "", fmt.Errorf("%q cannot be said as %s; expected %s", shorten(text), name, kind.expected)
	}
	if kind.convert != nil {
		converted, err := kind.convert(text)
		if err != nil {
			return "", fmt.Errorf("%q cannot be said as %s: %w", text, name, err)
		}
		text = converted
	}
	words, err := sayOptions(query)
	if err != nil {
		return "", err
	}
	argument := words.language + " " + kind.kind + " " + kind.method
	if words.gender != "" {
		argument += " " + words.gender
	}
	return argument + " " + text, nil
}

type sayWords struct{ language, gender string }

func sayOptions(query string) (sayWords, error) {
	words := sayWords{language: "en"}
	options, err := url.ParseQuery(query)
	if err != nil {
		return words, fmt.Errorf("the query %q of say: cannot be read", query)
	}
	for _, name := range slices.Sorted(maps.Keys(options)) {
		value := options.Get(name)
		if !sayWord.MatchString(value) {
			return words, fmt.Errorf("say: %s is %q; expected a word", name, shorten(value))
		}
		switch name {
		case "lang":
			words.language = value
		case "gender":
			words.gender = value
		default:
			return words, fmt.Errorf("say: takes lang and gender, not %s", name)
		}
	}
	return words, nil
}

// shortestSaying is less than any word takes. FreeSWITCH's say, too, ends at once
// when it has said nothing.
const shortestSaying = 100 * time.Millisecond

// say reads something out from the sounds of a language.
func (c *Conversation) say(t *turn, p Prompt) {
	argument, err := sayArgument(p.Source)
	if err != nil {
		c.failed(t, p, err.Error())
		return
	}
	language, _, _ := strings.Cut(argument, " ")
	c.aloud(t, p, "say", argument, shortestSaying, func(done Completion) string {
		if done.Elapsed < 0 || done.Elapsed >= shortestSaying {
			return ""
		}
		return fmt.Sprintf("%s was not said: FreeSWITCH does not seem to have mod_say_%s, or the sounds of this language", p.Source, language)
	})
}
