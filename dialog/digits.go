package dialog

import (
	"encoding/base64"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// Digits are those that a telephone has.
const Digits = "0123456789*#ABCD"

// maxDigits bounds how many digits one turn takes, and how many are kept that
// were pressed before anybody listens.
const maxDigits = 100

// Match says what digits are to a Grammar.
type Match int

const (
	// NoMatch: no digits that begin so are in the grammar.
	NoMatch Match = iota
	// Partial: more digits are needed.
	Partial
	// Matched: the digits are in the grammar, and so are longer ones that begin
	// with them.
	Matched
	// Complete: the digits are in the grammar, and no longer ones are.
	Complete
)

// Grammar is a set of digit strings. It is immutable, and Match is quick.
type Grammar interface {
	Match(digits string) Match
}

// upTo is the grammar of any digits, at most so many; 0 for any number.
type upTo int

// Match implements Grammar.
func (n upTo) Match(digits string) Match {
	switch {
	case n == 0 || len(digits) < int(n):
		return Matched
	case len(digits) == int(n):
		return Complete
	}
	return NoMatch
}

// Listen says which digits a Turn waits for.
type Listen struct {
	Grammar Grammar
	// TermDigits are digits of which each ends the input.
	TermDigits string
	// GrammarFirst lets a term digit be input where the grammar goes on with it.
	GrammarFirst bool
	// Deaf throws digits away: what is awaited is the end of First.
	Deaf bool
	// Speech is what may be said in their place; nil for nothing. With OnlySpeech there
	// are no digits to wait for.
	Speech     *Speech
	OnlySpeech bool
	// First, Inter and Term bound the wait for the first digit, for the next
	// one, and for a term digit once the grammar is complete. Max bounds it all.
	// The wait begins when the prompts have ended. 0: for First and Max no
	// bound, for Inter 3 s, for Term no wait.
	First, Inter, Term, Max time.Duration
}

// defaultInterDigit is how long the next digit may take where nothing is said
// about it, as FreeSWITCH's own applications have it.
const defaultInterDigit = 3 * time.Second

func (l *Listen) inter() time.Duration {
	if l.Inter <= 0 {
		return defaultInterDigit
	}
	return l.Inter
}

// ends tells whether a digit is one that ends the input so far.
func (l *Listen) ends(digit, input string) bool {
	return strings.Contains(l.TermDigits, digit) && !(l.GrammarFirst && l.Grammar.Match(input+digit) != NoMatch)
}

func isDigit(digit string) bool { return len(digit) == 1 && strings.Contains(Digits, digit) }

func decodeBase64(data string) (string, error) {
	decoded, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(data), ""))
	if err != nil {
		return "", fmt.Errorf("the data: URI is not base64: %w", err)
	}
	if !utf8.Valid(decoded) {
		return "", fmt.Errorf("the data: URI is not text")
	}
	return string(decoded), nil
}
