package spool

import (
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"regexp"
	"slices"
	"time"

	"ccxmld/logs"
)

// Bounds say how much of a directory may be ours, and how long it stays.
type Bounds struct {
	Bytes int64         // of all files together; 0 for any number
	Age   time.Duration // since a file was used last; 0 for ever
}

// swept is what a sweep left, and took away.
type swept struct {
	left    int64 // bytes
	removed int
	freed   int64
	err     error // of the files that could not be removed
}

// sweep removes the files of a directory that are older than the bounds have it, and
// then the oldest until room bytes more are within them. names tells which files are
// ours, and remove removes one unless it is in use.
func (b Bounds) sweep(root *os.Root, names *regexp.Regexp, room int64, now time.Time, remove func(fs.FileInfo) (bool, error)) (s swept) {
	files, err := filesIn(root, names)
	if err != nil {
		return swept{err: err}
	}
	for _, file := range files {
		s.left += file.Size()
	}
	for _, file := range files {
		old := b.Age > 0 && now.Sub(file.ModTime()) > b.Age
		over := b.Bytes > 0 && s.left+room > b.Bytes
		if !old && !over {
			break // those that follow are newer
		}
		free, err := remove(file)
		switch {
		case !free:
			continue
		case err == nil:
			s.removed, s.freed = s.removed+1, s.freed+file.Size()
		case !errors.Is(err, fs.ErrNotExist): // by another sweep
			s.err = errors.Join(s.err, err)
			continue
		}
		s.left -= file.Size()
	}
	return s
}

// tellRemoval says that files cannot be removed, or can be again.
func tellRemoval(log *slog.Logger, failing *logs.Trouble, what, folder string, err error) {
	if err != nil {
		if say, about := failing.Found(); say {
			log.Warn(what+" cannot be removed", append(about, "directory", folder, "error", err)...)
		}
		return
	}
	if say, about := failing.Over(); say {
		log.Info(what+" can be removed again", append(about, "directory", folder)...)
	}
}

// filesIn lists our files of a directory, the oldest first. A link is none.
func filesIn(root *os.Root, names *regexp.Regexp) (files []fs.FileInfo, err error) {
	folder, err := root.Open(".")
	if err != nil {
		return nil, err
	}
	defer folder.Close()
	entries, err := folder.ReadDir(-1)
	for _, entry := range entries {
		if !names.MatchString(entry.Name()) {
			continue
		}
		if info, err := root.Lstat(entry.Name()); err == nil && info.Mode().IsRegular() {
			files = append(files, info)
		}
	}
	slices.SortFunc(files, func(a, b fs.FileInfo) int { return a.ModTime().Compare(b.ModTime()) })
	return files, err
}
