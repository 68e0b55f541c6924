package doctor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"ccxmld/esl"
)

// placeCall calls from FreeSWITCH to itself, and has the leg come to us, as the
// legs of createcall do; then it tries on it what prompts need.
func (n *node) placeCall(ctx context.Context, h *home) {
	if loaded, _ := n.ask(ctx, "module_exists", "mod_loopback"); loaded != "true" {
		n.warning(n.about, "call", "no test call was made: it needs mod_loopback", "load mod_loopback, and run ccxmld doctor again")
		return
	}
	v := n.originate(ctx, h)
	if v == nil {
		return
	}
	defer v.conn.Close()
	defer n.ask(ctx, "uuid_kill", n.call)
	n.ok(n.about, "call", "a call from FreeSWITCH to itself came to %s", h.address)
	n.admitted(v)
	ctx, cancel := context.WithTimeout(ctx, 10*n.Patience)
	defer cancel()
	if err := v.listen(ctx, n.call); err != nil {
		n.problem(n.about, "call", fmt.Sprintf("the call was lost: %v", err), "look at FreeSWITCH's log for "+n.call)
		return
	}
	for _, try := range []func(context.Context, *visit) error{n.playSpool, n.speak, n.record} {
		if err := try(ctx, v); err != nil {
			n.problem(n.about, "call", fmt.Sprintf("the call was lost: %v", err), "look at FreeSWITCH's log for "+n.call)
			return
		}
	}
}

// originate places the call and waits for it to come; nil if it does not.
func (n *node) originate(ctx context.Context, h *home) *visit {
	arrived := h.await(n.call)
	refused := make(chan string, 1)
	n.link.Job(esl.Originate{
		UUID: n.call, Timeout: n.Patience, Vars: map[string]string{"loopback_bowout": "false"},
		Dial: "loopback/m:^:answer^park/default/inline",
		Apps: []esl.App{{Name: "socket", Arg: h.address + " async full"}},
	}.Command(), func(result string, err error) {
		switch {
		case err != nil:
			refused <- err.Error()
		case !strings.HasPrefix(result, "+OK"):
			refused <- result
		}
	})
	timer := time.NewTimer(n.Patience)
	defer timer.Stop()
	way := fmt.Sprintf("%s must lead from FreeSWITCH to this machine (esl.listen, esl.advertise), past firewalls; in FreeSWITCH's log look for \"Socket Error\"", h.address)
	select {
	case v := <-arrived:
		return v
	case result := <-refused:
		n.problem(n.about, "call", "FreeSWITCH could not call itself: "+strings.TrimSpace(result), "FreeSWITCH's log says why; is mod_dptools loaded, and are max-sessions and sessions-per-second not reached?")
	case cause := <-n.callEnded:
		n.problem(n.about, "call", fmt.Sprintf("FreeSWITCH could not connect to %s: its call to itself ended (%s)", h.address, cause), way)
	case <-timer.C:
		n.ask(ctx, "uuid_kill", n.call)
		n.problem(n.about, "call", fmt.Sprintf("FreeSWITCH's call to itself did not come to %s within %s", h.address, n.Patience), way+`, and for "Over Session": it may have reached max-sessions`)
	case <-ctx.Done():
	}
	return nil
}

// admitted says whether the daemon will take calls from where this one came.
func (n *node) admitted(v *visit) {
	tcp, ok := v.from.(*net.TCPAddr)
	if !ok {
		return
	}
	from := tcp.AddrPort().Addr().Unmap()
	allow := n.config.ESL.Allow
	if len(allow) > 0 && !slices.ContainsFunc(allow, func(p netip.Prefix) bool { return p.Contains(from) }) {
		n.problem(n.about, "allow", fmt.Sprintf("its calls come from %s, which esl.allow does not admit", from), "add the address to esl.allow")
	}
}

// listen asks for the events of the leg's applications.
func (v *visit) listen(ctx context.Context, leg string) error {
	for _, command := range []esl.Command{esl.Filter("Unique-ID", leg), esl.Subscribe("CHANNEL_EXECUTE", "CHANNEL_EXECUTE_COMPLETE")} {
		reply, err := v.conn.Do(ctx, command)
		if err == nil {
			err = reply.Err()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// execute runs an application on the leg and waits for its end.
func (v *visit) execute(ctx context.Context, app, argument string) (response string, took time.Duration, err error) {
	id := uuid.NewString()
	if _, err := v.conn.Do(ctx, esl.Execute(app, argument, id)); err != nil {
		return "", 0, err
	}
	var began time.Time
	for {
		select {
		case s := <-v.events:
			switch {
			case s.id != id:
			case s.complete:
				return s.response, s.at.Sub(began), nil
			default:
				began = s.at
			}
		case <-v.conn.Done():
			return "", 0, v.conn.Err()
		case <-ctx.Done():
			return "", 0, fmt.Errorf("%s does not end: %w", app, ctx.Err())
		}
	}
}

// playSpool has FreeSWITCH play the file that we put into dialog.spool.
func (n *node) playSpool(ctx context.Context, v *visit) error {
	if n.spoolFile == "" {
		return nil
	}
	file := filepath.Join(n.config.Dialog.Spool, n.spoolFile)
	response, _, err := v.execute(ctx, "playback", file)
	switch {
	case err != nil:
		return err
	case response == "FILE PLAYED":
		n.ok(n.about, "spool", "it plays what ccxmld puts into dialog.spool %s", n.config.Dialog.Spool)
	default:
		n.problem(n.about, "spool", fmt.Sprintf("it does not play what ccxmld puts into dialog.spool: %s: %s", file, response),
			"dialog.spool must be the same directory on both machines, and readable to FreeSWITCH's user; systemd's PrivateTmp gives a service a /tmp of its own")
	}
	return nil
}

// shortestSpeech is what a word takes at least: FreeSWITCH's speak returns at
// once, and without an error, when it has no such engine or voice.
const shortestSpeech = 20 * time.Millisecond

func (n *node) speak(ctx context.Context, v *visit) error {
	tts := n.config.Dialog.TTS
	_, took, err := v.execute(ctx, "speak", esl.Literal(tts.Engine+"|"+tts.Voice+"|Testing."))
	switch {
	case err != nil:
		return err
	case took >= shortestSpeech:
		n.ok(n.about, "speech", "the engine %s speaks with the voice %s", tts.Engine, tts.Voice)
		return nil
	}
	text := fmt.Sprintf("the engine %s does not speak with the voice %s: texts end in error.dialog.notstarted", tts.Engine, tts.Voice)
	mend := fmt.Sprintf(`load mod_%s (package freeswitch-mod-%s), or name another engine in dialog.tts`, tts.Engine, strings.ReplaceAll(tts.Engine, "_", "-"))
	switch engines := n.interfaces["speech"]; {
	case slices.Contains(engines, tts.Engine):
		mend = "the engine is loaded: choose one of its voices in dialog.tts.voice, and look at FreeSWITCH's log"
	case len(engines) > 0:
		mend += "; this FreeSWITCH has " + strings.Join(engines, ", ")
	}
	n.problem(n.about, "speech", text, mend)
	return nil
}

// recognition looks for the engine of dialog.asr: FreeSWITCH does not tell a call that
// it has none.
func (n *node) recognition() {
	engine, _, _ := strings.Cut(n.config.Dialog.ASR, ":")
	if engine == "" || n.interfaces == nil {
		return
	}
	engines := n.interfaces["asr"]
	if slices.Contains(engines, engine) {
		n.ok(n.about, "recognition", "the engine %s is there", engine)
		return
	}
	mend := fmt.Sprintf("load mod_%s, or name another engine in dialog.asr, or none", engine)
	if len(engines) > 0 {
		mend += "; this FreeSWITCH has " + strings.Join(engines, ", ")
	}
	n.problem(n.about, "recognition", fmt.Sprintf("there is no engine %s for speech recognition: what callers say is not heard", engine), mend)
}

// record has FreeSWITCH write a recording. It comes last: FreeSWITCH hangs up a
// leg that cannot be recorded.
func (n *node) record(ctx context.Context, v *visit) error {
	file := path.Join(n.config.Dialog.Recordings, "ccxmld-doctor-"+uuid.NewString()+".wav") // a name that nobody can have a link ready for
	_, _, err := v.execute(ctx, "record", file+" 1")
	if err != nil && !errors.Is(err, esl.ErrDisconnected) {
		return err
	}
	written, _ := n.ask(ctx, "file_exists", file)
	if written != "true" {
		n.problem(n.about, "recordings", "it cannot write recordings to dialog.recordings "+n.config.Dialog.Recordings,
			"make the directory on FreeSWITCH's machine, and let FreeSWITCH's user write there")
		return nil
	}
	n.ok(n.about, "recordings", "it writes recordings to dialog.recordings %s", n.config.Dialog.Recordings)
	if err := os.Remove(file); err != nil && !errors.Is(err, os.ErrNotExist) {
		n.warning(n.about, "recordings", fmt.Sprintf("ccxmld cannot remove recordings there: %v", err), "let both users write to dialog.recordings: a group of their own, and the directory's mode 2775")
	}
	return nil
}
