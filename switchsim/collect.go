package switchsim

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// collector is play_and_get_digits and read: it plays a prompt and collects
// digits.
type collector struct {
	isRead         bool
	min, max       int
	tries          int
	timeout        time.Duration
	digitTimeout   time.Duration
	terminators    string
	file, invalid  string
	variable       string
	accepts        *regexp.Regexp
	try            int
	got            []byte
	player         playback // the prompt
	playing        bool
	pathNow        string
	wait           timed
	waiting        bool
	afterPrompt    func(f *frame)
	terminatorUsed string
}

func (r *collector) start(f *frame) {
	f.c.vars.remove("read_result")
	if !r.parse(separate(f.data, ' ')) {
		f.c.vars.set("read_result", "failure")
		f.finish()
		return
	}
	r.attempt(f)
}

// parse reads "min max tries timeout terminators file invalid variable regexp
// digit_timeout", or read's "min max file variable timeout terminators".
func (r *collector) parse(words []string) bool {
	word := func(i int) string {
		if i < len(words) {
			return words[i]
		}
		return ""
	}
	number := func(i int) int { n, _ := strconv.Atoi(word(i)); return n }
	r.min, r.max = number(0), number(1)
	r.tries, r.accepts = 1, nil
	if r.isRead {
		r.file, r.variable, r.terminators = word(2), word(3), word(5)
		r.timeout = time.Duration(number(4)) * time.Millisecond
	} else {
		r.tries, r.terminators, r.file, r.invalid, r.variable = number(2), word(4), word(5), word(6), word(7)
		r.timeout = time.Duration(number(3)) * time.Millisecond
		if pattern := word(8); pattern != "" {
			r.accepts, _ = regexp.Compile(pattern)
		}
	}
	if r.timeout <= 0 {
		r.timeout = time.Second
	}
	r.digitTimeout = r.timeout
	if n := number(9); n > 0 && !r.isRead {
		r.digitTimeout = time.Duration(n) * time.Millisecond
	}
	return r.max >= 1 && r.min <= r.max && len(words) >= 4
}

func (r *collector) attempt(f *frame) {
	r.try++
	r.got, r.terminatorUsed = nil, ""
	if !r.isRead {
		f.c.vars.remove(r.variable)
	}
	r.prompt(f, r.file, r.listen)
}

// prompt plays a file, then does what comes after.
func (r *collector) prompt(f *frame, path string, then func(f *frame)) {
	lasts, ok := f.c.sw.length(path)
	if !ok || path == "" {
		then(f)
		return
	}
	r.playing, r.pathNow, r.afterPrompt = true, path, then
	f.c.fire("PLAYBACK_START", sitePlayStart, playbackHeaders(path)...)
	r.player.heard = f.c.party.hear(Sound{Kind: soundKind(path), What: path, From: f.c.sw.now()})
	r.player.begin(f, lasts, func() { r.prompted(f) })
}

func (r *collector) prompted(f *frame) {
	then := r.afterPrompt
	r.hush(f)
	then(f)
}

// hush ends the prompt.
func (r *collector) hush(f *frame) {
	if !r.playing {
		return
	}
	r.playing = false
	played := r.player.stop(f)
	f.c.party.stopHearing(r.player.heard, played == r.player.total)
	f.c.reportPlayed(played, r.player.total)
	f.c.fire("PLAYBACK_STOP", sitePlayStop, append(playbackHeaders(r.pathNow), header{"Playback-Status", "done"})...)
}

// listen waits for the first digit, or for the next.
func (r *collector) listen(f *frame) {
	timeout := r.timeout
	if len(r.got) > 0 {
		timeout = r.digitTimeout
	}
	r.waiting = true
	r.wait.begin(f, timeout, func() {
		r.waiting = false
		r.judge(f, "failure")
	})
}

func (r *collector) digit(f *frame, digit byte) {
	if r.playing && r.try > 0 && r.pathNow == r.invalid && r.pathNow != r.file {
		return
	}
	r.hush(f)
	r.wait.stop(f)
	r.waiting = false
	if strings.IndexByte(r.terminators, digit) >= 0 {
		r.terminatorUsed = string(digit)
		f.c.vars.set("read_terminator_used", r.terminatorUsed)
		r.judge(f, "failure")
		return
	}
	r.got = append(r.got, digit)
	if len(r.got) >= r.max {
		r.judge(f, "failure")
		return
	}
	r.listen(f)
}

// judge decides whether the digits will do.
func (r *collector) judge(f *frame, otherwise string) {
	c := f.c
	good := len(r.got) >= r.min && len(r.got) > 0 && (r.accepts == nil || r.accepts.Match(r.got))
	if good {
		c.vars.set("read_result", "success")
		c.vars.set(r.variable, string(r.got))
		f.finish()
		return
	}
	if r.isRead {
		otherwise = "timeout"
		c.vars.set(r.variable, string(r.got))
	}
	c.vars.set("read_result", otherwise)
	r.prompt(f, r.invalid, func(f *frame) {
		if r.try < r.tries {
			r.attempt(f)
			return
		}
		f.finish()
	})
}

func (r *collector) pause(f *frame) {
	r.player.pause(f)
	r.wait.pause(f)
}

func (r *collector) resume(f *frame) {
	switch {
	case r.playing:
		r.player.timed.resume(f)
	case r.waiting:
		r.wait.resume(f)
	}
}

func (r *collector) breakOff(f *frame) {
	if r.playing {
		r.prompted(f)
	}
}

func (r *collector) abort(f *frame) {
	r.hush(f)
	r.wait.stop(f)
	f.c.vars.set("read_result", "failure")
}
