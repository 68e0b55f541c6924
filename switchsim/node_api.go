package switchsim

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// These commands tell of the node itself: what it is, what it has loaded, and
// how it is set up.
func init() {
	for name, run := range map[string]func(sw *Switch, arguments string) string{
		"version":       (*Switch).apiVersion,
		"fsctl":         (*Switch).apiControl,
		"strmicroepoch": func(sw *Switch, _ string) string { return strconv.FormatInt(sw.now().UnixMicro(), 10) },
		"file_exists":   (*Switch).apiFileExists,
		"global_getvar": (*Switch).apiGlobal,
		"global_setvar": (*Switch).apiSetGlobal,
		"sched_hangup":  (*Switch).apiScheduleHangup,
		"sched_del":     (*Switch).apiUnschedule,
		"xml_locate":    (*Switch).apiLocate,
		"sofia":         (*Switch).apiSofia,
	} {
		apiCommands[name] = run
	}
}

const simulatedVersion = "1.11.3-dev"

func (sw *Switch) version() string { return orElse(sw.options.Version, simulatedVersion) }

func (sw *Switch) apiVersion(arguments string) string {
	if arguments == "short" {
		return sw.version()
	}
	return "FreeSWITCH Version " + sw.version() + " (simulated)\n"
}

// apiControl knows "fsctl sps" and "fsctl max_sessions", as questions.
func (sw *Switch) apiControl(what string) string {
	switch what {
	case "sps":
		return fmt.Sprintf("+OK sessions per second: %d\n", sw.sessionsPerSecond())
	case "max_sessions":
		return fmt.Sprintf("+OK max sessions: %d\n", sw.maxSessions())
	}
	return "-USAGE: [sps|max_sessions]\n"
}

// The limits of the stock switch.conf.xml.
func (sw *Switch) sessionsPerSecond() int { return orNumber(sw.options.SessionsPerSecond, 30) }
func (sw *Switch) maxSessions() int       { return orNumber(sw.options.MaxSessions, 1000) }

func orNumber(n, otherwise int) int {
	if n == 0 {
		return otherwise
	}
	return n
}

func (sw *Switch) apiFileExists(path string) string {
	_, found := sw.length(path)
	return strconv.FormatBool(found || filepath.Ext(path) == "" && sw.hasFolder(path))
}

// hasFolder tells whether there is a directory.
func (sw *Switch) hasFolder(path string) bool {
	switch {
	case sw.options.Folders != nil:
		return sw.options.Folders(path)
	case sw.options.WriteRecordings:
		info, err := os.Stat(path)
		return err == nil && info.IsDir()
	}
	return true
}

func (sw *Switch) apiGlobal(name string) string {
	if name == "core_uuid" { // which each start has anew
		return sw.uuid
	}
	return orElse(sw.globals[name], sw.options.Globals[name])
}

// apiLocate knows the configuration of conferences, as far as the profiles'
// names, and of the Event Socket.
func (sw *Switch) apiLocate(arguments string) string {
	file, known := strings.CutPrefix(arguments, "configuration configuration name ")
	switch {
	case known && file == "conference.conf":
		profiles := sw.options.Profiles
		if profiles == nil {
			profiles = []string{"default", "ccxmld"}
		}
		var out strings.Builder
		out.WriteString("<configuration name=\"conference.conf\" description=\"Audio Conference\">\n    <profiles>\n")
		for _, name := range profiles {
			fmt.Fprintf(&out, "        <profile name=%q>\n            <param name=\"rate\" value=\"8000\"></param>\n\n"+
				"            <param name=\"caller-controls\" value=\"none\"></param>\n\n    </profile>\n\n", name)
		}
		return out.String() + "  </profiles>\n\n</configuration>\n"
	case known && file == "event_socket.conf":
		return "<configuration name=\"event_socket.conf\" description=\"Socket Client\">\n    <settings>\n" +
			"        <param name=\"listen-ip\" value=\"127.0.0.1\"></param>\n\n  </settings>\n\n</configuration>\n"
	}
	return "can't find anything\n"
}

// apiSofia knows "sofia xmlstatus gateway NAME" (xml_gateway_status of
// mod_sofia).
func (sw *Switch) apiSofia(arguments string) string {
	name, known := strings.CutPrefix(arguments, "xmlstatus gateway ")
	if !known {
		return "-USAGE: sofia help\n"
	}
	down := slices.Contains(sw.options.DownGateways, name)
	if !down && sw.options.Gateways != nil && !slices.Contains(sw.options.Gateways, name) {
		return "Invalid Gateway!\n"
	}
	state, status := "NOREG", "UP"
	if down {
		state, status = "FAIL_WAIT", "DOWN"
	}
	return "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>\n  <gateway>\n    <name>" + name + "</name>\n    <profile>external</profile>\n" +
		"    <state>" + state + "</state>\n    <status>" + status + "</status>\n  </gateway>\n"
}

// showInterfaces is "show interfaces", as far as endpoints, files and engines.
func (sw *Switch) showInterfaces() string {
	lines := []string{"type,name,ikey", "endpoint,error,mod_dptools"}
	for _, of := range [][3]string{
		{"endpoint", "loopback", "mod_loopback"}, {"endpoint", "null", "mod_loopback"}, {"endpoint", "sofia", "mod_sofia"},
		{"file", "wav", "mod_sndfile"}, {"file", "tone_stream", "mod_tone_stream"},
	} {
		if sw.hasModule(of[2]) {
			lines = append(lines, of[0]+","+of[1]+","+of[2])
		}
	}
	for _, engine := range slices.Sorted(maps.Keys(sw.engines)) {
		lines = append(lines, "speech,"+engine+",mod_"+engine)
	}
	for _, engine := range slices.Sorted(maps.Keys(sw.recognizers)) {
		lines = append(lines, "asr,"+engine+",mod_"+engine)
	}
	return strings.Join(lines, "\n") + fmt.Sprintf("\n\n%d total.\n", len(lines)-1)
}
