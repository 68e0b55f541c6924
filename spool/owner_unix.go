//go:build unix

package spool

import (
	"io/fs"
	"os"
	"slices"
	"syscall"
)

// ownerOf gives the user and group that a file belongs to.
func ownerOf(info fs.FileInfo) (owner, group uint32, known bool) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, 0, false
	}
	return stat.Uid, stat.Gid, true
}

// isTrusted tells whether files of a user are as good as our own.
func isTrusted(owner uint32) bool { return owner == 0 || int(owner) == os.Geteuid() }

// isOurGroup tells whether this process is in a group.
func isOurGroup(group uint32) bool {
	groups, err := os.Getgroups()
	return int(group) == os.Getegid() || err == nil && slices.Contains(groups, int(group))
}
