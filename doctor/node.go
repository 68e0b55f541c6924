package doctor

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"ccxmld/conf"
	"ccxmld/esl"
	"ccxmld/freeswitch"
)

// node is a FreeSWITCH under examination.
type node struct {
	*examination
	about      string
	link       *esl.Link
	call       string              // the id of the leg that we place
	callEnded  chan string         // its hangup cause
	interfaces map[string][]string // names by type: "speech" to "flite"; nil if not known
}

// node looks at one FreeSWITCH.
func (x *examination) node(ctx context.Context, options conf.Node, h *home) {
	n := &node{examination: x, about: "node " + options.Name, call: uuid.NewString(), callEnded: make(chan string, 1)}
	up := make(chan struct{})
	n.link = esl.NewLink(esl.LinkOptions{
		Name: options.Name, Address: options.Address, Password: options.Password.Reveal(),
		Events: []string{"CHANNEL_HANGUP_COMPLETE"}, Filters: [][2]string{{"Unique-ID", n.call}},
		OnUp: func() { close(up) },
		OnEvent: func(e *esl.Event) {
			if e.Name() != "CHANNEL_HANGUP_COMPLETE" || e.Get("Unique-ID") != n.call { // of a call before the filter was there
				return
			}
			select {
			case n.callEnded <- e.Get("Hangup-Cause"):
			default:
			}
		},
		Handshake: x.Patience, Logger: x.Logger,
	})
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- n.link.RunOnce(ctx) }()
	select {
	case <-up:
		x.ok(n.about, "link", "reached at %s, and logged in", options.Address)
		n.examine(ctx, options, h)
		cancel()
		<-ended
	case err := <-ended:
		cancel()
		if err != nil {
			n.unreachable(options, err)
		}
	}
}

// unreachable says why there is no link. Its check names what is wrong.
func (n *node) unreachable(options conf.Node, err error) {
	check := "link"
	switch {
	case errors.Is(err, esl.ErrWrongPassword):
		check = "password"
	case errors.Is(err, esl.ErrRejected):
		check = "acl"
	case errors.Is(err, esl.ErrNotFreeSWITCH):
		check = "freeswitch"
	}
	n.problem(n.about, check, fmt.Sprintf("%s: %v", options.Address, err), esl.Remedy(err))
}

// examine asks a node that is reached everything.
func (n *node) examine(ctx context.Context, options conf.Node, h *home) {
	n.password(options)
	n.phones(ctx)
	n.version(ctx)
	ready := n.ready(ctx)
	n.modules(ctx)
	n.limits(ctx)
	n.clock(ctx)
	n.profile(ctx)
	n.sounds(ctx)
	n.endpoints(ctx)
	n.recognition()
	switch {
	case h == nil:
		n.warning(n.about, "call", "no test call was made, since nothing could be opened for it to come to", "see addresses")
		return
	case !ready:
		n.warning(n.about, "call", "no test call was made, since FreeSWITCH takes none", "run ccxmld doctor again when it does")
		return
	}
	n.placeCall(ctx, h)
}

// ask runs an API command and gives its output; "" and false when there is none,
// or it says that it did not work.
func (n *node) ask(ctx context.Context, command string, arguments ...string) (string, bool) {
	ctx, cancel := context.WithTimeout(ctx, n.Patience)
	defer cancel()
	reply, err := n.link.Do(ctx, esl.API(command, arguments...))
	if err != nil || reply.Err() != nil {
		return "", false
	}
	return reply.Text, true
}

// stockPassword is what FreeSWITCH comes with.
const stockPassword = "ClueCon"

func (n *node) password(options conf.Node) {
	if options.Password.Reveal() == stockPassword {
		n.warning(n.about, "password", "the password is the one that FreeSWITCH comes with, which everybody knows",
			"choose another in event_socket.conf.xml, and put it into nodes: whoever gets in can run commands as FreeSWITCH's user")
	}
}

// phones looks at the password of the stock configuration's phones. Its dialplan
// default holds each call up for 10 s as long as it is the stock one.
func (n *node) phones(ctx context.Context) {
	if text, _ := n.ask(ctx, "global_getvar", "default_password"); text == "1234" {
		n.warning(n.about, "phones", "default_password is the one that FreeSWITCH comes with: whoever reaches its SIP port can register and call, and its dialplan default waits 10 s before each call",
			"change default_password in vars.xml, and fs_cli -x reloadxml")
	}
}

var versionForm = regexp.MustCompile(`^(\d+)\.(\d+)\.(\d+)`)

// The versions that matter: what is tried, and the first one that does not trust
// lengths announced by an Event Socket peer.
var (
	oldest = [3]int{1, 10, 0}
	sound  = [3]int{1, 11, 1}
)

func (n *node) version(ctx context.Context) {
	text, _ := n.ask(ctx, "version", "short")
	parts := versionForm.FindStringSubmatch(text)
	if parts == nil {
		n.warning(n.about, "version", fmt.Sprintf("it does not say which version of FreeSWITCH it is (%q)", text), "load mod_commands; ccxmld is tried with 1.10 and later")
		return
	}
	var version [3]int
	for i := range version {
		version[i], _ = strconv.Atoi(parts[i+1])
	}
	switch {
	case before(version, oldest):
		n.warning(n.about, "version", "FreeSWITCH "+text+" is older than what ccxmld is tried with", "update to 1.10.12 or later")
	case before(version, sound):
		n.warning(n.about, "version", "FreeSWITCH "+text+" trusts the lengths that an Event Socket peer announces (CVE-2026-49840)",
			"keep the Event Socket on a private address, or update to 1.11.3 or later")
	default:
		n.ok(n.about, "version", "FreeSWITCH %s", text)
	}
}

func before(a, b [3]int) bool {
	for i := range a {
		if a[i] != b[i] {
			return a[i] < b[i]
		}
	}
	return false
}

// ready tells whether calls are taken.
func (n *node) ready(ctx context.Context) bool {
	text, ok := n.ask(ctx, "status")
	if ok && !strings.Contains(text, "is ready") {
		n.problem(n.about, "ready", "it takes no calls at present", "fs_cli -x 'fsctl resume', unless it is being shut down")
		return false
	}
	return true
}

func (n *node) modules(ctx context.Context) {
	var loaded []string
	for _, module := range freeswitch.Modules() {
		text, ok := n.ask(ctx, "module_exists", module.Name)
		mend := fmt.Sprintf(`add <load module="%s"/> to modules.conf.xml, and fs_cli -x 'load %s'`, module.Name, module.Name)
		switch {
		case ok && text == "true":
			loaded = append(loaded, module.Name)
		case module.Needed:
			n.problem(n.about, "module", module.Name+" is not loaded: it is needed for "+module.For, mend)
		default:
			n.warning(n.about, "module", module.Name+" is not loaded: without it, no "+module.For, mend)
		}
	}
	if len(loaded) > 0 {
		n.ok(n.about, "modules", "loaded: %s", strings.Join(loaded, ", "))
	}
	n.interfaces = n.listInterfaces(ctx)
}

// listInterfaces asks what FreeSWITCH's modules bring. A FreeSWITCH without its
// core database cannot tell.
func (n *node) listInterfaces(ctx context.Context) map[string][]string {
	text, ok := n.ask(ctx, "show", "interfaces")
	lines := strings.Split(text, "\n")
	if !ok || lines[0] != "type,name,ikey" {
		return nil
	}
	found := make(map[string][]string)
	for _, line := range lines[1:] {
		if parts := strings.Split(line, ","); len(parts) == 3 {
			found[parts[0]] = append(found[parts[0]], parts[1])
		}
	}
	return found
}

// number is the number at the end of an answer, such as
// "+OK sessions per second: 30"; 0 when there is none.
func number(text string) int {
	n, _ := strconv.Atoi(strings.TrimSpace(text[strings.LastIndexByte(text, ':')+1:]))
	return n
}

func (n *node) limits(ctx context.Context) {
	ours := n.config.Limits
	if text, ok := n.ask(ctx, "fsctl", "sps"); ok && number(text) > 0 {
		sps := number(text)
		switch {
		case ours.OriginatesPerSecond >= sps:
			n.problem(n.about, "sps", fmt.Sprintf("limits.originates_per_second is %d, but FreeSWITCH takes only %d new calls a second, incoming ones included, and refuses the others",
				ours.OriginatesPerSecond, sps), "lower the one, or raise sessions-per-second in switch.conf.xml (at once: fs_cli -x 'fsctl sps N')")
		default:
			n.ok(n.about, "sps", "%d new calls a second are taken, %d of them may be ours", sps, ours.OriginatesPerSecond)
		}
	}
	if text, ok := n.ask(ctx, "fsctl", "max_sessions"); ok && number(text) > 0 {
		most := number(text)
		if most < ours.Sessions {
			n.warning(n.about, "sessions", fmt.Sprintf("limits.sessions is %d, but FreeSWITCH takes %d calls at a time and refuses the others itself", ours.Sessions, most),
				"raise max-sessions in switch.conf.xml (at once: fs_cli -x 'fsctl max_sessions N'), or lower limits.sessions")
			return
		}
		n.ok(n.about, "sessions", "%d calls at a time", most)
	}
}

// mostSkew is how far two clocks may be apart before the times in logs, Redis and
// recordings cannot be compared any more.
const mostSkew = 2 * time.Second

func (n *node) clock(ctx context.Context) {
	asked := time.Now()
	text, ok := n.ask(ctx, "strmicroepoch")
	answered := time.Now()
	micros, err := strconv.ParseInt(text, 10, 64)
	if !ok || err != nil {
		return
	}
	skew := time.UnixMicro(micros).Sub(asked.Add(answered.Sub(asked) / 2)).Round(time.Millisecond)
	if skew.Abs() > mostSkew+answered.Sub(asked) {
		n.warning(n.about, "clock", fmt.Sprintf("its clock differs from ours by %s", skew), "let both machines take their time from the same NTP servers; a FreeSWITCH that missed a change: fs_cli -x 'fsctl sync_clock'")
		return
	}
	n.ok(n.about, "clock", "its clock differs from ours by %s", skew.Abs())
}

// profile looks for the conference profile: FreeSWITCH itself says nothing when
// there is none.
func (n *node) profile(ctx context.Context) {
	name := n.config.Conference.Profile
	text, ok := n.ask(ctx, "xml_locate", "configuration", "configuration", "name", "conference.conf")
	var configuration struct {
		Profiles []struct {
			Name string `xml:"name,attr"`
		} `xml:"profiles>profile"`
	}
	mend := "copy conf/freeswitch/autoload_configs/conference_profile_ccxmld.xml beside conference.conf.xml, include it there in <profiles>, and fs_cli -x reloadxml; or name a profile of yours in conference.profile"
	if !ok || xml.Unmarshal([]byte(text), &configuration) != nil {
		n.problem(n.about, "profile", "conference.conf.xml is not there, or cannot be read", mend)
		return
	}
	for _, profile := range configuration.Profiles {
		if profile.Name == name {
			n.ok(n.about, "profile", "the conference profile %s is there", name)
			return
		}
	}
	n.problem(n.about, "profile", fmt.Sprintf("there is no conference profile %s: keys in conferences would mute and hang up, and callers hear FreeSWITCH's own announcements", name), mend)
}

// sounds looks for the directories of prompts.
func (n *node) sounds(ctx context.Context) {
	folder, isFile := strings.CutPrefix(n.config.Dialog.Sounds, "file://")
	if isFile {
		if text, _ := n.ask(ctx, "file_exists", folder); text == "true" {
			n.ok(n.about, "sounds", "dialog.sounds %s is there", folder)
		} else {
			n.problem(n.about, "sounds", fmt.Sprintf("dialog.sounds %s is not there for FreeSWITCH: prompts below it end in error.dialog.notstarted", folder),
				"put the prompts there on FreeSWITCH's machine, readable to its user, or change dialog.sounds")
		}
	}
	prefix, ok := n.ask(ctx, "global_getvar", "sound_prefix")
	switch {
	case !ok: // it does not say
		return
	case prefix == "":
		n.warning(n.about, "prompts", "sound_prefix is empty: FreeSWITCH does not know where its own prompts are; numbers and dates are spoken by the engine, and say: without ?text= ends in error.dialog.notstarted",
			"set sound_prefix in vars.xml to the directory of the sounds")
		return
	}
	for _, one := range []string{"/digits/8000/1.wav", "/digits/16000/1.wav", "/digits/32000/1.wav", "/digits/48000/1.wav", "/digits/1.wav"} {
		if text, _ := n.ask(ctx, "file_exists", prefix+one); text == "true" {
			n.ok(n.about, "prompts", "FreeSWITCH's own prompts are in %s", prefix)
			return
		}
	}
	n.warning(n.about, "prompts", fmt.Sprintf("FreeSWITCH's own prompts are not in %s, where sound_prefix says (there is no digits/8000/1.wav): numbers and dates are spoken by the engine, and say: without ?text= ends in error.dialog.notstarted", prefix),
		"install the sounds (the package freeswitch-sounds-en-us-callie, or make cd-sounds-install), or set sound_prefix in vars.xml")
}
