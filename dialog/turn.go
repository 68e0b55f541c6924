package dialog

import (
	"time"

	"ccxmld/fetch"
)

// Prompt is a piece of what a party hears: audio, speech or a pause.
type Prompt struct {
	// Source is the audio's URI, relative to Base, or "".
	Source string
	Base   string
	// Recorded is set when Source is a file that Service.RecordingFile has named.
	Recorded bool
	// Fetch says how Source is fetched if it is an HTTP URI; nil for a plain
	// GET.
	Fetch *Fetch
	// Text is spoken, if there is no Source. With SSML set it is a whole SSML
	// document.
	Text string
	SSML bool
	// Pause is a silence, if there is neither Source nor Text.
	Pause time.Duration
	// Mark is a place between what is played, if there is nothing else.
	Mark string
	// Else is played if this cannot be.
	Else []Prompt
	// NoBargeIn keeps digits from breaking it off; those pressed meanwhile are
	// thrown away.
	NoBargeIn bool

	file  string // where the audio has been put for FreeSWITCH to play; "" for not yet
	plain string // the Text of SSML without its tags; "" for not yet
}

// withoutTags gives the Text of SSML without its tags.
func (p *Prompt) withoutTags() string {
	if p.plain == "" {
		p.plain = stripTags(p.Text)
	}
	return p.plain
}

// Fetch says how a resource is asked for.
type Fetch struct {
	Intake           bool // as the documents of calls are; see Request.Intake
	Method, Enctype  string
	Form             []Pair
	Recordings       []Pair // names and files of recordings, for an Enctype of multipart/form-data
	MaxAge, MaxStale *time.Duration
	Timeout          time.Duration
	Cookies          *fetch.Cookies // nil for none
}

// Turn is one exchange with a party: prompts are played, then, and while they
// play, digits or words are awaited.
type Turn struct {
	Prompts []Prompt
	// Listen says which digits are awaited; nil: none, the turn ends with the
	// prompts.
	Listen *Listen
	// Record asks for a recording in place of digits.
	Record *Record
	// Forgiving passes over audio that cannot be played and has no alternative.
	// Otherwise, and always when a text cannot be spoken, the turn ends.
	Forgiving bool
	// Began, which may be nil, is called once when something is heard or recorded,
	// or when only digits are awaited.
	Began func()
}

// End says how a turn ended.
type End int

const (
	// Played: the prompts were played, and no digits were asked for.
	Played End = iota
	// Input: digits came that are in the grammar, or something was said.
	Input
	// Mismatch: digits came that are not, or what was said was not understood.
	Mismatch
	// Silence: the first digit did not come in time.
	Silence
	// TooLong: Listen.Max was over before the digits were complete, or Speech.Longest
	// before the party had spoken.
	TooLong
	// Failed: a prompt could not be played, or speech not be heard.
	Failed
	// Interrupted: Conversation.Interrupt ended the turn.
	Interrupted
	// Gone: the leg is gone.
	Gone
	// Recorded: the recording has ended.
	Recorded
)

// Outcome is what came of a turn.
type Outcome struct {
	End    End
	Digits string // without the term digit
	// TermDigit is the digit that ended the input, or "".
	TermDigit string
	// TimedOut is set when the wait for another digit ended the input.
	TimedOut bool
	// Spoken is what was said, as the engine understood it: the likeliest first, and
	// none of digits. After a Mismatch it has what the engine was not sure of.
	Spoken []Spoken
	// Mark is the last mark that was reached, and SinceMark what passed from then
	// to the first digit or word, or to the end of the turn.
	Mark      string
	SinceMark time.Duration
	// Recording is set when there is a recording, and Recorded is how long it was
	// by FreeSWITCH's clock, or by ours if the call ended it; -1 when that is not known.
	Recording bool
	Recorded  time.Duration
	// Problems say which prompts could not be played, and why: the last one is
	// what made the turn fail.
	Problems []string
}

// problem gives the last problem.
func (o *Outcome) problem() string {
	if len(o.Problems) == 0 {
		return ""
	}
	return o.Problems[len(o.Problems)-1]
}
