package switchsim

import (
	"slices"
	"strings"
)

// JobFate is what becomes of a bgapi that a switch has said +OK to.
type JobFate int

const (
	// JobDone is done, and its BACKGROUND_JOB comes.
	JobDone JobFate = iota
	// JobUntold is done, and its BACKGROUND_JOB does not come before
	// [Switch.ReleaseJobs], as if it had been lost.
	JobUntold
	// JobKept is not begun before [Switch.ReleaseJobs], as when a thread of the
	// switch hangs.
	JobKept
)

// job runs a bgapi, or keeps what its fate keeps.
func (sw *Switch) job(name, argument string, run func(report func(output string)), report func(output string)) {
	fate := JobDone
	if sw.options.Job != nil {
		fate = sw.options.Job(name, argument)
	}
	switch fate {
	case JobUntold:
		run(func(output string) { sw.keptJobs = append(sw.keptJobs, func() { report(output) }) })
	case JobKept:
		sw.keptJobs = append(sw.keptJobs, func() { run(report) })
	default:
		run(report)
	}
}

// ReleaseJobs begins the jobs that were kept, tells the results that were not
// told, and returns how many there were.
func (sw *Switch) ReleaseJobs() int {
	sw.lock()
	defer sw.unlock()
	kept := sw.keptJobs
	sw.keptJobs = nil
	for _, release := range kept {
		release()
	}
	return len(kept)
}

// API runs an API command as an operator at the console does, and returns its
// output. It knows no originate.
func (sw *Switch) API(command string) string {
	sw.lock()
	defer sw.unlock()
	name, arguments, _ := strings.Cut(command, " ")
	return sw.runAPI(name, arguments)
}

// Originate runs originate as an operator would; told, which may be nil, gets its output.
// It must not call the switch.
func (sw *Switch) Originate(arguments string, told func(output string)) {
	sw.lock()
	defer sw.unlock()
	sw.originate(arguments, func(output string) {
		if told != nil {
			told(output)
		}
	})
}

// SilenceSockets makes the sockets that a leg has now silent, as a network does
// that loses all packets: what either side says on them is lost, and the switch
// does not notice that the controller closes them. Sockets that the leg gets later
// are well. It returns how many there were.
func (sw *Switch) SilenceSockets(uuid string) int {
	sw.lock()
	defer sw.unlock()
	c := sw.channels[uuid]
	if c == nil {
		return 0
	}
	for _, l := range c.listeners {
		l.silence()
	}
	return len(c.listeners)
}

// SilenceLinks makes the links that there are now silent, as SilenceSockets does
// with a leg's sockets. It returns how many there were.
func (sw *Switch) SilenceLinks() int {
	sw.lock()
	defer sw.unlock()
	links := 0
	for _, l := range slices.Clone(sw.listeners) {
		if !l.outbound {
			l.silence()
			links++
		}
	}
	return links
}

// SilentSockets tells how many sockets of legs there are that fell silent and that
// the controller has not closed.
func (sw *Switch) SilentSockets() (n int) {
	sw.lock()
	defer sw.unlock()
	for _, l := range sw.listeners {
		if l.outbound && l.silent && !l.left {
			n++
		}
	}
	return n
}

// silence loses what is said on the connection from now on.
func (l *listener) silence() {
	l.silent = true
	l.staged, l.held = nil, nil
	l.sw.agenda.cancel(l.patience)
}

// falls tells whether the connection falls silent with a command.
func (l *listener) falls(cmd *command) bool {
	if !l.silent && l.channel != nil && l.sw.options.Silence != nil && l.sw.options.Silence(l.channel.uuid, cmd.line) {
		l.silence()
	}
	return l.silent
}
