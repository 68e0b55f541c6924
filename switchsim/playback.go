package switchsim

import (
	"strconv"
	"strings"
	"time"
)

var (
	sitePlayStart = site{"switch_ivr_play_say.c", "switch_ivr_play_file", 1649}
	sitePlayStop  = site{"switch_ivr_play_say.c", "switch_ivr_play_file", 2023}
)

// playback is playback and endless_playback.
type playback struct {
	timed
	endless bool
	heard   int // the party's sound
	speech  bool
}

func (p *playback) start(f *frame) {
	c := f.c
	if !p.endless {
		c.vars.remove("playback_terminator_used")
	}
	lasts, ok := c.sw.length(f.data)
	if p.speech = strings.HasPrefix(f.data, "say:"); p.speech && !ok {
		c.respond("PLAYBACK ERROR")
		f.finish()
		return
	}
	if !ok {
		if !p.endless {
			c.respond("FILE NOT FOUND")
		}
		f.finish()
		return
	}
	p.heard = c.party.hear(Sound{Kind: soundKind(f.data), What: p.what(f), From: c.sw.now()})
	p.play(f, lasts)
}

// what is the text that is said, or the file that is played.
func (p *playback) what(f *frame) string {
	if p.speech {
		parts := strings.SplitN(f.data, ":", 4)
		return parts[len(parts)-1]
	}
	return f.data
}

func (p *playback) play(f *frame, lasts time.Duration) {
	if !p.speech {
		f.c.fire("PLAYBACK_START", sitePlayStart, playbackHeaders(f.data)...)
	}
	if p.endless && lasts == 0 {
		lasts = minLoop // a real switch would spin
	}
	p.begin(f, lasts, func() { p.over(f, false) })
}

func playbackHeaders(path string) []header {
	kind := "file"
	if scheme, _, ok := strings.Cut(path, "://"); ok {
		kind = scheme
	}
	return []header{{"Playback-File-Type", kind}, {"Playback-File-Path", path}}
}

// over is the end of one turn of the file.
func (p *playback) over(f *frame, broken bool) {
	p.stopped(f, broken)
	if p.endless {
		p.play(f, p.total)
		return
	}
	f.c.respond("FILE PLAYED")
	f.finish()
}

// stopped tells how far the file was played.
func (p *playback) stopped(f *frame, broken bool) {
	played := p.stop(f)
	f.c.party.stopHearing(p.heard, played == p.total)
	if p.speech {
		return
	}
	status := "done"
	if broken {
		status = "break"
	}
	f.c.reportPlayed(played, p.total)
	f.c.fire("PLAYBACK_STOP", sitePlayStop, append(playbackHeaders(f.data), header{"Playback-Status", status})...)
}

// readAhead is how much FreeSWITCH reads of a file at a time: what it counts
// as played of one that is broken off.
const readAhead = 2048 * time.Millisecond

// reportPlayed sets the variables that say how much was played.
func (c *channel) reportPlayed(played, total time.Duration) {
	read := total
	if played != total {
		read = (played/readAhead + 1) * readAhead
		if total != endless {
			read = min(read, total)
		}
	}
	c.vars.set("playback_last_offset_pos", strconv.FormatInt(samples(played), 10))
	c.vars.set("playback_seconds", strconv.FormatInt(int64(read/time.Second), 10))
	c.vars.set("playback_ms", strconv.FormatInt(read.Milliseconds(), 10))
	c.vars.set("playback_samples", strconv.FormatInt(samples(read), 10))
}

// samples counts those of a time at 8000 Hz.
func samples(d time.Duration) int64 { return d.Milliseconds() * 8 }

// breakOff ends the turn; endless_playback begins another.
func (p *playback) breakOff(f *frame) { p.over(f, true) }

func (p *playback) digit(f *frame, digit byte) {
	if f.c.hasTerminator(digit) {
		p.over(f, false)
	}
}

// abort says that the file was played if the switch itself ends the call, as by
// uuid_kill, and not if the party does or the leg is taken elsewhere.
func (p *playback) abort(f *frame) {
	p.stopped(f, false)
	response := "PLAYBACK ERROR"
	if f.c.down() && !f.c.remoteBye {
		response = "FILE PLAYED"
	}
	f.c.respond(response)
}

// speak is speak: it never says whether it could.
type speak struct {
	timed
	heard int
}

func (s *speak) start(f *frame) {
	parts := strings.SplitN(f.data, "|", 3)
	if len(parts) < 3 || !f.c.sw.engines[parts[0]] {
		f.finish()
		return
	}
	s.heard = f.c.party.hear(Sound{Kind: "speech", What: parts[2], From: f.c.sw.now()})
	s.begin(f, f.c.sw.speechLength(parts[2]), func() { s.over(f) })
}

func (s *speak) over(f *frame) {
	s.quiet(f)
	f.finish()
}

func (s *speak) quiet(f *frame) {
	played := s.stop(f)
	f.c.party.stopHearing(s.heard, played == s.total)
}

func (s *speak) breakOff(f *frame) { s.over(f) }
func (s *speak) digit(f *frame, digit byte) {
	if f.c.hasTerminator(digit) {
		s.over(f)
	}
}
func (s *speak) abort(f *frame) { s.quiet(f) }
