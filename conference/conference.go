package conference

import (
	"encoding/json"
	"errors"
	"strconv"
	"time"
)

// Conference is an entry of the registry.
type Conference struct {
	ID    string // a URI, equal for all who attach by the same name
	Name  string // as the document gave it; "" for an unnamed one
	Room  string // in FreeSWITCH; only letters, digits, _ and -, unique to this creation
	Node  string // where the room is; "" until somebody is in it, if its creator had no connection
	Owner string // the controller that answers for it
	// Epoch tells creations and owners of the same name apart: it grows with each.
	// It is the time in Unix milliseconds, or one more than the last.
	Epoch   int64
	Created time.Time // to the millisecond
	Limits  Limits
	// Settings are what the first createconference's hints asked for.
	Settings Settings
	// Moderated tells that a moderator has been in it since somebody has.
	Moderated bool
}

// Limits of a conference, as its first createconference asked for them. Zero
// means no limit or no reservation. Of MaxMembers places, so many are kept for
// members who talk, and so many for those who only listen (CCXML 1.0, 10.5.3).
type Limits struct {
	MaxMembers int // Join refuses more
	Talkers    int // reservedtalkers
	Listeners  int // reservedlisteners
}

// take tells whether so many talkers and listeners leave the reserved places free.
func (l Limits) take(talkers, listeners int) bool {
	return l.MaxMembers <= 0 || max(talkers, l.Talkers)+max(listeners, l.Listeners) <= l.MaxMembers
}

// Member is a connection in a conference.
type Member struct {
	Connection string `json:"-"` // id, the leg's Unique-ID in FreeSWITCH
	Session    string `json:"session"`
	Controller string `json:"controller"` // set by Join
	Node       string `json:"node"`
	Listens    bool   `json:"listens,omitempty"` // and is not heard: it takes the place of a listener
	// ByVoice tells that another leg is in the room for it, and lets it be heard.
	ByVoice bool `json:"byvoice,omitempty"`
	// Reaches tells Join that the node reaches that of the conference; see [Registry.Reach].
	Reaches   bool      `json:"-"`
	Moderator bool      `json:"moderator,omitempty"`
	Ends      bool      `json:"ends,omitempty"` // the conference ends with the last such member
	Joined    time.Time `json:"joined"`
}

// Why the registry refuses.
var (
	// ErrUnavailable means that Redis is away, and that going on without it
	// could make two conferences of one name.
	ErrUnavailable = errors.New("the conference registry is unavailable")
	ErrNotFound    = errors.New("no such conference")
	ErrFull        = errors.New("the conference is full")
	ErrReserved    = errors.New("the places that are left in the conference are reserved: talkers for listeners (half-duplex joins), listeners for talkers")
	ErrNode        = errors.New("the conference is on another FreeSWITCH than the connection")
	ErrTooMany     = errors.New("too many conferences on this controller")
)

const timeFormat = "2006-01-02T15:04:05.000Z"

func (c *Conference) fields() []any {
	return []any{
		"id", c.ID, "name", c.Name, "room", c.Room, "node", c.Node, "owner", c.Owner,
		"epoch", strconv.FormatInt(c.Epoch, 10), "created", c.Created.UTC().Format(timeFormat),
		"max", strconv.Itoa(c.Limits.MaxMembers),
		"talkers", strconv.Itoa(c.Limits.Talkers), "listeners", strconv.Itoa(c.Limits.Listeners),
		"settings", c.Settings.encode(), "moderated", flagOf(c.Moderated),
	}
}

// conferenceOf reads a hash. What another version wrote differently is zero.
func conferenceOf(hash map[string]string) Conference {
	number := func(field string) int {
		n, _ := strconv.Atoi(hash[field])
		return n
	}
	epoch, _ := strconv.ParseInt(hash["epoch"], 10, 64)
	created, _ := time.Parse(timeFormat, hash["created"])
	return Conference{
		ID: hash["id"], Name: hash["name"], Room: hash["room"], Node: hash["node"],
		Owner: hash["owner"], Epoch: epoch, Created: created,
		Limits:   Limits{MaxMembers: number("max"), Talkers: number("talkers"), Listeners: number("listeners")},
		Settings: settingsOf(hash["settings"]), Moderated: hash["moderated"] == "1",
	}
}

func (m *Member) encode() string {
	kept := *m
	kept.Joined = m.Joined.UTC().Truncate(time.Millisecond)
	text, err := json.Marshal(&kept)
	if err != nil {
		return "{}" // strings and a time: only a year beyond 9999 gets here
	}
	return string(text)
}

func memberOf(connection, text string) Member {
	m := Member{}
	_ = json.Unmarshal([]byte(text), &m) // what another version wrote differently is zero
	m.Connection = connection
	return m
}
