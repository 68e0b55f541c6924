package dialog

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// kind is what the source of a media dialog is.
type kind int

const (
	audio kind = iota
	plainText
	ssml
)

// media is a dialog of one turn: it plays audio or speaks a text, and takes
// digits if it was given controls for that.
type media struct {
	kind         kind
	request      Request
	events       Events
	conversation *Conversation
	source       source
	state        mediaState
}

// mediaState is where a media dialog is in its life; media.moveTo changes it.
type mediaState int

const (
	mediaStarting mediaState = iota
	mediaStarted
	mediaEnded
)

func (s *Service) startMedia(kind kind, r Request, on Channel, do func(func()) bool, e Events) Dialog {
	m := &media{kind: kind, request: r, events: e}
	m.conversation = s.Converse(on, do, append(r.LogAttributes(), "src", shorten(r.Source))...)
	do(m.begin) // The caller must have the dialog before it hears of it.
	return m
}

// longestSource bounds the src of a dialog, which may hold a text to speak.
const longestSource = 64 << 10

func shorten(text string) string {
	const most = 200
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}

func (m *media) begin() {
	if m.state == mediaEnded {
		return
	}
	prompts, err := m.prompts()
	prepared, ready := m.request.Prepared.([]Prompt)
	switch {
	case err != nil:
		m.notStarted(err.Error())
	case ready:
		m.take(prepared)
	case prompts == nil && m.kind != audio:
		m.fetchText()
	default:
		m.take(prompts)
	}
}

// prompts reads the request. Text that has to be fetched gives none.
func (m *media) prompts() (prompts []Prompt, err error) {
	src := m.request.Source
	if len(src) > longestSource {
		return nil, fmt.Errorf("src is longer than %d KiB", longestSource>>10)
	}
	data := schemeOf(src) == "data" && m.kind != audio
	if data {
		if m.source.text, err = parseData(src); err != nil {
			return nil, err
		}
	} else if m.source, err = parseSource(src); err != nil {
		return nil, fmt.Errorf("src: %w", err)
	}
	if err := m.source.apply(m.request.Parameters); err != nil {
		return nil, err
	}
	nothing := data || isNothing(m.source.uri)
	switch {
	case !nothing && m.kind != audio:
		return nil, nil
	case !nothing:
		return []Prompt{{Source: m.source.uri, Base: m.request.Base, Fetch: m.fetch(), Else: m.speech(m.source.text)}}, nil
	case m.source.text != "":
		return m.speech(m.source.text), nil
	case m.source.listen:
		return []Prompt{}, nil
	}
	return nil, errors.New("src names nothing to play, and no text to speak")
}

func (m *media) speech(text string) []Prompt {
	if text == "" {
		return nil
	}
	return []Prompt{{Text: text, SSML: m.kind == ssml}}
}

func (m *media) fetch() *Fetch {
	r := &m.request
	return &Fetch{Method: r.Method, Enctype: r.Enctype, Form: r.Namelist, MaxAge: r.MaxAge, MaxStale: r.MaxStale}
}

// fetchText gets the text that is to be spoken. The text of the query is spoken
// where that fails.
func (m *media) fetchText() {
	c := m.conversation
	c.background(func(ctx context.Context) func() {
		prompts, err := m.text(ctx, c.service)
		return func() {
			switch {
			case m.state == mediaEnded:
			case err != nil:
				m.notStarted(err.Error())
			default:
				m.take(prompts)
			}
		}
	}, func(err error) {
		if m.state != mediaEnded {
			m.notStarted(err.Error())
		}
	})
}

// beep is what a caller hears when it is his turn.
const beep = "tone_stream://%(300,0,800)"

// defaultFirstDigit is how long the first digit may take where nothing is said
// about it.
const defaultFirstDigit = 5 * time.Second

// take has the dialog's turn.
func (m *media) take(prompts []Prompt) {
	t := Turn{Prompts: prompts, Began: func() { m.moveTo(mediaStarted) }}
	if m.source.listen {
		t.Listen = m.listen()
	}
	if m.source.beep {
		t.Prompts = append(t.Prompts, Prompt{Source: beep})
	}
	for i := range t.Prompts {
		p := &t.Prompts[i]
		p.NoBargeIn = m.source.noBargeIn
		for j := range p.Else {
			p.Else[j].NoBargeIn = m.source.noBargeIn
		}
	}
	m.conversation.Take(t, m.ended)
}

func (m *media) listen() *Listen {
	s := &m.source
	l := &Listen{
		Grammar: upTo(s.maxDigits), TermDigits: strings.ToUpper(s.termDigits),
		First: s.timeout, Inter: s.interDigit, Max: s.maxTime,
	}
	switch {
	case s.hasTimeout:
		l.First = max(l.First, time.Millisecond)
	case s.maxTime == 0:
		l.First = defaultFirstDigit
	}
	return l
}

// moveTo is the one place where the dialog's state changes.
func (m *media) moveTo(state mediaState) {
	if state == mediaStarted && m.state == mediaStarting {
		m.events.Started()
	}
	m.state = max(m.state, state)
}

func (m *media) notStarted(reason string) {
	m.moveTo(mediaEnded)
	m.conversation.Close()
	m.events.NotStarted(reason)
}

// ended takes what came of the turn.
func (m *media) ended(o Outcome) {
	if m.state == mediaEnded {
		return
	}
	if m.state == mediaStarting {
		switch o.End {
		case Failed:
			m.notStarted(o.problem())
			return
		case Gone:
			m.notStarted("the call has ended")
			return
		}
	}
	m.exit(Result{Values: m.values(o), Reason: o.problem()})
}

// exit ends the dialog, whatever it was doing.
func (m *media) exit(result Result) {
	m.moveTo(mediaStarted)
	m.moveTo(mediaEnded)
	m.conversation.Close()
	m.events.Exited(result)
}

// values are what the dialog returns, if it took digits.
func (m *media) values(o Outcome) Values {
	if !m.source.listen {
		return nil
	}
	values := Values{{"digits", o.Digits}}
	if o.TermDigit != "" {
		values = append(values, Value{"termdigit", o.TermDigit})
	}
	return append(values, Value{"reason", endOf(o)})
}

// endOf says in one word why digits were not awaited any longer.
func endOf(o Outcome) string {
	switch o.End {
	case Silence:
		return "timeout"
	case TooLong:
		return "maxtime"
	case Failed:
		return "error"
	case Interrupted:
		return "terminated"
	case Gone:
		return "hangup"
	}
	switch {
	case o.TermDigit != "":
		return "termdigit"
	case o.TimedOut:
		return "interdigittimeout"
	}
	return "maxdigits"
}

// Digit implements Dialog.
func (m *media) Digit(digit string) bool {
	return m.state != mediaEnded && m.source.listen && m.conversation.Digit(digit)
}

// Terminate implements Dialog.
func (m *media) Terminate(immediate bool) {
	switch {
	case m.state == mediaEnded:
	case immediate || m.conversation.turn == nil:
		m.exit(Result{})
	default:
		m.conversation.Interrupt()
	}
}

// Send implements Dialog: there is nothing that an event could do here.
func (m *media) Send(Message) error {
	return fmt.Errorf("dialogs of type %s take no events; VoiceXML pages do", mediaType(m.request.Type))
}

// Detached implements Dialog.
func (m *media) Detached(reason string) bool {
	if m.state != mediaEnded {
		m.exit(Result{Reason: reason})
	}
	return false
}

// HungUp implements Dialog.
func (m *media) HungUp() {
	switch {
	case m.state == mediaEnded:
	case m.conversation.turn == nil:
		m.notStarted("the call has ended")
	default:
		m.conversation.HungUp()
	}
}
