package callcontrol_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ccxmld/sitetest"
	"ccxmld/switchsim"
)

// announcement is what outbound-calls-with-tokens.ccxml says to commander
// Bowman, to the letter: there is a no-break space behind his name.
const announcement = "This is an automated call from the H.A.L. 9000 computer system to commander David Bowman.\u00a0 " +
	"This message is to inform you that all pod bay doors are now closed, and re entry to the Discovery spacecraft is forbidden. " +
	"This message is too important to jeapordize it to human error. This conversation can serve no further purpose. Goodbye."

// bowman is whom it calls.
const bowman = "4072223333"

// published puts the tutorial's document, as it was published, where the token
// starts it.
func published(s *sitetest.Site) {
	s.Helper()
	const name = "outbound-calls-with-tokens.ccxml"
	text, err := os.ReadFile(filepath.Join("..", "examples", "outbound-calls-with-tokens", name))
	s.Must(err)
	sum := sha256.Sum256(text)
	if got := hex.EncodeToString(sum[:]); got != "dc0876c8e59967b52f04bbbbab1d38be53cb9e6c9ee1c7ed5b4be6430bd6b1fd" {
		s.Fatalf("%s is not the published document any more: %s", name, got)
	}
	s.Document(name, string(text))
}

func newTutorialSite(t testing.TB, options ...sitetest.Option) *sitetest.Site {
	s := sitetest.New(t, append([]sitetest.Option{sitetest.WithToken("outbound-calls-with-tokens.ccxml")}, options...)...)
	published(s)
	return s
}

func TestAnnouncementBySpeech(t *testing.T) {
	t.Parallel()
	s := newTutorialSite(t)
	s.Switch.Callee(bowman, switchsim.Answers{After: 3 * time.Second})
	s.StartToken("number=1")
	callee, err := s.Switch.WaitCallee(s.Context(), bowman)
	s.Must(err)
	ending, err := callee.WaitEnded(s.Context())
	s.Must(err)
	s.WaitIdle()
	heard := callee.Heard()
	if len(heard) != 1 || heard[0].Kind != "speech" || heard[0].What != announcement || !heard[0].Complete {
		t.Errorf("the callee heard %+v", heard)
	}
	if ending.By != "local" {
		t.Errorf("the call ended with %+v", ending)
	}
	s.WaitLog("***** CALL WAS ANSWERED *****")
	s.WaitLog("***** DIALOG EXIT REACHED *****")
	s.WaitLog("***** EVENT$.CONNECTION.REMOTE = tel:" + bowman)
	s.WaitLog("***** EVENT$.CONNECTION.STATE = CONNECTED")
	s.WaitLog("***** EVENT$.DIALOG.TYPE = audio/wav")
	if s.Trace.Has("connection.failed") || s.Trace.Has("event error.") {
		t.Errorf("seen: %s", strings.Join(s.Trace.Lines(), "\n"))
	}
}

func TestAnnouncementByFile(t *testing.T) {
	t.Parallel()
	s := newTutorialSite(t)
	s.Switch.Callee(bowman, switchsim.Answers{})
	file := filepath.Join(s.Dir, "someFile.wav")
	s.Switch.AddSound(file, 4*time.Second)
	s.StartToken("")
	callee, err := s.Switch.WaitCallee(s.Context(), bowman)
	s.Must(err)
	_, err = callee.WaitEnded(s.Context())
	s.Must(err)
	s.WaitIdle()
	if heard := callee.Heard(); len(heard) != 1 || heard[0].Kind != "file" || heard[0].What != file || !heard[0].Complete {
		t.Errorf("the callee heard %+v", heard)
	}
}

func TestCalleeHangsUpDuringAnnouncement(t *testing.T) {
	t.Parallel()
	s := newTutorialSite(t)
	s.Switch.Callee(bowman, switchsim.Answers{})
	s.StartToken("")
	callee, err := s.Switch.WaitCallee(s.Context(), bowman)
	s.Must(err)
	s.Must(s.Trace.Wait(s.Context(), "event dialog.started"))
	callee.Hangup()
	s.WaitLog("***** CONNECTION.DISCONNECT EVENT CAUGHT *****")
	s.WaitLog("***** EVENT$.TRIGGER = remote")
	s.WaitIdle()
	if heard := callee.Heard(); heard[0].Complete {
		t.Errorf("the callee heard it all: %+v", heard)
	}
}

// What becomes of a call that is not answered, by the reasons of Voxeo's
// platform (docs/design.md).
func TestCallFails(t *testing.T) {
	t.Parallel()
	s := newTutorialSite(t)
	for _, c := range []struct {
		name   string
		callee switchsim.Behaviour
		reason string
	}{
		{"busy", switchsim.Busy{}, "busy"},
		{"busy after ringing", switchsim.Busy{After: 2 * time.Second}, "busy"},
		{"no answer for 45 s", switchsim.NoAnswer{}, "timeout"},
		{"rejected", switchsim.Rejects{After: time.Second}, "busy"},
		{"not found", switchsim.NotFound{}, "badnumber"},
		{"forbidden", switchsim.Forbidden{}, "unreachable"},
		{"unreachable", switchsim.Unreachable{}, "unreachable"},
		{"unavailable", switchsim.Unavailable{After: time.Second}, "busy"},
		{"address incomplete", switchsim.Refuses{Status: 484}, "badnumber"},
		{"server error", switchsim.Refuses{Status: 500}, "badnumber"},
		{"not implemented", switchsim.Refuses{Status: 501}, "unreachable"},
		{"gateway timeout", switchsim.Refuses{Status: 504}, "unreachable"},
		{"request timeout", switchsim.Refuses{Status: 408}, "timeout"},
		{"gone", switchsim.Refuses{Status: 410}, "unknown"},
		{"not acceptable", switchsim.Refuses{Status: 488}, "unknown"},
		{"early media, then busy", switchsim.EarlyMedia{After: time.Second, AnswerAfter: time.Second, Refuses: 486}, "busy"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := s.In(t)
			s.Trace.Reset()
			s.Switch.Callee(bowman, c.callee)
			s.StartToken("")
			s.Must(s.Trace.Wait(s.Context(), "event connection.failed ("+c.reason+")"))
			s.WaitLog("***** CONNECTION FAILED *****")
			s.WaitIdle()
			if s.Trace.Has("connection.connected") || s.Trace.Has("event error.") {
				t.Errorf("seen: %s", strings.Join(s.Trace.Lines(), "\n"))
			}
		})
	}
}

// The document's timeout ends a call that FreeSWITCH would go on with.
func TestCallTimeout(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t, sitetest.WithToken("call.ccxml"))
	s.Switch.Callee("200", switchsim.NoAnswer{})
	s.Transitions("call.ccxml", `
<transition event="ccxml.loaded"><createcall dest="'tel:200'" timeout="'150ms'"/></transition>
<transition event="connection.progressing"><log expr="'rings'"/></transition>
<transition event="connection.failed"><log expr="event$.reason + ' by ' + event$.trigger"/><exit/></transition>`)
	s.StartToken("")
	callee, err := s.Switch.WaitCallee(s.Context(), "200")
	s.Must(err)
	s.WaitLog("timeout by local")
	s.WaitIdle()
	ending, err := callee.WaitEnded(s.Context())
	s.Must(err)
	if ending.Cause != "ORIGINATOR_CANCEL" {
		t.Errorf("the call ended with %+v", ending)
	}
	s.WaitLog("rings")
}

// A document that gives a call up while it rings, and one that ends then.
func TestCallGivenUp(t *testing.T) {
	t.Parallel()
	for name, transition := range map[string]string{
		"disconnect": `<transition event="connection.progressing"><disconnect/></transition>
			<transition event="connection.failed"><log expr="'failed: ' + event$.reason"/><exit/></transition>`,
		"exit": `<transition event="connection.progressing"><exit/></transition>`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := sitetest.New(t, sitetest.WithToken("call.ccxml"))
			s.Switch.Callee("200", switchsim.NoAnswer{})
			s.Transitions("call.ccxml", `<transition event="ccxml.loaded"><createcall dest="'tel:200'"/></transition>`+transition)
			s.StartToken("")
			callee, err := s.Switch.WaitCallee(s.Context(), "200")
			s.Must(err)
			ending, err := callee.WaitEnded(s.Context())
			s.Must(err)
			if ending.Cause != "ORIGINATOR_CANCEL" {
				t.Errorf("the call ended with %+v", ending)
			}
			s.WaitIdle()
			if name == "disconnect" {
				s.WaitLog("failed: disconnected")
			}
		})
	}
}

// A hundred tokens at once: each callee hears the announcement that is meant for
// it, once.
func TestHundredTokens(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t, sitetest.WithToken("announce.ccxml"), sitetest.With("LIMITS_ORIGINATES_PER_SECOND", "50")) // half of them have to wait
	s.Transitions("announce.ccxml", `
<transition event="ccxml.loaded"><createcall dest="'tel:' + session.values.number"/></transition>
<transition event="connection.connected">
  <dialogstart src="'someFile.wav?text=This call is for ' + session.values.number + ', Mr. ' + session.values.name + '.'" type="'audio/wav'"/>
</transition>
<transition event="dialog.exit"><exit/></transition>`)
	s.Switch.Callee("*", switchsim.Answers{After: time.Second})
	const calls = 100
	number := func(i int) string { return fmt.Sprintf("4075550%03d", i) }
	for i := range calls {
		s.StartToken(url.Values{"number": {number(i)}, "name": {fmt.Sprint("B & C ", i)}}.Encode())
	}
	for i := range calls {
		callee, err := s.Switch.WaitCallee(s.Context(), number(i))
		s.Must(err)
		_, err = callee.WaitEnded(s.Context())
		s.Must(err)
		want := fmt.Sprintf("This call is for %s, Mr. B & C %d.", number(i), i)
		if heard := callee.Heard(); len(heard) != 1 || heard[0].What != want || !heard[0].Complete {
			t.Errorf("%s heard %+v", number(i), heard)
		}
	}
	s.WaitIdle()
}

func TestTokenAnswers(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t, sitetest.With("LIMITS_SESSIONS", "2"), func(o *sitetest.Options) {
		o.Environment["TOKENS"] = fmt.Sprintf("{stays: {uri: 'file://%[1]s/stays.ccxml', sessions: 1}, any: {uri: 'file://%[1]s/stays.ccxml'}, "+
			"broken: {uri: 'file://%[1]s/broken.ccxml'}, missing: {uri: 'file://%[1]s/missing.ccxml'}}", o.Dir)
	})
	s.Transitions("stays.ccxml", `<transition event="leave"><exit/></transition>`)
	s.Document("broken.ccxml", `<ccxml version="1.0"><eventprocessor><transition event="ccxml.loaded"><jump/></transition></eventprocessor></ccxml>`)
	ask := func(token string, wantStatus int, wantBody string) string {
		t.Helper()
		status, body := s.Get("/SessionControl/CCXML10.start?tokenid=" + token)
		if status != wantStatus || !strings.HasPrefix(body, wantBody) {
			t.Errorf("token %s: %d %q, want %d %q", token, status, body, wantStatus, wantBody)
		}
		return strings.TrimSpace(strings.TrimPrefix(body, "success"))
	}
	ask("unknown", http.StatusForbidden, "failure: invalid token")
	ask("", http.StatusForbidden, "failure: invalid token")
	ask("broken", http.StatusInternalServerError, "failure: file://"+s.Dir+"/broken.ccxml:1:71: ")
	ask("missing", http.StatusInternalServerError, "failure: ")
	first := ask("stays", http.StatusOK, "success\r\n")
	ask("stays", http.StatusServiceUnavailable, "failure: out of sessions") // the token's limit
	second := ask("any", http.StatusOK, "success\r\n")
	ask("any", http.StatusServiceUnavailable, "failure: out of sessions") // the controller's
	if first == second || len(first) != 36 {
		t.Errorf("sessions %q and %q", first, second)
	}
	if n := s.Daemon.Controller.Sessions(); n != 2 {
		t.Errorf("%d sessions run", n)
	}
}

// The parameters of a token start are in session.values, and in the query of the
// document's URI.
func TestTokenParameters(t *testing.T) {
	t.Parallel()
	var query string
	s := sitetest.New(t, sitetest.With("TOKENS", "{s3cret: {uri: 'http://web/start.ccxml?app=1'}}"), sitetest.AllowDocuments("http://web"))
	s.Handle("web", func(w http.ResponseWriter, r *http.Request) {
		query = r.URL.RawQuery
		w.Header().Set("Content-Type", "application/ccxml+xml")
		fmt.Fprintf(w, `<ccxml version="1.0"><eventprocessor><transition event="ccxml.loaded">
			<log expr="session.values.number + ' ' + session.values.text + ' %s'"/><exit/></transition></eventprocessor></ccxml>`, r.FormValue("number"))
	})
	s.StartToken("number=407&text=a%20b%2Bc")
	s.WaitLog("407 a b+c 407")
	if query != "app=1&number=407&text=a%20b%2Bc" {
		t.Errorf("the server was asked with %q", query)
	}
	s.WaitIdle()
}
