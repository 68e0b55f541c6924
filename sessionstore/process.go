package sessionstore

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"os"
	"strings"
)

// newInstance tells this process from all others, also those of its id before it.
func newInstance() string { return rand.Text() }

// whereabouts are what two processes compare to tell whether one can see that the other
// is gone. All are empty where the system does not tell them: it is Linux that does.
type whereabouts struct {
	boot    string // of the kernel
	pids    string // the namespace in which PIDs mean something
	network string // the namespace in which addresses do
	begun   string // when the process began, in ticks of the kernel
}

func (w whereabouts) String() string {
	return strings.Join([]string{w.boot, w.pids, w.network, w.begun}, " ")
}

func parseWhereabouts(text string) (w whereabouts) {
	if parts := strings.Split(text, " "); len(parts) == 4 {
		w = whereabouts{parts[0], parts[1], parts[2], parts[3]}
	}
	return w
}

// here are the whereabouts of this process.
func here() whereabouts {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	pids, errPIDs := os.Readlink("/proc/self/ns/pid")
	network, errNetwork := os.Readlink("/proc/self/ns/net")
	begun := begunAt(os.Getpid())
	if err != nil || errPIDs != nil || errNetwork != nil || begun == "" {
		return whereabouts{}
	}
	return whereabouts{string(bytes.TrimSpace(boot)), pids, network, begun}
}

// begunAt is when a process began (proc_pid_stat(5), starttime), "" if there is none of
// that PID.
func begunAt(pid int) string {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	// The second field is a name in parentheses, which may hold anything.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 20 {
		return ""
	}
	return fields[19]
}

// gone reports whether it is certain that the process of a controller's record has ended:
// on this machine no process has its PID and began when it did, or we listen where it
// did. What cannot be seen from here is not certain.
func (c *Controller) gone(other Controller) bool {
	ours, theirs := parseWhereabouts(c.where), parseWhereabouts(other.where)
	if ours.boot == "" || ours.boot != theirs.boot {
		return false
	}
	if ours.pids == theirs.pids && begunAt(other.PID) != theirs.begun {
		return true
	}
	return ours.network == theirs.network && c.Listen != "" && c.Listen == other.Listen
}
