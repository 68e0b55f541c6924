package dialog

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"ccxmld/esl"
)

// voice is FreeSWITCH's text-to-speech engine and its voice.
type voice struct{ engine, name string }

// longestSpeech bounds a text to be spoken, in bytes: about half an hour.
const longestSpeech = 32 << 10

// FreeSWITCH's speak ends sooner than this only when it has spoken nothing: an
// engine that does not exist returns, without an error, after a millisecond, or
// some more on a busy machine. Nobody speaks four times as fast as the fastest.
const (
	shortestLetter = 10 * time.Millisecond
	shortestSpeech = 20 * time.Millisecond
	longestDoubt   = 100 * time.Millisecond
)

// shortest is what speaking a text takes at least; 0 if nothing in it sounds.
func shortest(text string) time.Duration {
	letters := 0
	for _, r := range text {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			letters++
		}
	}
	if letters == 0 {
		return 0
	}
	return min(max(time.Duration(letters)*shortestLetter, shortestSpeech), longestDoubt)
}

// argument gives the argument of the speak application, which splits at the
// first two bars only, or says why the text cannot be spoken.
func (v voice) argument(text string) (argument, problem string) {
	switch {
	case v.engine == "":
		return "", "no text-to-speech engine is configured; set dialog.tts in the configuration"
	case len(text) > longestSpeech:
		return "", fmt.Sprintf("the text is longer than %d KiB", longestSpeech>>10)
	}
	return esl.Literal(v.engine + "|" + v.name + "|" + speakable(text)), ""
}

// knowsSSML tells whether the engine takes SSML. The small ones that come with
// FreeSWITCH do not, and would read the tags aloud.
func (v voice) knowsSSML() bool {
	switch strings.ToLower(v.engine) {
	case "flite", "pico", "tts_commandline":
		return false
	}
	return true
}

// unspoken says that speak did nothing, and what to do; "" if it may have
// spoken.
func (v voice) unspoken(text string, c Completion) string {
	switch c.Response {
	case "", "_none_", "FILE PLAYED":
	default:
		return "FreeSWITCH refused to speak: " + c.Response
	}
	if c.Elapsed < 0 || c.Elapsed >= shortest(text) {
		return ""
	}
	return fmt.Sprintf("the text was not spoken: FreeSWITCH does not seem to have the text-to-speech engine %q with the voice %q; "+
		"load mod_%s there, or name another one under dialog.tts in the configuration", v.engine, v.name, v.engine)
}

// speakable puts a text on one line. A brace at the beginning would be read as
// settings for the engine (switch_core_speech_feed_tts), so it goes.
func speakable(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\r' || r == '\t' || r == '\v' || r == '\f':
			return ' '
		case unicode.IsControl(r):
			return -1
		}
		return r
	}, strings.ReplaceAll(text, "\r\n", "\n"))
	return strings.TrimLeft(text, "{ ")
}

// stripTags gives the text of SSML for engines that do not know it.
func stripTags(text string) string {
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(text, "<")
		b.WriteString(before)
		if !ok {
			break
		}
		switch {
		case strings.HasPrefix(rest, "!--"):
			_, text, ok = strings.Cut(rest, "-->")
		case strings.HasPrefix(rest, "![CDATA["):
			var inner string
			inner, text, ok = strings.Cut(strings.TrimPrefix(rest, "![CDATA["), "]]>")
			b.WriteString(entityText.Replace(inner))
		default:
			_, text, ok = strings.Cut(rest, ">")
			b.WriteByte(' ')
		}
		if !ok {
			break
		}
	}
	return strings.Join(strings.Fields(textEntity.Replace(b.String())), " ")
}

var (
	textEntity = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&quot;", `"`, "&apos;", "'", "&amp;", "&")
	entityText = strings.NewReplacer("&", "&amp;")
)
