package switchsim

import (
	"strconv"
	"strings"
	"time"
)

// endless is the length of a sound that never ends.
const endless time.Duration = -1

// soundKind says what a party hears of a path.
func soundKind(path string) string {
	switch scheme, _, _ := strings.Cut(path, "://"); {
	case strings.HasPrefix(path, "say:"):
		return "speech"
	case scheme == "tone_stream":
		return "tone"
	case scheme == "silence_stream":
		return "silence"
	}
	return "file"
}

// length tells how long what a path names lasts and whether it is there.
func (sw *Switch) length(path string) (time.Duration, bool) {
	if strings.HasPrefix(path, "{") {
		if _, rest, ok := strings.Cut(path, "}"); ok {
			path = rest
		}
	}
	scheme, rest, found := strings.Cut(path, "://")
	if !found {
		scheme = ""
	}
	switch scheme {
	case "tone_stream":
		return toneLength(rest), true
	case "silence_stream":
		ms, _, _ := strings.Cut(rest, ",")
		n, err := strconv.Atoi(ms)
		if n < 0 {
			return endless, true
		}
		return time.Duration(n) * time.Millisecond, err == nil
	case "local_stream":
		return endless, true
	case "file_string":
		var total time.Duration
		for part := range strings.SplitSeq(rest, "!") {
			if lasts, ok := sw.length(part); ok {
				total += lasts
			}
		}
		return total, true
	case "say":
		return 0, false
	}
	if text, ok := strings.CutPrefix(path, "say:"); ok {
		parts := strings.SplitN(text, ":", 3)
		if len(parts) < 3 || !sw.engines[parts[0]] {
			return 0, false
		}
		return sw.speechLength(parts[2]), true
	}
	if lasts, ok := sw.sounds[path]; ok {
		return lasts, true
	}
	if sw.options.Sounds != nil {
		return sw.options.Sounds(path)
	}
	return 0, false
}

func (sw *Switch) speechLength(text string) time.Duration {
	return time.Duration(len([]rune(text))) * sw.options.SpeechRate
}

// toneLength adds up what a teletone script plays: %(on,off,tones…), separated
// by semicolons, loops=n times (-1: for ever). What is cut off plays nothing.
func toneLength(script string) time.Duration {
	var once time.Duration
	loops := 1
	for part := range strings.SplitSeq(script, ";") {
		if text, ok := strings.CutPrefix(part, "loops="); ok {
			loops, _ = strconv.Atoi(text)
			continue
		}
		for {
			_, rest, ok := strings.Cut(part, "%(")
			inner, after, closed := strings.Cut(rest, ")")
			if !ok || !closed {
				break
			}
			numbers := strings.Split(inner, ",")
			for _, text := range numbers[:min(2, len(numbers))] {
				ms, _ := strconv.Atoi(strings.TrimSpace(text))
				once += time.Duration(max(ms, 0)) * time.Millisecond
			}
			part = after
		}
	}
	if loops < 0 {
		return endless
	}
	return once * time.Duration(max(loops, 1))
}
