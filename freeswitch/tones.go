package freeswitch

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"ccxmld/esl"
)

// ToneDetector is one of the 16 that FreeSWITCH has for a channel (tone_detect of
// mod_commands), each for a frequency, give or take 20 Hz.
type ToneDetector struct {
	Key       string
	Frequency float64 // hertz
	Hits      int     // how often it has to be heard
}

const toneReport = "tones "

// DetectTones sets detectors up for so long: after a hit they pause for 80 ms, and
// forget it after half a second. What they hear is told by an application of ours,
// execute_on_tone_detect, while the audio goes on ([ChannelOwner.TonesHeard]).
func DetectTones(id string, detectors []ToneDetector, lasts time.Duration) []esl.Command {
	var report strings.Builder
	report.WriteString("eval " + strings.TrimSpace(toneReport))
	for _, d := range detectors {
		fmt.Fprintf(&report, " %s=${tone_detect_%s_total_time}", d.Key, d.Key)
	}
	commands := []esl.Command{
		SetVariable(id, "execute_on_tone_detect", report.String()),
		SetVariables(id, "tone_detect_sleep=4;tone_detect_expires=25"),
	}
	until := "+" + strconv.Itoa(int(math.Ceil(lasts.Seconds())))
	hits := 0
	for _, d := range detectors {
		if hits != d.Hits {
			hits = d.Hits
			commands = append(commands, SetVariable(id, "tone_detect_hits", strconv.Itoa(hits)))
		}
		commands = append(commands, esl.API("tone_detect", id, d.Key, strconv.FormatFloat(d.Frequency, 'f', -1, 64), "r", until))
	}
	return commands
}

// StopTones ends the detectors, which would end by themselves.
func StopTones() esl.Command { return esl.Execute("stop_tone_detect", "", "") }

// ToneTime is a tone that a detector has heard, and after how much audio.
type ToneTime struct {
	Key string
	At  time.Duration
}

// TonesOf reads the report of detectors; ok is false for another application's.
func TonesOf(report string) (tones []ToneTime, ok bool) {
	rest, ok := strings.CutPrefix(report, toneReport)
	if !ok {
		return nil, false
	}
	for word := range strings.FieldsSeq(rest) {
		key, value, _ := strings.Cut(word, "=")
		if ms, err := strconv.Atoi(value); err == nil {
			tones = append(tones, ToneTime{key, time.Duration(ms) * time.Millisecond})
		}
	}
	return tones, true
}
