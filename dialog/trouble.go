package dialog

import (
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"

	"ccxmld/logs"
)

// lasting is trouble that all dialogs have together, such as a speech engine that is not
// there: the log has it once and not for each of them.
type lasting struct {
	logs.Trouble
	log       *slog.Logger
	bad, well string                 // what is said
	reason    atomic.Pointer[string] // of the trouble there is now; nil for none
}

func (l *lasting) begin(o Options, bad, well string) {
	l.Now, l.log, l.bad, l.well = o.Clock.Now, o.Logger, bad, well
}

// note notes how something went. The reason is "" where it went well.
func (l *lasting) note(reason string) {
	if reason == "" {
		l.reason.Store(nil)
		if say, about := l.Over(); say {
			l.log.Info(l.well, about...)
		}
		return
	}
	l.reason.Store(&reason)
	if say, about := l.Found(); say {
		l.log.Error(l.bad, append(about, "reason", reason)...)
	}
}

// spoken notes how a text was spoken, and gives the reason back.
func (s *Service) spoken(reason string) string {
	s.unspoken.note(reason)
	return reason
}

// kept notes whether fetched audio could be kept, and says of what that is true.
func (s *Service) kept(uri string, err error) error {
	if err == nil {
		s.unkept.note("")
		return nil
	}
	s.unkept.note(err.Error())
	return fmt.Errorf("%s cannot be kept for FreeSWITCH to play: %w", uri, err)
}

// CheckSpool tells why fetched audio cannot be kept for FreeSWITCH to play, as it was
// tried last: a full disk, or others' files. It does not look at the disk.
func (s *Service) CheckSpool() error {
	if reason := s.unkept.reason.Load(); reason != nil {
		return errors.New(*reason)
	}
	return nil
}
