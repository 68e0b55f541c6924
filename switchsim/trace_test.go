package switchsim_test

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"ccxmld/clock"
	"ccxmld/esl/recording"
	"ccxmld/memnet"
	"ccxmld/switchsim"
)

const traces = "../esl/testdata/traces"

// patience bounds what a stage waits for: its time does not pass by itself.
const patience = time.Minute

// stage is where a recorded conversation is played again: a switch with time of
// its own, and those who talk to it. The subject is the connection that was
// recorded.
type stage struct {
	*place
	sw       *switchsim.Switch
	clock    *clock.Manual // the place's
	began    time.Time
	first    *sockets // stands for 127.0.0.1:8084
	second   *sockets // stands for 127.0.0.1:8085
	subject  *controller
	hidden   *controller // a link that was not recorded
	leg      *controller // a leg's socket that was not recorded
	caller   *switchsim.Party
	outgoing *switchsim.Party
	commands int
}

// deed is something that happened outside the recorded connection.
type deed struct {
	at time.Duration
	do func(s *stage)
}

func newStage(t testing.TB) *stage {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	began := time.Date(2026, 11, 21, 2, 39, 30, 0, time.UTC)
	c := clock.NewManual(began)
	p := &place{t, ctx, c, memnet.New(c)}
	s := &stage{place: p, clock: c, began: began, first: p.newSockets(), second: p.newSockets()}
	s.sw = p.newSwitch(switchsim.Options{Tick: 20 * time.Millisecond, Sockets: []string{s.first.address()}, Gateways: []string{"pstn"}, SpeechRate: 90 * time.Millisecond})
	s.sw.Callee("answer", switchsim.Answers{})
	s.sw.Callee("busy", switchsim.Busy{})
	s.sw.Callee("reject", switchsim.Rejects{})
	s.sw.Callee("noanswer", switchsim.NoAnswer{})
	s.sw.Callee("x", switchsim.Unreachable{})
	s.sw.Callee("early", switchsim.EarlyMedia{AnswerAfter: 2 * time.Second})
	s.sw.Callee("digits-12", switchsim.Answers{HangupAfter: 4 * time.Second})
	s.sw.Callee("digits-4", switchsim.Answers{HangupAfter: 4 * time.Second})
	s.sw.Callee("8020", switchsim.Undecided{})
	s.sw.Callee("8700", switchsim.Undecided{})
	return s
}

func (s *stage) now() time.Duration { return s.clock.Now().Sub(s.began) }

// settle waits until the switch has connected where a leg is about to, and until the
// subject has read all that the switch has for it.
func (s *stage) settle() {
	for s.sw.Connecting() {
		if s.ctx.Err() != nil {
			s.Fatal("switch did not connect")
		}
		runtime.Gosched()
	}
	for s.subject != nil {
		written, done := s.sw.Written(s.subject.conn)
		if done && s.subject.bytes() >= written {
			return
		}
		if s.ctx.Err() != nil {
			s.Fatalf("switch did not settle: %d of %d bytes read", s.subject.bytes(), written)
		}
		runtime.Gosched()
	}
}

// step is how far time moves between two looks.
const step = 5 * time.Millisecond

func (s *stage) advanceTo(at time.Duration) {
	for s.now() < at {
		s.clock.Advance(min(step, at-s.now()))
		s.settle()
	}
}

// play goes through a recording: what was sent is sent where it was, and before
// that as much must have come as came then.
func (s *stage) play(blocks []recording.Block, deeds []deed) {
	received := 0
	for _, block := range blocks {
		for len(deeds) > 0 && deeds[0].at <= block.At {
			s.advanceTo(deeds[0].at)
			deeds[0].do(s)
			s.settle()
			deeds = deeds[1:]
		}
		switch block.Direction {
		case recording.Received:
			received++
			s.awaitCount(received, block)
		case recording.Sent:
			s.advanceTo(block.At)
			s.commands++
			s.subject.say(s.translate(block.Text))
			s.awaitReply()
		case recording.Closed:
			s.advanceTo(max(s.now(), block.At) + 2*time.Second)
			s.subject.awaitClosed()
		}
	}
	s.advanceTo(s.now() + 100*time.Millisecond)
}

// awaitCount lets time pass until n blocks have come.
func (s *stage) awaitCount(n int, block recording.Block) {
	s.settle()
	for s.subject.count() < n && s.now() < block.At+3*time.Second {
		s.advanceTo(s.now() + step)
	}
}

func (s *stage) awaitReply() {
	for s.subject.replies() < s.commands {
		if s.ctx.Err() != nil {
			s.Fatalf("no reply to command %d", s.commands)
		}
		runtime.Gosched()
	}
	s.settle()
}

// translate puts the addresses of this run into recorded text.
func (s *stage) translate(text string) string {
	return strings.NewReplacer("127.0.0.1:8084", s.first.address(), "127.0.0.1:8085", s.second.address()).Replace(text)
}

func (s *stage) recorded(text string) string {
	return strings.NewReplacer(s.first.address(), "127.0.0.1:8084", s.second.address(), "127.0.0.1:8085",
		strings.ReplaceAll(s.first.address(), ":", "%3A"), "127.0.0.1%3A8084", strings.ReplaceAll(s.second.address(), ":", "%3A"), "127.0.0.1%3A8085").Replace(text)
}

// compare compares what came with what came then.
func (s *stage) compare(blocks []recording.Block, leave leave) {
	var want, got []entry
	for _, block := range blocks {
		if block.Direction == recording.Received {
			want = append(want, newEntry(string(block.Wire()), block.At, block.Line))
		}
	}
	for i, block := range s.subject.all() {
		got = append(got, newEntry(s.recorded(block), 0, i))
	}
	identify(want)
	identify(got)
	order := s.pair(want, got, leave)
	for i := range want {
		for j := range want[:i] {
			if order[i] >= 0 && order[j] >= 0 && order[j] > order[i] && want[i].at-want[j].at > race && !leave.order(want[j]) && !leave.order(want[i]) {
				s.Errorf("%s (line %d) came after %s (line %d)", want[j].name, want[j].line, want[i].name, want[i].line)
			}
		}
	}
}

// race is how far apart two things on different legs (or in a job, a
// conference, a notice) must have been recorded for their order to count: two
// ticks. Within a leg all order counts.
const race = 45 * time.Millisecond

// pair compares the blocks of each actor in their order and returns where each
// recorded one came in this run.
func (s *stage) pair(want, got []entry, leave leave) []int {
	order := make([]int, len(want))
	used := make([]bool, len(got))
	for i, w := range want {
		order[i] = -1
		for j, g := range got {
			if used[j] || g.actor != w.actor {
				continue
			}
			if g.name != w.name {
				if leave.missing(w) {
					break
				}
				if leave.extra(g) {
					used[j] = true
					continue
				}
				s.Errorf("line %d: %s of %s, want %s", w.line, g.name, w.actor, w.name)
			} else {
				s.compareBlock(w, g, leave)
			}
			used[j], order[i] = true, j
			break
		}
		if order[i] < 0 && !leave.missing(w) {
			s.Errorf("line %d: no %s of %s", w.line, w.name, w.actor)
		}
	}
	for j, g := range got {
		if !used[j] && !leave.extra(g) {
			s.Errorf("%s of %s is too many", g.name, g.actor)
		}
	}
	return order
}

// compareBlock compares the names of the headers, how often each stands there,
// and the values that are not ids, times, addresses or counters.
func (s *stage) compareBlock(want, got entry, leave leave) {
	var differences []string
	for _, name := range slices.Sorted(slices.Values(append(slices.Clone(want.names), got.names...))) {
		w, g := want.headers[name], got.headers[name]
		if len(w) != len(g) {
			if !leave.header(want, name) {
				differences = append(differences, fmt.Sprintf("%s stands there %d times, want %d %q", name, len(g), len(w), append(w, g...)))
			}
			continue
		}
		for i := range w {
			if w[i] != g[i] && !volatile(name) && !leave.value(want, name) {
				differences = append(differences, fmt.Sprintf("%s is %q, want %q", name, g[i], w[i]))
			}
		}
	}
	if want.body != got.body && !leave.value(want, "body") {
		differences = append(differences, fmt.Sprintf("body is %q, want %q", got.body, want.body))
	}
	if differences = slices.Compact(differences); len(differences) > 0 {
		s.Errorf("line %d, %s of %s:\n  %s", want.line, want.name, want.actor, strings.Join(differences, "\n  "))
	}
}

// entry is a block taken apart.
type entry struct {
	name, actor string
	headers     map[string][]string
	names       []string
	body        string
	at          time.Duration
	line        int
}

func newEntry(block string, at time.Duration, line int) entry {
	e := entry{headers: make(map[string][]string), at: at, line: line}
	head, body, _ := strings.Cut(block, "\n\n")
	e.parse(head)
	if e.first("Content-Type") == "text/event-plain" {
		head, body, _ = strings.Cut(body, "\n\n")
		e.headers, e.names = make(map[string][]string), nil
		e.parse(head)
	}
	if dump := make(map[string]any); json.Unmarshal([]byte(body), &dump) == nil {
		for name, text := range dump {
			e.headers[name] = []string{normalize(name, fmt.Sprint(text))}
			e.names = append(e.names, name)
		}
		delete(e.headers, "Event-Name") // it is the body of a reply, not an event
	} else {
		e.body = normalize("", strings.TrimRight(body, "\n"))
	}
	e.name = e.first("Event-Name")
	switch uuid := e.first("raw Unique-ID"); {
	case e.first("Socket-Mode") != "" || e.name == "" && e.first("Content-Type") != "text/disconnect-notice":
		e.name, e.actor = "reply", "replies"
	case e.name == "":
		e.name, e.actor = "disconnect-notice", "notices"
	case e.first("Action") == "play-file-member-done":
		e.name, e.actor = e.first("Action"), "files of members"
	case e.name == "CUSTOM" && uuid == "":
		e.name, e.actor = e.first("Action"), "conference "+e.first("raw Conference-Unique-ID")
	case e.name == "CUSTOM":
		e.name, e.actor = e.first("Action"), uuid
	case uuid != "":
		e.actor = uuid
	default:
		e.actor = "jobs"
	}
	delete(e.headers, "raw Unique-ID")
	delete(e.headers, "raw Conference-Unique-ID")
	return e
}

func (e *entry) parse(head string) {
	for line := range strings.SplitSeq(head, "\n") {
		name, text, ok := strings.Cut(line, ": ")
		if !ok {
			continue
		}
		if name == "Unique-ID" || name == "Conference-Unique-ID" {
			e.headers["raw "+name] = append(e.headers["raw "+name], text)
		}
		e.headers[name] = append(e.headers[name], normalize(name, text))
		e.names = append(e.names, name)
	}
}

func (e *entry) first(name string) string {
	if values := e.headers[name]; len(values) > 0 {
		return values[0]
	}
	return ""
}

// identify replaces the ids of conferences by the order they came up in.
func identify(entries []entry) {
	seen := make(map[string]string)
	for i := range entries {
		if id, ok := strings.CutPrefix(entries[i].actor, "conference "); ok {
			if seen[id] == "" {
				seen[id] = "conference " + strconv.Itoa(len(seen)+1)
			}
			entries[i].actor = seen[id]
		}
	}
}

var (
	uuidPattern = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
	// secondsPattern matches the times in lists of conferences.
	secondsPattern = regexp.MustCompile(`((?:run|join)_time["=>:\s]+)[0-9]+`)
	numberPattern  = regexp.MustCompile(`17[0-9]{8,14}`)
)

func normalize(name, text string) string {
	text = uuidPattern.ReplaceAllString(text, "UUID")
	text = secondsPattern.ReplaceAllString(text, "${1}SECONDS")
	return numberPattern.ReplaceAllString(text, "TIME")
}

// volatilePattern matches the headers whose values are ids, times, addresses,
// ports, sizes or counters of packets.
var volatilePattern = regexp.MustCompile(`^(Core-UUID|FreeSWITCH-.*|Event-Date-.*|Event-Sequence|Content-Length|.*-Time|` +
	`variable_(session_id|sip_(call_id|from_tag|to_tag|cseq|full_(via|from|to)|recover_via|invite_stamp)|` +
	`switch_r_sdp|rtp_local_sdp_str|local_media_port|remote_media_port|rtp_use_ssrc|rtp_audio_.*|.*_u?epoch|.*_stamp|` +
	`m?u?(bill)?duration|[a-z_]*([mu]?sec)|record_(record_)?(file_size|seconds|ms|samples)|playback_(last_offset_pos|seconds|ms|samples)|` +
	`duration|mduration|uduration)|` +
	`milliseconds|samples|seconds|Samples-Out|Milliseconds-Elapsed|Record-File-Size)$`)

func volatile(name string) bool { return volatilePattern.MatchString(name) }

// leave is what a comparison leaves out, and why.
type leave []exception

// exception names something that is not as recorded.
type exception struct {
	name   string // of the event or reply; empty: any
	header string // whose value may differ; empty: the whole block
	kind   string // "missing", "extra", "order", "value", "header"
	line   int    // in the recording; 0: any
	why    string
}

func (l leave) has(kind string, e entry, header string) bool {
	return slices.ContainsFunc(l, func(x exception) bool {
		return x.kind == kind && (x.name == "" || x.name == e.name) && (x.line == 0 || x.line == e.line) && (x.header == header || header == "")
	})
}

func (l leave) missing(e entry) bool             { return l.has("missing", e, "") }
func (l leave) extra(e entry) bool               { return l.has("extra", e, "") }
func (l leave) order(e entry) bool               { return l.has("order", e, "") }
func (l leave) value(e entry, name string) bool  { return l.has("value", e, name) }
func (l leave) header(e entry, name string) bool { return l.has("header", e, name) }

// TestEveryRecordingIsPlayed keeps a new recording from being forgotten.
func TestEveryRecordingIsPlayed(t *testing.T) {
	files, err := filepath.Glob(traces + "/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no recordings: %v", err)
	}
	for _, file := range files {
		if _, ok := plays[strings.TrimSuffix(filepath.Base(file), ".txt")]; !ok {
			t.Errorf("nothing plays %s", file)
		}
	}
}

// TestSwitchSpeaksAsRecorded has every recorded conversation again with the
// simulated switch and compares.
func TestSwitchSpeaksAsRecorded(t *testing.T) {
	for name, play := range plays {
		t.Run(name, func(t *testing.T) {
			blocks, err := recording.Load(filepath.Join(traces, name+".txt"))
			if err != nil {
				t.Fatal(err)
			}
			s := newStage(t)
			play.setup(s)
			s.began = s.clock.Now()
			s.play(blocks, play.deeds)
			s.compare(blocks, append(play.leave, always...))
		})
	}
}
