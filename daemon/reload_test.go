package daemon_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"ccxmld/sitetest"
	"ccxmld/switchsim"
)

// answers is a document whose caller is answered and stays.
const answers = `<transition event="connection.alerting"><accept/></transition>
<transition event="connection.connected"><log expr="'%s answers ' + event$.connectionid"/></transition>
<transition event="connection.disconnected"><exit/></transition>`

// tokenStart starts a session by a token, and gives what came of it.
func tokenStart(s *sitetest.Site, token string) (status int) {
	s.Helper()
	status, _ = s.Get("/CCXML10.start?tokenid=" + token)
	return status
}

// TestReload: routes, tokens, what may be fetched and dialled, and limits are taken up
// while calls go on; what is not is named.
func TestReload(t *testing.T) {
	s := sitetest.New(t, sitetest.With("LIMITS_PERCENT_FOR_CALLS", "0"))
	one, two := s.Transitions("one.ccxml", fmt.Sprintf(answers, "one")), s.Transitions("two.ccxml", fmt.Sprintf(answers, "two"))
	waits := s.Transitions("waits.ccxml", `<transition event="ccxml.loaded"><createcall dest="'tel:300'"/></transition>
		<transition event="connection.failed"><log expr="'failed: ' + event$.reason"/></transition>
		<transition event="connection.connected"><log expr="'called'"/></transition>`)
	route := func(uri string) string {
		return fmt.Sprintf("CCXMLD_DOCUMENTS_ROUTES=[{destination: '8001', uri: %q}]", uri)
	}
	token := func(names ...string) string {
		var list []string
		for _, name := range names {
			list = append(list, fmt.Sprintf("%s: {uri: %q, sessions: 1}", name, waits))
		}
		return "CCXMLD_TOKENS={" + strings.Join(list, ", ") + "}"
	}
	dials := func(pattern string) string {
		return fmt.Sprintf("CCXMLD_DIAL_ROUTES=[{match: '%s', dial: 'sofia/gateway/carrier/$1'}]", pattern)
	}
	reload := func(settings ...string) {
		s.Helper()
		s.Must(s.Daemon.Reload(s.Config(settings...)))
	}
	call := func() *switchsim.Party {
		s.Helper()
		caller, err := s.Switch.Dial(switchsim.Call{To: "8001", Sockets: []string{s.Daemon.ESLAddress()}})
		s.Must(err)
		return caller
	}
	s.Switch.Callee("300", switchsim.Answers{})

	reload(route(one), token("a"), dials("tel:(1.*)"))
	first := call()
	s.WaitLog("one answers " + first.UUID())
	if status := tokenStart(s, "a"); status != http.StatusOK {
		t.Errorf("a new token: %d", status)
	}
	s.WaitLog("failed: unreachable")

	reload(route(two), token("a", "b"), dials("tel:(3.*)"))
	second := call()
	s.WaitLog("two answers " + second.UUID())
	if status := tokenStart(s, "a"); status != http.StatusServiceUnavailable {
		t.Errorf("a token whose only session runs, after the reload: %d", status)
	}
	if status := tokenStart(s, "b"); status != http.StatusOK {
		t.Errorf("another new token: %d", status)
	}
	s.WaitLog("called")

	reload(route(two), token("c"), "CCXMLD_LIMITS_SESSIONS=5")
	if status := tokenStart(s, "b"); status != http.StatusForbidden {
		t.Errorf("a token that is gone: %d", status)
	}
	third := call()
	s.WaitLog("two answers " + third.UUID())
	if status := tokenStart(s, "c"); status != http.StatusServiceUnavailable {
		t.Errorf("a start beyond limits.sessions: %d", status)
	}

	reload("CCXMLD_DOCUMENTS_ALLOW=[file:///elsewhere/]", "CCXMLD_REDIS_PREFIX=other:")
	ending, err := s.Dial(one).WaitEnded(s.Context())
	s.Must(err)
	if ending.Cause != "NORMAL_TEMPORARY_FAILURE" {
		t.Errorf("a call for a document that is not allowed any more ended by %s", ending.Cause)
	}
	s.Must(s.DaemonLog.WaitText(s.Context(), "from the next start only\" settings=redis.prefix"))
	for _, caller := range []*switchsim.Party{first, second, third} {
		caller.Hangup()
	}
}

// TestReloadedPace: calls that wait for their turn get those of a higher pace at once.
func TestReloadedPace(t *testing.T) {
	s := sitetest.New(t, sitetest.With("LIMITS_ORIGINATES_PER_SECOND", "1"))
	s.Switch.Callee("200", switchsim.NoAnswer{})
	s.StartSession(s.Transitions("calls.ccxml", `<transition event="ccxml.loaded">`+strings.Repeat(`<createcall dest="'tel:200'"/>`, 20)+`</transition>`))
	_, err := s.Switch.WaitCallee(s.Context(), "200")
	s.Must(err)
	begun := s.Clock.Now()
	s.Must(s.Daemon.Reload(s.Config("CCXMLD_LIMITS_ORIGINATES_PER_SECOND=100")))
	for range 19 {
		_, err := s.Switch.WaitCallee(s.Context(), "200")
		s.Must(err)
	}
	if took := s.Clock.Now().Sub(begun); took > time.Second {
		t.Errorf("the calls that waited took %s", took)
	}
}
