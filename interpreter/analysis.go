package interpreter

import (
	"fmt"
	"slices"
	"strings"

	"ccxmld/script"
)

// analysisAttributes are Voxeo's of <createcall> by which an answered call is
// analysed (VX-4, VX-40). voxeo-cpa-version and voxeo-answer-on-media say nothing
// to us.
type analysisAttributes struct {
	maxsilence, maxtime, runtime, maskevent, maskstop *script.Expression
}

// compileAnalysis gives nil for a call that is not to be analysed.
func compileAnalysis(e *element) *analysisAttributes {
	a := &analysisAttributes{
		maxsilence: e.expression("voxeo-cpa-maxsilence"), maxtime: e.expression("voxeo-cpa-maxtime"),
		runtime: e.expression("voxeo-cpa-runtime"), maskevent: e.expression("voxeo-cpa-maskevent"),
		maskstop: e.expression("voxeo-cpa-maskstop"),
	}
	if *a == (analysisAttributes{}) {
		return nil
	}
	return a
}

func (a *analysisAttributes) request(s *Session) (*Analysis, error) {
	if a == nil {
		return nil, nil
	}
	r := &Analysis{}
	var err error
	if r.MaxSilence, err = s.interval(a.maxsilence, "voxeo-cpa-maxsilence"); err != nil {
		return nil, err
	}
	if r.MaxTime, err = s.interval(a.maxtime, "voxeo-cpa-maxtime"); err != nil {
		return nil, err
	}
	if r.Runtime, err = s.interval(a.runtime, "voxeo-cpa-runtime"); err != nil {
		return nil, err
	}
	if r.Report, err = s.results(a.maskevent, "voxeo-cpa-maskevent"); err != nil {
		return nil, err
	}
	r.Stop, err = s.results(a.maskstop, "voxeo-cpa-maskstop")
	return r, err
}

// analysisResults are the types of voxeo.cpa.result.
var analysisResults = []string{"human", "machine", "beep", "faxtone", "modem", "ring", "sit", "unknown"}

// results evaluates a list of types, separated by commas or spaces; nil where it
// is absent or empty.
func (s *Session) results(e *script.Expression, name string) (list []string, err error) {
	text, err := s.text(e, "")
	if err != nil {
		return nil, err
	}
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' || r == ';' || r == '|' }) {
		word = strings.ToLower(word)
		if !slices.Contains(analysisResults, word) {
			return nil, fmt.Errorf("%s: %q is no result; expected some of %s", name, word, strings.Join(analysisResults, ", "))
		}
		list = append(list, word)
	}
	return list, nil
}
