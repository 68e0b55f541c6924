package conference

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
)

// Settings are what a conference is like beside its limits: the hints of its
// first <createconference>. docs/hints.md describes them.
type Settings struct {
	PIN              string `json:"pin,omitempty"`
	ModeratorPIN     string `json:"moderatorpin,omitempty"`     // makes a moderator of who has it
	WaitForModerator bool   `json:"waitformoderator,omitempty"` // others hear music until one is there
	EndWithModerator bool   `json:"endwithmoderator,omitempty"` // the room ends with its last moderator
	JoinMuted        bool   `json:"joinmuted,omitempty"`        // all but moderators
	Music            string `json:"music,omitempty"`            // for whoever waits
	EnterSound       string `json:"entersound,omitempty"`
	ExitSound        string `json:"exitsound,omitempty"`
	AnnounceCount    bool   `json:"announcecount,omitempty"` // whoever enters hears how many there are
	MaxMembers       int    `json:"-"`                       // kept with the limits
	// Events tells whether the session hears of all members; nil leaves that. It is
	// the session's own.
	Events *bool `json:"-"`
	// Locked and Record change while the conference runs; nil leaves them.
	Locked *bool `json:"locked,omitempty"`
	Record *bool `json:"record,omitempty"`
}

// Entry is how a member enters: the hints of a <join>.
type Entry struct {
	PIN       string
	Moderator bool
	Mute      bool
	Deaf      bool
	VolumeIn  *float64 // of what is heard of the member, -4 to 4
	VolumeOut *float64 // of what the member hears
	Events    bool     // tell the document when the member talks and when it has the floor
}

// The errors of who is not let in.
var (
	ErrPIN       = errors.New("the conference asks for a PIN; the hint pin is missing or wrong")
	ErrModerator = errors.New("only the moderator's PIN makes a moderator of a member")
	ErrLocked    = errors.New("the conference is locked")
)

// ParseSettings reads the hints of <createconference>. Unknown ones are ignored,
// those with a value that they cannot have are an error.
func ParseSettings(hints map[string]any) (Settings, error) {
	r := reader{hints: hints}
	s := Settings{
		PIN: r.pin("pin"), ModeratorPIN: r.pin("moderatorpin"),
		WaitForModerator: r.flag("waitformoderator"), EndWithModerator: r.flag("endwithmoderator"),
		JoinMuted: r.flag("joinmuted"), AnnounceCount: r.flag("announcecount"),
		Music: r.text("music"), EnterSound: r.text("entersound"), ExitSound: r.text("exitsound"),
		MaxMembers: r.count("maxmembers"), Locked: r.choice("locked"), Record: r.choice("record"),
		Events: r.choice("events"),
	}
	return s, r.err
}

// ParseEntry reads the hints of a <join> with a conference.
func ParseEntry(hints map[string]any) (Entry, error) {
	r := reader{hints: hints}
	e := Entry{
		PIN: r.pin("pin"), Moderator: r.flag("moderator"), Mute: r.flag("mute"), Deaf: r.flag("deaf"),
		VolumeIn: r.volume("volumein"), VolumeOut: r.volume("volumeout"), Events: r.flag("events"),
	}
	return e, r.err
}

// Admit tells whether an entry is let in, and as a moderator.
func (s *Settings) Admit(e Entry) (moderator bool, err error) {
	switch {
	case s.Locked != nil && *s.Locked:
		return false, ErrLocked
	case s.ModeratorPIN != "" && e.PIN == s.ModeratorPIN:
		return true, nil
	case s.PIN != "" && e.PIN != s.PIN:
		return false, ErrPIN
	case e.Moderator && s.ModeratorPIN != "":
		return false, ErrModerator
	}
	return e.Moderator, nil
}

// Role is what a member is in the room.
type Role struct {
	Moderator         bool
	EndsRoom          bool // with the last such member
	WaitsForModerator bool
	Muted             bool // is not heard
	Deaf              bool // does not hear
}

// Role gives the role of who is let in.
func (s *Settings) Role(e Entry, moderator bool) Role {
	return Role{
		Moderator:         moderator,
		EndsRoom:          moderator && s.EndWithModerator,
		WaitsForModerator: !moderator && s.WaitForModerator,
		Muted:             e.Mute || s.JoinMuted && !moderator,
		Deaf:              e.Deaf,
	}
}

// with gives the settings with what may change while a conference runs.
func (s Settings) with(change Settings) Settings {
	if change.Locked != nil {
		s.Locked = change.Locked
	}
	if change.Record != nil {
		s.Record = change.Record
	}
	return s
}

func (s *Settings) encode() string {
	text, err := json.Marshal(s)
	if err != nil {
		return "{}" // strings and booleans do not fail
	}
	return string(text)
}

func settingsOf(text string) (s Settings) {
	_ = json.Unmarshal([]byte(text), &s) // what another version wrote differently is zero
	return s
}

// reader reads hints, and keeps the first error.
type reader struct {
	hints map[string]any
	err   error
}

func (r *reader) bad(name, expected string) {
	if r.err == nil {
		r.err = fmt.Errorf("the hint %s is %.40q; expected %s", name, fmt.Sprint(r.hints[name]), expected)
	}
}

// lookup finds a hint by its name in any case.
func (r *reader) lookup(name string) (any, bool) {
	if value, ok := r.hints[name]; ok {
		return value, value != nil
	}
	for key, value := range r.hints {
		if strings.EqualFold(key, name) {
			return value, value != nil
		}
	}
	return nil, false
}

func (r *reader) choice(name string) *bool {
	value, ok := r.lookup(name)
	if !ok {
		return nil
	}
	var yes bool
	switch value := value.(type) {
	case bool:
		yes = value
	case string:
		if yes = value == "true"; !yes && value != "false" {
			r.bad(name, "true or false")
		}
	default:
		r.bad(name, "true or false")
	}
	return &yes
}

func (r *reader) flag(name string) bool {
	yes := r.choice(name)
	return yes != nil && *yes
}

func (r *reader) number(name string) (n float64, ok bool) {
	value, ok := r.lookup(name)
	if !ok {
		return 0, false
	}
	switch value := value.(type) {
	case int64:
		return float64(value), true
	case float64:
		return value, true
	case string:
		if _, err := fmt.Sscanf(value, "%g", &n); err == nil {
			return n, true
		}
	}
	r.bad(name, "a number")
	return 0, false
}

func (r *reader) count(name string) int {
	n, ok := r.number(name)
	if ok && (n < 1 || n > 1e6 || n != math.Trunc(n)) {
		r.bad(name, "a whole number from 1")
		return 0
	}
	return int(n)
}

// loudest and quietest are the steps of volume that rooms have.
const loudest, quietest = 4, -4

func (r *reader) volume(name string) *float64 {
	n, ok := r.number(name)
	if !ok {
		return nil
	}
	if n < quietest || n > loudest || n != math.Trunc(n) {
		r.bad(name, "a whole number from -4 to 4")
		return nil
	}
	return &n
}

func (r *reader) text(name string) string {
	value, ok := r.lookup(name)
	if !ok {
		return ""
	}
	text, isText := value.(string)
	if !isText || len(text) > 1024 || slices.ContainsFunc([]byte(text), func(b byte) bool { return b < ' ' }) {
		r.bad(name, "a text")
		return ""
	}
	return text
}

var pinSyntax = regexp.MustCompile(`^[0-9A-Za-z*#]{1,32}$`)

func (r *reader) pin(name string) string {
	value, ok := r.lookup(name)
	if !ok {
		return ""
	}
	text := fmt.Sprint(value)
	if text != "" && !pinSyntax.MatchString(text) {
		r.bad(name, "up to 32 digits or letters")
		return ""
	}
	return text
}
