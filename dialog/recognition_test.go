package dialog

import (
	"reflect"
	"testing"
)

// TestRecognitionResult: what the engines of FreeSWITCH answer, and what is not to be
// trusted.
func TestRecognitionResult(t *testing.T) {
	tests := []struct {
		name string
		r    Recognition
		how  hearing
		want []Spoken
	}{
		{"words", Recognition{Body: " New York\n"}, understood, []Spoken{{Utterance: "New York", Confidence: 1}}},
		{"nothing", Recognition{}, notUnderstood, nil},
		{"NLSML, several, with slots", Recognition{Body: `<?xml version="1.0" encoding="UTF-16"?><result grammar="session:a">
			<interpretation grammar="session:b" confidence="90"><instance><city>York</city><when><day>1</day></when></instance><input mode="speech">to York</input></interpretation>
			<interpretation><instance>Cork</instance><input confidence="0.25"/></interpretation></result>`}, understood, []Spoken{
			{"to York", 0.9, map[string]any{"city": "York", "when": map[string]any{"day": "1"}}, "session:b"}, {"Cork", 0.25, "Cork", "session:a"}}},
		{"NLSML, no match", Recognition{Body: `<result><interpretation><input><nomatch/></input></interpretation></result>`}, notUnderstood, nil},
		{"NLSML, no input", Recognition{Body: `<result><interpretation><input><noinput/></input></interpretation></result>`}, nothingSaid, nil},
		{"NLSML, not well-formed", Recognition{Body: `<result><interpretation><instance><a>`}, notUnderstood, nil},
		{"mod_test", Recognition{Body: `{"grammar": "builtin:grammar/boolean", "text": "sales", "confidence": 87.300000}`}, understood,
			[]Spoken{{Utterance: "sales", Confidence: 0.873, Grammar: "builtin:grammar/boolean"}}},
		{"mod_test, with a grammar as it is", Recognition{Body: `{"grammar": "inline:<grammar version="1.0">", "text": "agent", "confidence": 50.0}`}, understood,
			[]Spoken{{Utterance: "agent", Confidence: 0.5}}},
		{"mod_test, no input", Recognition{Body: `{"grammar": "x", "text": "", "confidence": 0, "error": "no_input"}`}, nothingSaid, nil},
		{"JSON with an error", Recognition{Body: `{"error": {"code": 7}}`}, notUnderstood, nil},
		{"JSON without a text", Recognition{Body: `{"text": ""}`}, notUnderstood, nil},
		{"JSON of alternatives", Recognition{Body: `{"alternatives": [{"text": "a", "confidence": 0.5}, {"text": "b", "interpretation": {"x": 1}}]}`}, understood,
			[]Spoken{{Utterance: "a", Confidence: 0.5}, {Utterance: "b", Confidence: 1, Interpretation: map[string]any{"x": 1.0}}}},
		{"a cause of MRCP", Recognition{Cause: "015", Body: "<result/>"}, spokeTooLong, nil},
		{"a cause in the body", Recognition{Body: "Completion-Cause: 002"}, nothingSaid, nil},
		{"a cause that says nothing", Recognition{Cause: "000", Body: "yes"}, understood, []Spoken{{Utterance: "yes", Confidence: 1}}},
		{"a grammar that the engine does not take", Recognition{Cause: "005"}, broke, nil},
	}
	for _, test := range tests {
		if how, got := test.r.result(); how != test.how || len(got)+len(test.want) > 0 && !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: %d %+v, want %d %+v", test.name, how, got, test.how, test.want)
		}
	}
}

func FuzzRecognitionResult(f *testing.F) {
	for _, body := range []string{"yes", `{"text": "a"}`, `<result><interpretation><instance><a>1</a></instance><input>1</input></interpretation></result>`, "Completion-Cause: 001"} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		r := Recognition{Body: body}
		_, list := r.result()
		for _, s := range list {
			if s.Utterance == "" && s.Interpretation == nil || !(s.Confidence >= 0 && s.Confidence <= 1) {
				t.Errorf("%q gives %+v", body, s)
			}
		}
	})
}
