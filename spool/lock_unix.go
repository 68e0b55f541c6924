//go:build unix && !aix && !solaris

package spool

import (
	"io/fs"
	"os"
	"syscall"
)

// tryLock locks a file until it is closed, unless another process has it locked.
func tryLock(file *os.File) bool {
	return syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
}

// isOurs tells whether a file is our user's.
func isOurs(info fs.FileInfo) bool {
	owner, _, known := ownerOf(info)
	return known && int(owner) == os.Geteuid()
}
