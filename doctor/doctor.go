// Package doctor looks at an installation before a call does: the configuration,
// Redis, the documents, and each FreeSWITCH, on which it places a call to itself
// that comes back to ccxmld by the socket action. Each thing it looks at is a
// [Finding]: good, worth a warning, or a problem, with how to mend it.
//
// Examine does one thing after the other in the goroutine that calls it. The
// goroutines it starts, of the link to a node and of the listener for the call,
// end before it returns.
package doctor

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"ccxmld/conf"
)

// Status says how bad a finding is.
type Status string

// A Problem keeps something from working; a Warning will, one day, or for some
// documents.
const (
	OK      Status = "ok"
	Warning Status = "warning"
	Problem Status = "problem"
)

// Finding is one thing that was looked at.
type Finding struct {
	// About is what was looked at: "addresses", "redis", "documents", "spool",
	// "dial routes", or "node" with its name.
	About string `json:"about"`
	// Check names the question in one word, the same for ever.
	Check  string `json:"check"`
	Status Status `json:"status"`
	// Text is the answer, in words.
	Text string `json:"text"`
	// Mend says what to do; empty when nothing is to be done.
	Mend string `json:"mend,omitempty"`
}

// Options of an examination.
type Options struct {
	Config *conf.Config
	// Document says why the document at a URI does not load; nil if it does.
	Document func(ctx context.Context, uri string) error
	// Found is told of each finding as it is made.
	Found func(Finding)
	// Patience bounds each wait for another machine; 0 means 5 s.
	Patience time.Duration
	Logger   *slog.Logger // nil: nothing is logged
}

// Examine looks at everything, and returns how bad the worst finding is. When ctx
// ends, what is left is not looked at.
func Examine(ctx context.Context, o Options) Status {
	x := &examination{Options: o, config: o.Config, worst: OK, spoolFile: "ccxmld-doctor-" + uuid.NewString() + ".wav"}
	x.Patience = cmp.Or(x.Patience, 5*time.Second)
	if x.Logger == nil {
		x.Logger = slog.New(slog.DiscardHandler)
	}
	serving, stop := context.WithCancel(ctx)
	defer stop()
	home, ended := x.reception(serving)
	x.redis(ctx)
	x.documents(ctx)
	defer x.spool()()
	x.routes()
	if len(x.config.Nodes) == 0 {
		x.warning("nodes", "nodes", "no FreeSWITCH is configured: incoming calls work, outbound calls and conferences do not",
			"name each FreeSWITCH's Event Socket under nodes")
	}
	for _, node := range x.config.Nodes {
		if ctx.Err() == nil {
			x.node(ctx, node, home)
		}
	}
	stop()
	<-ended
	return x.worst
}

// examination is what one Examine knows.
type examination struct {
	Options
	config    *conf.Config
	worst     Status
	spoolFile string // what we put into dialog.spool; "" if that failed
}

func (x *examination) ok(about, check, text string, values ...any) {
	x.found(Finding{About: about, Check: check, Status: OK, Text: fmt.Sprintf(text, values...)})
}

func (x *examination) warning(about, check, text, mend string) {
	x.found(Finding{about, check, Warning, text, mend})
}

func (x *examination) problem(about, check, text, mend string) {
	x.found(Finding{about, check, Problem, text, mend})
}

func (x *examination) found(f Finding) {
	if f.Status == Problem || f.Status == Warning && x.worst == OK {
		x.worst = f.Status
	}
	x.Found(f)
}
