package callcontrol

import (
	"fmt"
	"time"

	"ccxmld/conference"
	"ccxmld/dialog"
	"ccxmld/esl"
	"ccxmld/freeswitch"
	"ccxmld/interpreter"
	"ccxmld/peer"
)

// What a session has in FreeSWITCH can be written down, and made again from that by any
// controller: legs, their connections and joins, as plain data. What is not in it dies
// with its controller: sockets, timers, which begin anew, and what plays.

// dataVersion is the version of what is written. A controller does not read what a newer
// one has written.
const dataVersion = 1

// sessionData is what a session has in FreeSWITCH.
type sessionData struct {
	Version int         `json:"version"`
	Session string      `json:"session"`
	Legs    []legData   `json:"legs,omitempty"`
	Orders  []orderData `json:"orders,omitempty"`  // those that the legs name by their ids
	Waiting []string    `json:"waiting,omitempty"` // orders that wait for legs, the next one first
	Ordered int         `json:"ordered,omitempty"` // how many there have been
}

// legData is a leg, with its connection and its join.
type legData struct {
	ID         string          `json:"id"`
	State      legState        `json:"state"`
	Clearing   clearingState   `json:"clearing"`
	Connection connectionState `json:"connection,omitempty"` // none of one that no document knows
	Socket     socketState     `json:"socket"`
	Home       homeData        `json:"home"`
	Owner      ownerState      `json:"owner"`
	Join       joinData        `json:"join"`

	Incoming   bool        `json:"incoming,omitempty"`
	Answered   bool        `json:"answered,omitempty"` // by the dialplan
	TakesEarly bool        `json:"takesearly,omitempty"`
	Node       string      `json:"node,omitempty"`    // of one that we placed
	Machine    string      `json:"machine,omitempty"` // by FreeSWITCH's own name
	Call       dialog.Call `json:"call"`
	AnswerBy   *time.Time  `json:"answerby,omitempty"`
	Cause      string      `json:"cause,omitempty"`
	Failure    string      `json:"failure,omitempty"`
	Detail     string      `json:"detail,omitempty"`
	Recording  string      `json:"recording,omitempty"`
	Tones      bool        `json:"tones,omitempty"`
	Clamps     bool        `json:"clamps,omitempty"`
	Digits     bool        `json:"digitsbound,omitempty"`
	TermDigit  string      `json:"termdigit,omitempty"`
	Forwards   int         `json:"forwards,omitempty"`
	Notes      callNotes   `json:"notes,omitzero"`

	Attempt  *attemptData             `json:"attempt,omitempty"`
	JoinCall *interpreter.CallRequest `json:"joincall,omitempty"` // of <createcall joinid>, until it is joined
	Analysis *interpreter.Analysis    `json:"analysis,omitempty"` // that begins with the answer
	// Analysing says that it has begun. What was heard is lost with the leg's socket.
	Analysing bool         `json:"analysing,omitempty"`
	Beeps     []float64    `json:"beeps,omitempty"`
	Move      *moveData    `json:"move,omitempty"`
	Arrival   *arrivalData `json:"arrival,omitempty"`
	StandIn   *standInData `json:"standin,omitempty"`
	Server    *serverData  `json:"server,omitempty"`
}

// homeData is the way home of a leg.
type homeData struct {
	State   homeState `json:"state"`
	Mark    string    `json:"mark,omitempty"`
	Parks   int       `json:"parks,omitempty"`
	Closing int       `json:"closing,omitempty"`
}

// attemptData is an attempt to place a call.
type attemptData struct {
	Job      esl.Originate `json:"job"`
	Tried    []string      `json:"tried,omitempty"` // names of nodes
	Failed   []string      `json:"failed,omitempty"`
	LinkLost bool          `json:"linklost,omitempty"`
	Placed   bool          `json:"placed,omitempty"`
	Over     bool          `json:"over,omitempty"` // the call needs no other node
}

// joinData is the join of a leg.
type joinData struct {
	State      joinState     `json:"state"`
	Place      *placeData    `json:"place,omitempty"`
	Pending    string        `json:"pending,omitempty"`    // an order
	NotEntered string        `json:"notentered,omitempty"` // a room that it may be let into too late
	NotBridged string        `json:"notbridged,omitempty"` // a leg that it may be bridged with too late
	GoesOn     string        `json:"goeson,omitempty"`     // an order
	Present    *presenceData `json:"present,omitempty"`    // in a conference, while the way in which it is there changes
}

// placeData is what a leg is joined with, or about to be.
type placeData struct {
	Kind      placeKind            `json:"kind"`
	Partner   string               `json:"partner,omitempty"`
	Order     string               `json:"order,omitempty"`
	Room      string               `json:"room,omitempty"`
	Home      string               `json:"home,omitempty"` // the FreeSWITCH that the conference is on
	Settings  *conference.Settings `json:"settings,omitempty"`
	Headcount int                  `json:"headcount,omitempty"`
	Member    string               `json:"member,omitempty"`
	Muted     bool                 `json:"muted,omitempty"`
	Deaf      bool                 `json:"deaf,omitempty"`
	Running   string               `json:"running,omitempty"`
	HeardOn   bool                 `json:"heardon,omitempty"`
	Silent    bool                 `json:"silent,omitempty"`
	Pair      *pairData            `json:"pair,omitempty"`
}

// presenceData is a connection in a room, as those who are there notice it.
type presenceData struct {
	Room     string               `json:"room"`
	Machine  string               `json:"machine"`
	Order    string               `json:"order"`
	Settings *conference.Settings `json:"settings,omitempty"`
}

// pairData is the room of two legs of different sessions.
type pairData struct {
	Room    string `json:"room"`
	Machine string `json:"machine,omitempty"`
	Came    int    `json:"came,omitempty"`
	Over    bool   `json:"over,omitempty"`
}

// orderData is a join that a document has asked for.
type orderData struct {
	ID       string                  `json:"id"`
	Request  interpreter.JoinRequest `json:"request"`
	Entry    conference.Entry        `json:"entry"`
	Merge    bool                    `json:"merge,omitempty"`
	Implicit bool                    `json:"implicit,omitempty"`
	Unjoins  bool                    `json:"unjoins,omitempty"`
	Issuer   string                  `json:"issuer"` // a session
	Asked    []string                `json:"asked,omitempty"`
	Legs     []string                `json:"legs,omitempty"`
}

// moveData is a <move> that is under way.
type moveData struct {
	Request interpreter.MoveRequest `json:"request"`
	Mark    string                  `json:"mark"`
	Ended   *freeswitch.Hangup      `json:"ended,omitempty"`
}

// arrivalData is a leg that another controller sends.
type arrivalData struct {
	Move     peer.Move `json:"move"`
	Answered bool      `json:"answered,omitempty"`
}

// standInData is what a leg is there for that no document knows.
type standInData struct {
	Conference string                     `json:"conference"`
	Dialog     *interpreter.DialogRequest `json:"dialog,omitempty"`
	Voice      *voiceData                 `json:"voice,omitempty"`
	Room       string                     `json:"room,omitempty"`
	Machine    string                     `json:"machine,omitempty"`
	Muted      bool                       `json:"muted,omitempty"`
	Settings   *conference.Settings       `json:"settings,omitempty"`
}

// serverData is a VoiceXML server that a leg goes to. What the dialog tells its document
// is not in it.
type serverData struct {
	URI    string       `json:"uri"`
	Caller string       `json:"caller"`
	State  browserState `json:"state"`
	Reason string       `json:"reason,omitempty"`
}

// voiceData is a connection that a stand-in lets be heard in a conference.
type voiceData struct {
	Of        string        `json:"of"`
	Order     string        `json:"order"`
	Quiet     bool          `json:"quiet,omitempty"`
	Begun     bool          `json:"begun,omitempty"`
	Over      bool          `json:"over,omitempty"`
	Left      bool          `json:"left,omitempty"`
	Present   *presenceData `json:"present,omitempty"`
	Headcount int           `json:"headcount,omitempty"`
}

// check tells whether what was written can be read.
func (d sessionData) check() error {
	if d.Version < 1 || d.Version > dataVersion {
		return fmt.Errorf("session %s was written in version %d; this controller reads up to version %d, so a newer one has to take it", d.Session, d.Version, dataVersion)
	}
	return nil
}
