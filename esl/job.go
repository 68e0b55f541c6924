package esl

import (
	"maps"
	"slices"
	"strings"

	"github.com/percipia/eslgo/command"

	"ccxmld/random"
)

// Job runs an API command in the background (bgapi) and returns its Job-UUID:
// the one that the command names ([Originate] can), or a new one. The command
// is one of [API], Originate's, or [Transfer].
//
// done, which may be nil, is called exactly once: with the job's result as it
// stands in BACKGROUND_JOB, without the white space around it, for example
// "+OK 7f4d…" or "-ERR USER_BUSY"; or with an error when FreeSWITCH refused the
// command (*CommandError), when it cannot be sent (*InvalidError), or when the
// link is down or goes down before (ErrLinkDown), in which case the job may
// still have run. It is called in the link's goroutine, or before Job returns
// when nothing is sent. A job has no time limit; see [Link.ForgetJob].
func (l *Link) Job(cmd command.Command, done func(result string, err error)) string {
	job, id, err := background(l.o.Random, cmd)
	if done == nil {
		done = func(string, error) {}
	}
	if err != nil {
		done("", err)
		return id
	}
	if !l.addJob(id, done) {
		done("", &InvalidError{"job UUID", id, "is in use"})
		return id
	}
	l.Send(job, func(r *Reply, err error) {
		if err == nil {
			err = r.Err()
		}
		if err == nil {
			return
		}
		if done := l.takeJob(id); done != nil {
			done("", err)
		}
	})
	return id
}

// background turns an API command into a job.
func background(ids *random.Source, cmd command.Command) (job Command, id string, err error) {
	c, ours := cmd.(Command)
	if api, ok := cmd.(command.API); ok {
		c, ours = API(api.Command, api.Arguments), true
	}
	id = c.jobUUID
	if id == "" {
		id = ids.UUID()
	}
	switch {
	case c.err != nil:
		return Command{}, id, c.err
	case !ours || c.api == "":
		return Command{}, id, &InvalidError{"job", cmd.BuildMessage(), "is no API command"}
	}
	bgapi, arguments, _ := strings.Cut(c.api, " ")
	message := command.API{Command: bgapi, Arguments: arguments, Background: true}.BuildMessage()
	// All lines must end alike: FreeSWITCH looks for CR first (read_packet).
	return Command{message: message + "\r\nJob-UUID: " + id}, id, nil
}

func (l *Link) addJob(id string, done func(string, error)) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, taken := l.jobs[id]; taken {
		return false
	}
	l.jobs[id] = done
	return true
}

// takeJob returns a job's callback to whoever asks first.
func (l *Link) takeJob(id string) func(string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	done := l.jobs[id]
	delete(l.jobs, id)
	return done
}

// ForgetJob waits for a job's result no longer: done is not called any more. It
// reports false if it was called already.
func (l *Link) ForgetJob(id string) bool { return l.takeJob(id) != nil }

// finishJob hands a result to whoever waits for it, and tells whether it was a
// job of this link.
func (l *Link) finishJob(e *Event) bool {
	done := l.takeJob(e.Get("Job-UUID"))
	if done == nil {
		return false
	}
	done(strings.TrimSpace(e.Body()), nil)
	return true
}

// failJobs fails all jobs, when the connection that would bring their results
// is gone.
func (l *Link) failJobs(err error) {
	l.mu.Lock()
	jobs := l.jobs
	l.jobs = make(map[string]func(string, error))
	l.mu.Unlock()
	for _, id := range slices.Sorted(maps.Keys(jobs)) { // always in the same order
		l.guard(func() { jobs[id]("", err) })
	}
}

// WithJobUUID names the job that an API command becomes; see [Link.Job].
func WithJobUUID(c Command, id string) Command {
	if c.err == nil {
		c.err = CheckUUID("job UUID", id)
	}
	c.jobUUID = id
	return c
}
