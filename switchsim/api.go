package switchsim

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"ccxmld/clock"
)

// apiCommands are the commands of mod_commands and mod_conference that the
// simulation knows. Each returns its whole output. originate is not among them:
// it takes time.
var apiCommands map[string]func(sw *Switch, arguments string) string

func init() {
	apiCommands = map[string]func(sw *Switch, arguments string) string{
		"uuid_answer":         (*Switch).apiAnswer,
		"uuid_break":          (*Switch).apiBreak,
		"uuid_bridge":         (*Switch).apiBridge,
		"uuid_broadcast":      (*Switch).apiBroadcast,
		"uuid_dump":           (*Switch).apiDump,
		"uuid_exists":         (*Switch).apiExists,
		"uuid_getvar":         (*Switch).apiGetVariable,
		"uuid_kill":           (*Switch).apiKill,
		"uuid_park":           (*Switch).apiPark,
		"uuid_displace":       (*Switch).apiDisplace,
		"uuid_record":         (*Switch).apiRecord,
		"uuid_deflect":        (*Switch).apiDeflect,
		"uuid_send_dtmf":      (*Switch).apiSendDigits,
		"uuid_setvar":         (*Switch).apiSetVariable,
		"uuid_setvar_multi":   (*Switch).apiSetVariables,
		"uuid_transfer":       (*Switch).apiTransfer,
		"conference":          (*Switch).apiConference,
		"tone_detect":         (*Switch).apiDetectTone,
		"status":              (*Switch).apiStatus,
		"module_exists":       (*Switch).apiModuleExists,
		"show":                (*Switch).apiShow,
		"switchname":          func(sw *Switch, _ string) string { return sw.options.Name },
		"echo":                func(_ *Switch, text string) string { return text },
		"create_uuid":         func(sw *Switch, _ string) string { return sw.newUUID() },
		"strepoch":            func(sw *Switch, _ string) string { return strconv.FormatInt(sw.now().Unix(), 10) },
		"uuid_preanswer":      (*Switch).apiPreAnswer,
		"uuid_pre_answer":     (*Switch).apiPreAnswer,
		"uuid_flush_dtmf":     (*Switch).apiNothing,
		"uuid_audio":          (*Switch).apiNothing,
		"uuid_hold":           (*Switch).apiNothing,
		"uuid_recording_mute": (*Switch).apiNothing,
	}
}

// api runs a command and answers with its output.
func (l *listener) api(line string) {
	name, arguments, _ := strings.Cut(line, " ")
	respond := func(output string) {
		if output == "" {
			output = "-ERR no reply\n"
		}
		l.send("Content-Type: api/response\nContent-Length: " + strconv.Itoa(len(output)) + "\n\n" + output)
	}
	if name != "originate" {
		respond(l.sw.runAPI(name, arguments))
		return
	}
	// The socket's thread waits: no events and no commands until the call is
	// up or has failed.
	finished := clock.NewWaiter(l.sw.clock)
	l.busy = finished
	l.sw.originate(arguments, func(reply string) {
		respond(reply)
		finished.Wake()
	})
}

// backgroundAPI runs a command and tells of its output in an event.
func (l *listener) backgroundAPI(cmd *command, line string) {
	name, arguments, hasArguments := strings.Cut(line, " ")
	job := cmd.headers["job-uuid"]
	if job == "" {
		job = l.sw.newUUID()
	}
	l.send("Content-Type: command/reply\nReply-Text: +OK Job-UUID: " + job + "\nJob-UUID: " + job + "\n\n")
	owner := ""
	if l.channel != nil {
		owner = l.channel.uuid
	}
	sw := l.sw
	report := func(output string) {
		e := &event{name: "BACKGROUND_JOB", site: site{"mod_event_socket.c", "api_exec", 1580}, body: output, owner: owner}
		e.after = append(e.after, header{"Job-UUID", job})
		if owner != "" {
			e.after = append(e.after, header{"Job-Owner-UUID", owner})
		}
		e.after = append(e.after, header{"Job-Command", name})
		if hasArguments {
			e.after = append(e.after, header{"Job-Command-Arg", arguments})
		}
		sw.fire(e)
	}
	sw.job(name, arguments, func(report func(output string)) {
		if name == "originate" && sw.refuses(name, arguments) == "" {
			sw.originate(arguments, report)
			return
		}
		report(sw.runAPI(name, arguments))
	}, report)
}

func (sw *Switch) runAPI(name, arguments string) string {
	if reason := sw.refuses(name, arguments); reason != "" {
		return "-ERR " + reason + "\n"
	}
	if sw.idles(name, arguments) {
		return "+OK\n"
	}
	run, ok := apiCommands[name]
	if !ok {
		return "-ERR " + name + " Command not found!\n"
	}
	return run(sw, arguments)
}

func (sw *Switch) apiStatus(string) string {
	up := sw.now().Sub(sw.began)
	live := 0
	for _, c := range sw.channels {
		if !c.ended {
			live++
		}
	}
	ready := "ready"
	if sw.options.Paused {
		ready = "not ready"
	}
	return fmt.Sprintf("UP 0 years, %d days, %d hours, %d minutes, %d seconds, %d milliseconds, %d microseconds\n"+
		"FreeSWITCH (Version %s simulated) is %s\n%d session(s) since startup\n"+
		"%d session(s) - peak %d, last 5min %d \n0 session(s) per Sec out of max %d, peak 0, last 5min 0 \n%d session(s) max\n"+
		"min idle cpu 0.00/100.00\n",
		up/(24*time.Hour), up/time.Hour%24, up/time.Minute%60, up/time.Second%60, up/time.Millisecond%1000, up/time.Microsecond%1000,
		sw.version(), ready, sw.sessions, live, live, live, sw.sessionsPerSecond(), sw.maxSessions())
}

// usualModules are those that a switch for controllers has.
var usualModules = []string{"mod_commands", "mod_conference", "mod_dptools", "mod_dialplan_xml", "mod_event_socket", "mod_flite", "mod_loopback", "mod_say_en", "mod_sndfile", "mod_sofia", "mod_tone_stream"}

func (sw *Switch) hasModule(name string) bool {
	modules := sw.options.Modules
	if modules == nil {
		modules = usualModules
	}
	return slices.Contains(modules, name)
}

func (sw *Switch) apiModuleExists(name string) string {
	return strconv.FormatBool(sw.hasModule(name))
}

// apiShow knows "show calls count", "show channels [count]" and "show
// interfaces".
func (sw *Switch) apiShow(what string) string {
	if what == "interfaces" {
		return sw.showInterfaces()
	}
	var live []*channel
	for _, c := range sw.channels {
		if !c.ended {
			live = append(live, c)
		}
	}
	total := fmt.Sprintf("\n%d total.\n", len(live))
	if !strings.HasPrefix(what, "channels") || strings.HasSuffix(what, "count") {
		return total
	}
	slices.SortFunc(live, func(a, b *channel) int { return a.placeholder.session - b.placeholder.session })
	var out strings.Builder
	out.WriteString("uuid,direction,created_epoch,name,state,cid_name,cid_num,dest,callstate\n")
	for _, c := range live {
		p := c.profile
		fmt.Fprintf(&out, "%s,%s,%d,%s,%s,%s,%s,%s,%s\n", c.uuid, p.direction, p.channelCreated.Unix(), c.name, stateNames[c.running], p.callerName, p.callerNumber, p.destination, c.callState)
	}
	return out.String() + total
}
