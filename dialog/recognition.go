package dialog

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"

	"ccxmld/esl"
)

// Speech says what a party may say in a Turn, in place of pressing digits. It is
// for FreeSWITCH's detect_speech, with the engine of Options.ASREngine.
type Speech struct {
	// Grammar is a URI, or with Inline the grammar itself.
	Grammar string
	Inline  bool
	// Settings go to the engine, under the names that MRCP has for them (RFC
	// 6787, 9.4), such as speech-language.
	Settings []Pair
	// Longest bounds how long the party may speak; 0 for no bound.
	Longest time.Duration
	// Confidence is what a result needs at least, from 0 to 1.
	Confidence float64
	// Hotword lets only what is understood break prompts off.
	Hotword bool
}

// Spoken is one way in which the engine understood what was said.
type Spoken struct {
	Utterance  string
	Confidence float64 // from 0 to 1
	// Interpretation is what it means: a string, or a map[string]any of these and
	// of maps; nil where the engine does not say.
	Interpretation any
	// Grammar is the one that it is in, as the engine names it; "" where it does
	// not.
	Grammar string
}

// Recognition is what FreeSWITCH tells of the speech it listens to: an event
// DETECTED_SPEECH (switch_ivr_async.c, speech_thread).
type Recognition struct {
	Kind  string // Speech-Type: begin-speaking, detected-partial-speech, detected-speech, closed
	Body  string // of detected-speech: NLSML, JSON, or the words
	Cause string // completion cause of MRCP (RFC 6787, 9.4.11), "" where the engine tells none
}

// HearsSpeech tells whether there is an engine that listens to speech.
func (s *Service) HearsSpeech() bool { return s.options.ASREngine != "" }

// recognition gives the argument of detect_speech, which is taken apart at spaces.
// The engine waits for as long as it takes: the turn has clocks of its own.
func (s *Service) recognition(speech *Speech) string {
	grammar := "{start-input-timers=false"
	for _, p := range speech.Settings {
		grammar += "," + p.Name + "=" + settingValue.Replace(p.Value)
	}
	grammar += "}"
	if speech.Inline {
		grammar += "inline:"
	}
	word := strings.ReplaceAll(esl.Word(grammar+strings.ReplaceAll(speech.Grammar, "\r", "")), "\n", `\n`)
	return esl.Literal(s.options.ASREngine + " " + word + " ccxmld")
}

// settingValue takes out of a value what would end it.
var settingValue = strings.NewReplacer(",", "", "=", "", "{", "", "}", "", "'", "", `\`, "")

// hearing is what came of listening to speech.
type hearing int

const (
	understood hearing = iota
	notUnderstood
	nothingSaid
	spokeTooLong
	broke // the engine could not do it
)

// result takes what the engine has understood apart: NLSML (MRCPv2), JSON as the
// engines of FreeSWITCH itself have it, or plain words.
func (r *Recognition) result() (hearing, []Spoken) {
	cause := r.Cause
	if text, ok := strings.CutPrefix(strings.TrimSpace(r.Body), "Completion-Cause:"); ok { // mod_unimrcp's for a result without a body
		cause = strings.TrimSpace(text)
	}
	switch cause {
	case "001", "013":
		return notUnderstood, nil
	case "002":
		return nothingSaid, nil
	case "003", "008", "015":
		return spokeTooLong, nil
	case "004", "005", "006", "009", "010", "011", "012":
		return broke, nil
	}
	var list []Spoken
	how := understood
	switch body := strings.TrimSpace(r.Body); {
	case strings.HasPrefix(body, "<"):
		list, how = readNLSML(body)
	case strings.HasPrefix(body, "{"):
		list, how = readJSON(body)
	case strings.HasPrefix(body, "Completion-Cause:"):
	case body != "":
		list = []Spoken{{Utterance: body, Confidence: 1}}
	}
	if how == understood && len(list) == 0 {
		how = notUnderstood
	}
	return how, list
}

// mostSpoken bounds the ways in which something was understood.
const mostSpoken = 100

// nlsml is a <result> (RFC 6787, 6.3).
type nlsml struct {
	Grammar         string `xml:"grammar,attr"`
	Interpretations []struct {
		Grammar    string   `xml:"grammar,attr"`
		Confidence string   `xml:"confidence,attr"`
		Instance   instance `xml:"instance"`
		Input      struct {
			Confidence string    `xml:"confidence,attr"`
			NoMatch    *struct{} `xml:"nomatch"`
			NoInput    *struct{} `xml:"noinput"`
			Text       string    `xml:",chardata"`
		} `xml:"input"`
	} `xml:"interpretation"`
}

func readNLSML(body string) (list []Spoken, how hearing) {
	var result nlsml
	decoder := xml.NewDecoder(strings.NewReader(body))
	decoder.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil } // it was text already
	if err := decoder.Decode(&result); err != nil {
		return nil, notUnderstood
	}
	for _, i := range result.Interpretations {
		switch {
		case i.Input.NoInput != nil:
			return nil, nothingSaid
		case i.Input.NoMatch != nil || len(list) == mostSpoken:
			continue
		}
		s := Spoken{Utterance: strings.Join(strings.Fields(i.Input.Text), " "), Interpretation: i.Instance.value, Grammar: i.Grammar}
		if s.Grammar == "" {
			s.Grammar = result.Grammar
		}
		if text, ok := i.Instance.value.(string); ok && s.Utterance == "" {
			s.Utterance = text
		}
		confidence := i.Confidence
		if confidence == "" {
			confidence = i.Input.Confidence
		}
		s.Confidence = confidenceOf(confidence)
		list = append(list, s)
	}
	return list, understood
}

// instance is an <instance>: text, or elements that are properties.
type instance struct{ value any }

// deepestInstance bounds how properties nest.
const deepestInstance = 20

// UnmarshalXML implements xml.Unmarshaler.
func (i *instance) UnmarshalXML(d *xml.Decoder, _ xml.StartElement) (err error) {
	i.value, err = readInstance(d, 0)
	return err
}

func readInstance(d *xml.Decoder, depth int) (any, error) {
	if depth > deepestInstance {
		return nil, errors.New("an <instance> is too deep")
	}
	var text strings.Builder
	var properties map[string]any
	for {
		token, err := d.Token()
		if err != nil {
			return nil, err
		}
		switch token := token.(type) {
		case xml.CharData:
			text.Write(token)
		case xml.StartElement:
			value, err := readInstance(d, depth+1)
			if err != nil {
				return nil, err
			}
			if properties == nil {
				properties = make(map[string]any)
			}
			properties[token.Name.Local] = value
		case xml.EndElement:
			if properties != nil {
				return properties, nil
			}
			if words := strings.TrimSpace(text.String()); words != "" {
				return words, nil
			}
			return nil, nil
		}
	}
}

// confidenceOf reads a confidence, which some engines count in percent.
func confidenceOf(text string) float64 {
	n, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	switch {
	case err != nil || text == "" || n != n:
		return 1
	case n > 1:
		n /= 100
	}
	return max(0, min(1, n))
}

type jsonAlternative struct {
	Text           string          `json:"text"`
	Confidence     json.Number     `json:"confidence"`
	Interpretation any             `json:"interpretation"`
	Grammar        string          `json:"grammar"`
	Error          json.RawMessage `json:"error"`
}

func readJSON(body string) ([]Spoken, hearing) {
	var result struct {
		jsonAlternative
		Alternatives []jsonAlternative `json:"alternatives"`
	}
	if err := json.Unmarshal([]byte(body), &result); err != nil {
		// An engine that puts a grammar into it as it is.
		result.Text, result.Confidence = field(jsonText, body), json.Number(field(jsonConfidence, body))
		result.Error = json.RawMessage(field(jsonError, body))
	}
	switch problem := string(result.Error); {
	case strings.Contains(problem, "input"):
		return nil, nothingSaid
	case problem != "" && problem != "null" && problem != "false":
		return nil, notUnderstood
	}
	var list []Spoken
	alternatives := result.Alternatives
	if len(alternatives) == 0 {
		alternatives = []jsonAlternative{result.jsonAlternative}
	}
	for _, a := range alternatives {
		if text := strings.Join(strings.Fields(a.Text), " "); text != "" && len(list) < mostSpoken {
			list = append(list, Spoken{Utterance: text, Confidence: confidenceOf(a.Confidence.String()), Interpretation: a.Interpretation, Grammar: a.Grammar})
		}
	}
	return list, understood
}

var (
	jsonText       = regexp.MustCompile(`"text":\s*"([^"]*)"`)
	jsonConfidence = regexp.MustCompile(`"confidence":\s*([0-9.]+)`)
	jsonError      = regexp.MustCompile(`"error":\s*"([^"]*)"`)
)

func field(pattern *regexp.Regexp, body string) string {
	if found := pattern.FindStringSubmatch(body); found != nil {
		return found[1]
	}
	return ""
}
