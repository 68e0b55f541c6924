package metrics_test

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/VictoriaMetrics/metricsql"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	yaml "go.yaml.in/yaml/v3"

	"ccxmld/metrics"
	"ccxmld/sitetest"
	"ccxmld/switchsim"
)

func TestMain(m *testing.M) { sitetest.Main(m) }

// scrape reads a site's metrics: each with its labels, as Prometheus writes them.
func scrape(s *sitetest.Site) (values map[string]string, text string) {
	s.Helper()
	status, text := s.Get("/metrics")
	if status != 200 {
		s.Fatalf("%d %s", status, text)
	}
	values = make(map[string]string)
	for line := range strings.SplitSeq(text, "\n") {
		if name, value, ok := strings.Cut(line, " "); ok && !strings.HasPrefix(line, "#") {
			values[name] = value
		}
	}
	return values, text
}

// What happens to calls, sessions, dialogs and tokens is counted, each once.
func TestCounts(t *testing.T) {
	var document string
	s := sitetest.New(t, func(o *sitetest.Options) {
		document = "file://" + o.Dir + "/token"
		o.Environment["TOKENS"] = "{t: {uri: '" + document + "', sessions: 1}}"
	})
	s.Switch.Callee("200", switchsim.Answers{After: 3 * time.Second})
	s.Switch.Callee("300", switchsim.Refuses{Status: 486})
	s.Switch.AddSound("/sounds/a.wav", 2*time.Second)
	s.Transitions("token", `
		<transition event="ccxml.loaded"><createcall dest="'tel:200'"/><createcall dest="'tel:300'"/></transition>
		<transition event="connection.failed"><log expr="'busy'"/></transition>
		<transition event="connection.connected"><send target="session.id" targettype="'ccxml'" name="'end'" delay="'20s'"/></transition>
		<transition event="end"><log expr="'ends'"/><exit/></transition>`)
	called := s.Transitions("called", `
		<transition event="connection.alerting"><accept/></transition>
		<transition event="connection.connected"><dialogstart src="'/sounds/a.wav'" type="'audio/wav'"/></transition>
		<transition event="dialog.exit"><log expr="'heard'"/></transition>
		<transition event="connection.disconnected"><log expr="no.such.thing"/></transition>`)
	party := s.Dial(called)
	s.WaitLog("heard")
	party.Press("1")
	s.Sleep(time.Second)
	for _, query := range []string{"tokenid=t", "tokenid=t", "tokenid=wrong"} {
		s.Get("/CCXML10.start?" + query)
	}
	s.WaitLog("busy")
	during, _ := scrape(s)
	party.Hangup()
	s.WaitLog("ends")
	s.WaitIdle()
	s.WaitSwitchIdle()
	after, text := scrape(s)
	for name, want := range map[string]string{
		`ccxmld_sessions`: "2", `ccxmld_redis_up`: "1", `ccxmld_node_up{node="sim"}`: "1", `ccxmld_draining`: "0",
	} {
		if during[name] != want {
			t.Errorf("while they run %s is %q, want %s", name, during[name], want)
		}
	}
	for name, want := range map[string]string{
		`ccxmld_sessions`: "0", `ccxmld_calls`: "0", `ccxmld_calls_overdue`: "0",
		`ccxmld_sessions_started_total{startup="newcall"}`: "1", `ccxmld_sessions_started_total{startup="external"}`: "1",
		`ccxmld_sessions_ended_total{outcome="exit"}`: "1", `ccxmld_sessions_ended_total{outcome="died"}`: "1",
		`ccxmld_token_starts_total{outcome="started"}`: "1", `ccxmld_token_starts_total{outcome="full"}`: "1", `ccxmld_token_starts_total{outcome="refused"}`: "1",
		`ccxmld_calls_began_total{direction="in"}`: "1", `ccxmld_calls_began_total{direction="out"}`: "2",
		`ccxmld_calls_ended_total{direction="in",outcome="answered"}`: "1", `ccxmld_calls_ended_total{direction="out",outcome="answered"}`: "1",
		`ccxmld_calls_ended_total{direction="out",outcome="busy"}`: "1",
		`ccxmld_call_answer_seconds_count{direction="out"}`:        "1", `ccxmld_call_answer_seconds_sum{direction="out"}`: "3",
		`ccxmld_call_talk_seconds_count`: "2", `ccxmld_dialogs_total{outcome="done"}`: "1", `ccxmld_digits_total`: "1",
		`ccxmld_fetches_total{outcome="ok",purpose="document"}`: "2", `ccxmld_event_to_command_seconds_count`: "",
	} {
		if got := after[name]; got != want && (want != "" || got == "" || got == "0") {
			t.Errorf("%s is %q, want %s", name, got, want)
		}
	}
	for _, name := range []string{`ccxmld_esl_command_seconds_count{node="sim"}`, "ccxmld_redis_command_seconds_count", "ccxmld_event_wait_seconds_count", "go_goroutines"} {
		if after[name] == "" || after[name] == "0" {
			t.Errorf("%s is %q", name, after[name])
		}
	}
	problems, err := promlint.New(strings.NewReader(text)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

// A token start that the limit of all sessions keeps out counts as one that the token's keeps
// out.
func TestStartBeyondAllSessions(t *testing.T) {
	s := sitetest.New(t, sitetest.WithSettings(map[string]string{"LIMITS_SESSIONS": "1"}), func(o *sitetest.Options) {
		o.Environment["TOKENS"] = "{t: {uri: 'file://" + o.Dir + "/waits'}}"
	})
	s.Transitions("waits", `<transition event="ccxml.loaded"/>`)
	for range 2 {
		s.Get("/CCXML10.start?tokenid=t")
	}
	values, _ := scrape(s)
	for outcome, want := range map[string]string{"started": "1", "full": "1", "failed": ""} {
		if got := values[`ccxmld_token_starts_total{outcome="`+outcome+`"}`]; got != want {
			t.Errorf("%s: %q, want %q", outcome, got, want)
		}
	}
}

// A nil *Metrics counts nothing, and does no harm.
func TestNoMetrics(t *testing.T) {
	var m *metrics.Metrics
	m.SessionStarted("newcall")
	m.SessionEnded("exit", time.Second)
	m.CallBegan(metrics.In)
	m.CallRang(metrics.In, time.Second)
	m.CallAnswered(metrics.In, time.Second)
	m.CallEnded(metrics.In, "answered", time.Second)
	m.EventHandled(0, 0, 0, true)
	m.DialogEnded("done")
	m.Digit()
	m.Fetched("document", "ok", 0)
	m.CommandAnswered("sim", 0)
	m.RedisAnswered(0, true)
	m.TookOver(1, 1)
	m.TokenStart("started")
}

var metricName = regexp.MustCompile(`ccxmld_[a-z_]+`)

// known are the metrics that there are, also of those with no value yet.
func known() []string {
	source, _ := os.ReadFile("metrics.go")
	state, _ := os.ReadFile("state.go")
	var names []string
	for _, m := range regexp.MustCompile(`(?:counter|histogram|describe)\("([a-z_]+)"`).FindAllStringSubmatch(string(source)+string(state), -1) {
		names = append(names, "ccxmld_"+m[1])
	}
	return append(names, "ccxmld_build_info")
}

// exists tells whether what an expression names is a metric.
func exists(name string) bool {
	for _, suffix := range []string{"_bucket", "_sum", "_count", ""} {
		if slices.Contains(known(), strings.TrimSuffix(name, suffix)) {
			return true
		}
	}
	return false
}

// The alert rules and the dashboard that are shipped can be read, and ask for metrics that there
// are; the docs name all of these.
func TestShippedRulesAndDashboard(t *testing.T) {
	rules, err := os.ReadFile("../conf/prometheus/ccxmld.rules.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Groups []struct {
			Rules []struct {
				Alert, Expr string
				For         string
				Annotations map[string]string
			}
		}
	}
	if err := yaml.Unmarshal(rules, &file); err != nil {
		t.Fatal(err)
	}
	operations, err := os.ReadFile("../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	var expressions []string
	for _, rule := range file.Groups[0].Rules {
		expressions = append(expressions, rule.Expr)
		if rule.Annotations["summary"] == "" || !strings.Contains(string(operations), "`"+rule.Alert+"`") {
			t.Errorf("%s has no summary, or docs/operations.md does not say what to do", rule.Alert)
		}
	}
	dashboard, err := os.ReadFile("../conf/grafana/ccxmld.json")
	if err != nil {
		t.Fatal(err)
	}
	var board struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(dashboard, &board); err != nil {
		t.Fatal(err)
	}
	for _, panel := range board.Panels {
		for _, target := range panel.Targets {
			expressions = append(expressions, strings.ReplaceAll(target.Expr, "$instance", ".*"))
		}
	}
	for _, expression := range expressions {
		if _, err := metricsql.Parse(expression); err != nil {
			t.Errorf("%s: %v", expression, err)
		}
		for _, name := range metricName.FindAllString(expression, -1) {
			if !exists(name) {
				t.Errorf("%s is asked for, and there is no such metric", name)
			}
		}
	}
	for _, name := range known() {
		if !strings.Contains(string(operations), "`"+name+"`") {
			t.Errorf("docs/operations.md does not name %s", name)
		}
	}
	for _, name := range metricName.FindAllString(string(operations), -1) {
		if !exists(name) {
			t.Errorf("docs/operations.md names %s, which is no metric", name)
		}
	}
}
