package dialog

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"ccxmld/fetch"
)

// spool is the directory, shared with FreeSWITCH, in which audio from HTTP
// servers is put for it to play. A file is named after its content, so that a
// new version is a new file and one that plays never changes.
type spool struct {
	folder string

	mu      sync.Mutex
	written int // since the last sweep
}

const (
	// spoolFiles is how many files a sweep leaves, those used last; it comes
	// with every so many new files.
	spoolFiles = 1000
	spoolSweep = 100
	// spoolAge is how old a file must be to be swept away: one that is new may
	// be about to be played.
	spoolAge = time.Hour
)

// put writes what was fetched and returns the file's path.
func (s *spool) put(response *fetch.Response) (string, error) {
	sum := sha256.Sum256(response.Body)
	file := filepath.Join(s.folder, hex.EncodeToString(sum[:16])+"."+extension(response))
	// The time of use is the file system's business, not the session's clock's.
	now := time.Now()
	if err := os.Chtimes(file, now, now); err == nil {
		return file, nil
	}
	if err := s.write(file, response.Body); err != nil {
		return "", fmt.Errorf("%s cannot be kept for FreeSWITCH to play: %w", response.URI, err)
	}
	return file, nil
}

// write makes a file appear all at once.
func (s *spool) write(file string, body []byte) error {
	if err := os.MkdirAll(s.folder, 0o755); err != nil {
		return err
	}
	temporary, err := os.CreateTemp(s.folder, ".new-*")
	if err != nil {
		return err
	}
	_, err = temporary.Write(body)
	// FreeSWITCH runs as another user.
	err = errors.Join(err, temporary.Chmod(0o644), temporary.Close())
	if err == nil {
		err = os.Rename(temporary.Name(), file)
	}
	if err != nil {
		return errors.Join(err, os.Remove(temporary.Name()))
	}
	if s.isDue() {
		return s.sweep(spoolFiles, time.Now().Add(-spoolAge))
	}
	return nil
}

// isDue notes a file that was written, and tells whether it is time to sweep.
func (s *spool) isDue() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.written++
	due := s.written >= spoolSweep
	if due {
		s.written = 0
	}
	return due
}

// sweep removes all but the newest files, if they were used before that time.
func (s *spool) sweep(keep int, before time.Time) error {
	entries, err := os.ReadDir(s.folder)
	if err != nil {
		return err
	}
	var files []fs.FileInfo
	for _, entry := range entries {
		if info, err := entry.Info(); err == nil && info.Mode().IsRegular() && ownName.MatchString(info.Name()) {
			files = append(files, info)
		}
	}
	slices.SortFunc(files, func(a, b fs.FileInfo) int { return b.ModTime().Compare(a.ModTime()) })
	for _, file := range files[min(keep, len(files)):] {
		if file.ModTime().Before(before) {
			if gone := os.Remove(filepath.Join(s.folder, file.Name())); !errors.Is(gone, fs.ErrNotExist) { // by another sweep
				err = errors.Join(err, gone)
			}
		}
	}
	return err
}

// ownName is how the spool names files: others in the directory are not its own.
var ownName = regexp.MustCompile(`^([0-9a-f]{32}\.[a-z0-9]{1,5}|\.new-[0-9]+)$`)

var extensionSyntax = regexp.MustCompile(`^[a-z0-9]{1,5}$`)

// extension gives the ending by which FreeSWITCH knows the format of a file:
// what the server says it is, else what the URI ends in.
func extension(response *fetch.Response) string {
	kind, _, err := mime.ParseMediaType(response.ContentType)
	if err == nil {
		switch strings.TrimPrefix(kind, "audio/") {
		case "wav", "x-wav", "wave", "vnd.wave":
			return "wav"
		case "mpeg", "mp3":
			return "mp3"
		case "ogg":
			return "ogg"
		case "flac", "x-flac":
			return "flac"
		}
	}
	if u, err := url.Parse(response.URI); err == nil {
		if ending := strings.ToLower(strings.TrimPrefix(path.Ext(u.Path), ".")); extensionSyntax.MatchString(ending) {
			return ending
		}
	}
	return "wav"
}
