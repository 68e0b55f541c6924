package conf_test

import (
	"errors"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"ccxmld/conf"
)

func load(t testing.TB, src conf.Source) *conf.Config {
	t.Helper()
	c, err := conf.Load(src)
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	return c
}

// flags parses a command line with all of conf's flags registered.
func flags(t testing.TB, args ...string) *pflag.FlagSet {
	t.Helper()
	fs := pflag.NewFlagSet("ccxmld", pflag.ContinueOnError)
	conf.Flags(fs)
	if err := fs.Parse(args); err != nil {
		t.Fatalf("parse %q: %v", args, err)
	}
	return fs
}

// TestBadFiles loads every testdata/*.bad.yaml. The comments at its top say
// what is to be reported: "# expect: LINE: key: what is wrong; what is
// expected".
func TestBadFiles(t *testing.T) {
	files, err := filepath.Glob("testdata/*.bad.yaml")
	if err != nil || len(files) < 50 {
		t.Fatalf("found %d bad files, %v", len(files), err)
	}
	expectation := regexp.MustCompile(`(?m)^# expect: (.*)$`)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".bad.yaml"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var want []string
			for _, m := range expectation.FindAllStringSubmatch(string(text), -1) {
				want = append(want, file+":"+m[1])
			}
			_, err = conf.Load(conf.Source{File: file})
			if err == nil {
				t.Fatal("loaded without an error")
			}
			if got := err.Error(); got != strings.Join(want, "\n") {
				t.Errorf("got:\n%s\nwant:\n%s", got, strings.Join(want, "\n"))
			}
			if problems := (conf.Problems)(nil); !errors.As(err, &problems) {
				t.Errorf("the error is a %T, not Problems", err)
			}
		})
	}
}

func TestDefaults(t *testing.T) {
	for _, src := range []conf.Source{
		{},
		{File: "testdata/empty.good.yaml"},
		{File: "testdata/nothing.good.yaml"},
		{File: "ccxmld.yaml"},
		{Flags: flags(t)},
		{Environ: []string{"PATH=/bin"}},
	} {
		c := load(t, src)
		if c.ESL.Listen != "127.0.0.1:8084" || c.ESL.Advertise != "127.0.0.1:8084" || c.HTTP.Listen != "127.0.0.1:9999" {
			t.Errorf("%s: addresses: %+v %+v", src.File, c.ESL, c.HTTP)
		}
		if c.HTTP.URL != "" || c.HTTP.Allow != nil || c.HTTP.CreateSession {
			t.Errorf("%s: http: %+v", src.File, c.HTTP)
		}
		if len(c.Nodes)+len(c.Tokens)+len(c.Documents.Routes)+len(c.Documents.Allow)+len(c.Dial.Routes)+len(c.ESL.Allow) != 0 {
			t.Errorf("%s: lists are not empty", src.File)
		}
		want := conf.Limits{
			Sessions: 10000, PercentForCalls: 20, ChildrenPerSession: 100, ChildrenPerTree: 1000, ChildrenPerSecond: 20,
			RefuseCause: "SWITCH_CONGESTION", EventsQueued: 1000, EventsPerSecond: 1000,
			ConnectionsPerSession: 100, DialogsPerSession: 100, ConferencesPerSession: 20, MembersPerConference: 1000,
			ScriptSteps: 20_000_000, ScriptTime: 10 * time.Second, ScriptMemory: 32 << 20, ProcessMemory: 4 << 30, Backtracking: true, SessionLifetime: 24 * time.Hour,
			DocumentBytes: 1 << 20, AudioBytes: 32 << 20, FetchTimeout: 10 * time.Second, OriginatesPerSecond: 20, OriginatesWaiting: 600,
		}
		if c.Limits != want {
			t.Errorf("%s: limits: %+v", src.File, c.Limits)
		}
		if c.Redis != (conf.Redis{Prefix: "ccxml:", WriteEvery: 100 * time.Millisecond}) || c.Controller.ID != "" || c.Durability != conf.Behind || c.Dialog.TTS != (conf.TTS{Engine: "flite", Voice: "kal"}) ||
			c.Dialog.Sounds != "" || !filepath.IsAbs(c.Dialog.Spool) || c.Conference.Profile != "ccxmld" ||
			c.Mail != (conf.Mail{From: "ccxmld@localhost"}) || c.Log != (conf.Log{Level: slog.LevelInfo, Format: "text", LinesPerSecond: 50}) {
			t.Errorf("%s: %+v %+v %+v %+v", src.File, c.Redis, c.Dialog, c.Mail, c.Log)
		}
	}
}

func TestFullFile(t *testing.T) {
	c := load(t, conf.Source{File: "testdata/full.good.yaml"})
	if c.ESL.Listen != "0.0.0.0:9084" || c.ESL.Advertise != "10.0.0.5:9084|10.0.0.6:9084" {
		t.Errorf("esl: %+v", c.ESL)
	}
	var allow []string
	for _, p := range c.ESL.Allow {
		allow = append(allow, p.String())
	}
	if got := strings.Join(allow, " "); got != "10.0.0.0/8 127.0.0.1/32 fd00::/8" {
		t.Errorf("esl.allow: %s", got)
	}
	wantHTTP := conf.HTTP{
		Listen: ":8080", URL: "https://ccxml.example.org", Allow: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, CreateSession: true,
		Connections: 1024, ConnectionsPerAddress: 256,
		Hosts: []string{"pbx", "pbx:8080", "192.0.2.7", "[::1]:9"},
		TLS:   conf.TLS{Certificate: "testdata/tls.pem", Key: "testdata/tls.pem", Clients: "testdata/tls.pem"},
	}
	if !reflect.DeepEqual(c.HTTP, wantHTTP) {
		t.Errorf("http: %+v", c.HTTP)
	}
	wantRecords := conf.Records{Directory: "/var/lib/ccxmld/records", FileBytes: 1 << 20, Keep: 24 * time.Hour, Webhook: "https://billing.example.org/calls", WebhookSecret: "from-a-file"}
	if c.Records != wantRecords {
		t.Errorf("records: %+v", c.Records)
	}
	wantAPI := conf.API{
		Operators: []conf.Operator{{Name: "ann", Role: conf.RoleRead, Key: "the-key-of-ann-is-secret"}, {Name: "bob@example.org", Role: conf.RoleAdmin, Certificate: "bob"}},
		OIDC:      conf.OIDC{Issuer: "https://id.example.org/realm", Audience: "ccxmld", Claim: "groups"},
	}
	if !reflect.DeepEqual(c.API, wantAPI) {
		t.Errorf("api: %+v", c.API)
	}
	wantNodes := []conf.Node{
		{Name: "fs1", Address: "10.0.0.9:8021", Password: "0123", Weight: 3}, // not the octal number 83
		{Name: "fs2.example.org:8021", Address: "fs2.example.org:8021", Password: "from-a-file", Weight: 1},
	}
	if !reflect.DeepEqual(c.Nodes, wantNodes) {
		t.Errorf("nodes: %#v", c.Nodes)
	}
	here, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	wantTokens := map[string]conf.Token{
		"a.token-of-ours": {URI: "https://example.org/out.ccxml", Sessions: 100, Rate: 0.5},
		"short-form":      {URI: "file://" + here + "/ccxml/short.ccxml"},
	}
	if !reflect.DeepEqual(c.Tokens, wantTokens) {
		t.Errorf("tokens: %+v", c.Tokens)
	}
	if uri, ok := c.Documents.URI("2345", "public"); !ok || uri != "vxml:file://"+here+"/pages/menu.vxml" {
		t.Errorf("documents.routes: the page is %q", uri)
	}
	wantAllow := []string{"file://" + here + "/ccxml/", "file://" + here + "/pages/", "file://" + here + "/sounds/", "http://example.org/ccxml/", "https://example.org/"}
	if !reflect.DeepEqual(c.Documents.Allow, wantAllow) {
		t.Errorf("documents.allow: %q", c.Documents.Allow)
	}
	if c.Dialog.Sounds != "file://"+here+"/sounds/" || c.Dialog.Spool != "/var/spool/ccxmld" || c.Dialog.TTS.Engine != "pico" || c.Dialog.ASR != "unimrcp:lab" ||
		c.Dialog.VoiceXML != "sip:vxml.example.org:5070" {
		t.Errorf("dialog: %+v", c.Dialog)
	}
	want := conf.Limits{
		Sessions: 5, PercentForCalls: 30, ChildrenPerSession: 2, ChildrenPerTree: 4, ChildrenPerSecond: 1,
		RefuseCause: "USER_BUSY", EventsQueued: 50, EventsPerSecond: 60,
		ConnectionsPerSession: 3, DialogsPerSession: 4, ConferencesPerSession: 2, MembersPerConference: 9,
		ScriptSteps: 50_000, ScriptTime: 250 * time.Millisecond, ScriptMemory: 4 << 20, ProcessMemory: 1 << 30, FullECMAScript: true, SessionLifetime: 2 * time.Hour,
		DocumentBytes: 64 << 10, AudioBytes: 1 << 20, FetchTimeout: 3 * time.Second, OriginatesPerSecond: 7, OriginatesWaiting: 70,
	}
	if c.Limits != want {
		t.Errorf("limits: %+v", c.Limits)
	}
	if c.Controller.ID != "ccx1" || c.Durability != conf.Ahead || c.Redis.WriteEvery != 50*time.Millisecond {
		t.Errorf("%+v %s %v", c.Controller, c.Durability, c.Redis.WriteEvery)
	}
	if c.Redis.URL != "redis://:secret-of-redis@redis.example.org:6379/2" || c.Mail.SMTP != "mail.example.org:25" || c.Log.Level != slog.LevelDebug {
		t.Errorf("%+v %+v %+v", c.Redis, c.Mail, c.Log)
	}
}

func TestPrecedence(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ccxmld.yaml")
	if err := os.WriteFile(file, []byte("esl: {listen: '127.0.0.1:1'}\nlog: {level: warn}\ntokens: {of-the-file: a.ccxml}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	environ := []string{"CCXMLD_ESL_LISTEN=127.0.0.1:2", `CCXMLD_TOKENS={"of-the-environment": {"uri": "/b.ccxml"}}`}
	for _, c := range []struct {
		name          string
		src           conf.Source
		listen, level string
		token         string
	}{
		{"default", conf.Source{}, "127.0.0.1:8084", "INFO", ""},
		{"file", conf.Source{File: file}, "127.0.0.1:1", "WARN", "of-the-file"},
		{"file by variable", conf.Source{Environ: []string{"CCXMLD_CONFIG=" + file}}, "127.0.0.1:1", "WARN", "of-the-file"},
		{"environment over file", conf.Source{File: file, Environ: environ}, "127.0.0.1:2", "WARN", "of-the-environment"},
		{"flag over environment", conf.Source{File: file, Environ: environ, Flags: flags(t, "--esl-listen=127.0.0.1:3")}, "127.0.0.1:3", "WARN", "of-the-environment"},
		{"flag set to the default still wins", conf.Source{File: file, Flags: flags(t, "--log-level=info")}, "127.0.0.1:1", "INFO", "of-the-file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := load(t, c.src)
			if got.ESL.Listen != c.listen || got.Log.Level.String() != c.level {
				t.Errorf("listen %s, level %s", got.ESL.Listen, got.Log.Level)
			}
			if _, ok := got.Tokens[c.token]; c.token != "" && (!ok || len(got.Tokens) != 1) {
				t.Errorf("tokens: %v, want %s alone", got.Tokens, c.token)
			}
		})
	}
}

// TestListsAsText gives every list and map by a flag and by a variable.
func TestListsAsText(t *testing.T) {
	check := func(t *testing.T, c *conf.Config) {
		t.Helper()
		if len(c.Nodes) != 1 || c.Nodes[0].Name != "fs1" || c.Nodes[0].Password.Reveal() != "pw" {
			t.Errorf("nodes: %#v", c.Nodes)
		}
		if uri, ok := c.Documents.URI("1234", "public"); !ok || uri != "http://example.org/a" {
			t.Errorf("documents.routes: %v %q", ok, uri)
		}
		if len(c.ESL.Allow) != 2 || c.Tokens["t"].Sessions != 2 || len(c.Documents.Allow) != 2 {
			t.Errorf("%v %v %v", c.ESL.Allow, c.Tokens, c.Documents.Allow)
		}
		if d, err := c.Dial.String("tel:5"); err != nil || d.Text != "loopback/5" {
			t.Errorf("dial.routes: %v %v", d, err)
		}
	}
	values := [][2]string{
		{"nodes", `[{"name": "fs1", "password": "pw"}]`},
		{"documents-routes", "[{uri: 'http://example.org/a'}]"},
		{"documents-allow", "http://example.org/, http://example.com/x/"},
		{"tokens", "{t: {uri: 'http://example.org/t', sessions: 2}}"},
		{"dial-routes", `[{match: 'tel:(\d+)', dial: loopback/$1}]`},
		{"esl-allow", "[10.0.0.0/8, 127.0.0.1]"},
	}
	var args, environ []string
	for _, v := range values {
		args = append(args, "--"+v[0]+"="+v[1])
		environ = append(environ, "CCXMLD_"+strings.ToUpper(strings.ReplaceAll(v[0], "-", "_"))+"="+v[1])
	}
	t.Run("flags", func(t *testing.T) { check(t, load(t, conf.Source{Flags: flags(t, args...)})) })
	t.Run("environment", func(t *testing.T) { check(t, load(t, conf.Source{Environ: environ})) })
}

func TestFlagAndVariableProblems(t *testing.T) {
	for _, c := range []struct {
		name string
		src  conf.Source
		want string
	}{
		{"flag", conf.Source{Flags: flags(t, "--limits-script-time=soon")},
			`--limits-script-time: limits.script_time: "soon" is not a duration; expected a duration with its unit from 1ms to 1m, such as 500ms, 5s or 1h`},
		{"variable", conf.Source{Environ: []string{"CCXMLD_LOG_FORMAT=xml"}},
			`CCXMLD_LOG_FORMAT: log.format: "xml" is none of them; expected one of text, json`},
		{"inside a list", conf.Source{Environ: []string{"CCXMLD_NODES=[{password: a, adress: b}]"}},
			`CCXMLD_NODES: nodes[0].adress: unknown key; did you mean address?`},
		{"list unreadable", conf.Source{Flags: flags(t, "--nodes=[{name: fs1")},
			`--nodes: nodes: not readable as YAML or JSON: line 1: did not find expected ',' or '}'; expected [{name: fs1, address: 127.0.0.1:8021, password: ClueCon}]`},
		{"unknown variable", conf.Source{Environ: []string{"CCXMLD_ESL_LISTN=127.0.0.1:1"}},
			`CCXMLD_ESL_LISTN: unknown variable; did you mean CCXMLD_ESL_LISTEN?`},
		{"unknown variable, far off", conf.Source{Environ: []string{"CCXMLD_COLOUR=red"}},
			`CCXMLD_COLOUR: unknown variable; expected the variable of a key in docs/configuration.md`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := conf.Load(c.src)
			if err == nil || err.Error() != c.want {
				t.Errorf("got:\n%v\nwant:\n%s", err, c.want)
			}
		})
	}
}

// TestForeignVariables: Kubernetes sets such variables for a service that is
// called ccxmld; they are no settings and no mistakes.
func TestForeignVariables(t *testing.T) {
	load(t, conf.Source{Environ: []string{
		"CCXMLD_SERVICE_HOST=10.1.2.3", "CCXMLD_PORT=tcp://10.1.2.3:9999", "CCXMLD_PORT_9999_TCP_ADDR=10.1.2.3",
		"CCXMLD_FREESWITCH=127.0.0.1:8021:ClueCon", "CCXMLD_FREESWITCH_PROFILE=external",
	}})
}

func TestMissingFile(t *testing.T) {
	_, err := conf.Load(conf.Source{File: "testdata/none.yaml"})
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

// TestRedisURLs: these are the forms that the session store takes.
func TestRedisURLs(t *testing.T) {
	for _, u := range []string{
		"redis://h:6379", "rediss://u:p@h:6379/1", "unix:///run/redis.sock?db=1",
		"redis-sentinel://:p@a:26379,b:26379/main", "rediss-sentinel://a:1/m",
		"redis-cluster://a:1,b:2", "rediss-cluster://a:1",
	} {
		if got := load(t, conf.Source{Flags: flags(t, "--redis-url="+u)}).Redis.URL; got != u {
			t.Errorf("got %q, want %q", got, u)
		}
	}
}

func TestAdvertise(t *testing.T) {
	for _, c := range []struct{ listen, nodes, want string }{
		{"10.0.0.5:8084", "", "10.0.0.5:8084"},
		{"0.0.0.0:8084", "", "127.0.0.1:8084"},
		{":8084", "[{password: p}]", "127.0.0.1:8084"},
		{"[::]:8084", "[{password: p, address: 'localhost:8021'}]", "127.0.0.1:8084"},
	} {
		args := []string{"--esl-listen=" + c.listen, "--esl-allow=10.0.0.0/8"}
		if c.nodes != "" {
			args = append(args, "--nodes="+c.nodes)
		}
		if got := load(t, conf.Source{Flags: flags(t, args...)}).ESL.Advertise; got != c.want {
			t.Errorf("%s: got %s, want %s", c.listen, got, c.want)
		}
	}
}

// TestNodeSIP: what a node is reached by becomes part of dial strings.
func TestNodeSIP(t *testing.T) {
	node := func(address string) string {
		return "CCXMLD_NODES=[{name: a, password: x, sip: '" + address + "'}]"
	}
	for address, want := range map[string]string{
		"sip:10.0.0.2:5090": "10.0.0.2:5090", "sip:fs2.example.org": "fs2.example.org",
		"sip:10.0.0.2:5090;transport=tcp": "10.0.0.2:5090;transport=tcp", "sip:[2001:db8::2]:5090": "[2001:db8::2]:5090",
	} {
		if got := load(t, conf.Source{Environ: []string{node(address)}}).Nodes[0].SIP; got != want {
			t.Errorf("%s: %q", address, got)
		}
	}
	for _, address := range []string{"10.0.0.2:5090", "sip:", "sip:me@10.0.0.2", "sip:10.0.0.2:5090,sofia/x", "sip:10.0.0.2 5090", "sip:${x}", "sips:10.0.0.2"} {
		if _, err := conf.Load(conf.Source{Environ: []string{node(address)}}); err == nil {
			t.Errorf("%q is taken", address)
		}
	}
}
