package doctor_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"ccxmld/clock"
	"ccxmld/conf"
	"ccxmld/doctor"
	"ccxmld/sessionstore/redistest"
	"ccxmld/switchsim"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// installation is a configuration with a simulated FreeSWITCH, all of it good.
type installation struct {
	sw          switchsim.Options
	environment map[string]string
	engines     []string
	patience    time.Duration
	document    error // of every document
}

func good(t *testing.T) *installation {
	dir := t.TempDir()
	return &installation{
		sw: switchsim.Options{
			Folders:  func(path string) bool { return !strings.HasPrefix(path, "/nonexistent/") },
			Password: "s3cret", SessionsPerSecond: 100, MaxSessions: 20000, Gateways: []string{"carrier"},
			Sounds: func(path string) (time.Duration, bool) {
				_, err := os.Stat(path)
				return 100 * time.Millisecond, err == nil
			},
		},
		environment: map[string]string{
			"ESL_LISTEN": "127.0.0.1:0", "HTTP_LISTEN": "127.0.0.1:0", "DIALOG_SPOOL": filepath.Join(dir, "spool"), "DIALOG_RECORDINGS": dir,
			"DOCUMENTS_ROUTES": "[{uri: 'file:///etc/ccxmld/conference.ccxml'}]",
			"DIAL_ROUTES":      "[{match: 'tel:(.*)', dial: 'sofia/gateway/carrier/$1'}, {match: 'sip:(.*)', dial: 'sofia/internal/sip:$1'}]",
		},
		engines:  []string{"flite"},
		patience: 5 * time.Second,
	}
}

// examine runs the doctor and gives what is not good, as "status about/check", and all it
// found.
func (i *installation) examine(t *testing.T) (bad []string, all []doctor.Finding, worst doctor.Status) {
	t.Helper()
	i.sw.Clock = clock.Scaled(5)
	sw := switchsim.New(i.sw)
	if err := sw.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	defer sw.Close()
	for _, engine := range i.engines {
		sw.AddTTS(engine)
	}
	environment := maps.Clone(i.environment)
	if environment["NODES"] == "" {
		environment["NODES"] = fmt.Sprintf("[{name: sim, address: %q, password: s3cret}]", sw.Addr())
	}
	var environ []string
	for name, value := range environment {
		environ = append(environ, "CCXMLD_"+name+"="+value)
	}
	config, err := conf.Load(conf.Source{Environ: environ})
	if err != nil {
		t.Fatal(err)
	}
	worst = doctor.Examine(t.Context(), doctor.Options{
		Config: config, Patience: i.patience,
		Document: func(context.Context, string) error { return i.document },
		Found: func(f doctor.Finding) {
			all = append(all, f)
			if f.Status == doctor.OK {
				return
			}
			bad = append(bad, fmt.Sprintf("%s %s/%s", f.Status, f.About, f.Check))
			if f.Mend == "" {
				t.Errorf("%s/%s does not say what to do: %s", f.About, f.Check, f.Text)
			}
		},
	})
	if n := sw.Channels(); n != 0 {
		t.Errorf("the doctor left %d channels", n)
	}
	return bad, all, worst
}

func TestGoodInstallation(t *testing.T) {
	t.Parallel()
	i := good(t)
	bad, all, worst := i.examine(t)
	if worst != doctor.OK || len(bad) > 0 {
		t.Errorf("%s: %v", worst, bad)
	}
	var checks []string
	for _, f := range all {
		if f.About == "node sim" {
			checks = append(checks, f.Check)
		}
	}
	want := "link version modules sps sessions clock profile gateway call spool speech recordings"
	if got := strings.Join(checks, " "); got != want {
		t.Errorf("looked at %s, want %s", got, want)
	}
	for _, folder := range []string{i.environment["DIALOG_SPOOL"]} {
		if left, _ := os.ReadDir(folder); len(left) > 0 {
			t.Errorf("left in %s: %v", folder, left)
		}
	}
}

// Each thing that can be wrong is found, under its own name, and nothing else is.
func TestWhatIsWrong(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil func(*installation)
		want  []string
		text  string // somewhere in what is found
	}{
		"wrong password":    {func(i *installation) { i.sw.Password = "other" }, []string{"problem node sim/password"}, "wrong password"},
		"access list":       {func(i *installation) { i.sw.Denies = true }, []string{"problem node sim/acl"}, "apply-inbound-acl"},
		"old version":       {func(i *installation) { i.sw.Version = "1.10.12-release" }, []string{"warning node sim/version"}, "CVE-2026-49840"},
		"very old version":  {func(i *installation) { i.sw.Version = "1.8.7" }, []string{"warning node sim/version"}, "older than"},
		"strange version":   {func(i *installation) { i.sw.Version = "Asterisk" }, []string{"warning node sim/version"}, "Asterisk"},
		"module not needed": {func(i *installation) { i.without("mod_tone_stream") }, []string{"warning node sim/module"}, "no beeps"},
		"module needed":     {func(i *installation) { i.without("mod_conference") }, []string{"problem node sim/module"}, `<load module="mod_conference"/>`},
		"no loopback": {func(i *installation) { i.without("mod_loopback") },
			[]string{"warning node sim/module", "warning node sim/call"}, "needs mod_loopback"},
		"no sofia": {func(i *installation) { i.without("mod_sofia") },
			[]string{"warning node sim/module", "problem node sim/endpoint", "problem node sim/endpoint"}, "which no loaded module knows"},
		"paused":          {func(i *installation) { i.sw.Paused = true }, []string{"problem node sim/ready", "warning node sim/call"}, "fsctl resume"},
		"calls a second":  {func(i *installation) { i.sw.SessionsPerSecond = 20 }, []string{"problem node sim/sps"}, "only 20 new calls"},
		"calls at a time": {func(i *installation) { i.sw.MaxSessions = 1000 }, []string{"warning node sim/sessions"}, "1000 calls at a time"},
		"no profile":      {func(i *installation) { i.sw.Profiles = []string{"default"} }, []string{"problem node sim/profile"}, "no conference profile ccxmld"},
		"gateway unknown": {func(i *installation) { i.sw.Gateways = []string{"other"} }, []string{"problem node sim/gateway"}, "not there"},
		"gateway down": {func(i *installation) { i.sw.Gateways, i.sw.DownGateways = nil, []string{"carrier"} },
			[]string{"problem node sim/gateway"}, "FAIL_WAIT"},
		"no engine":    {func(i *installation) { i.engines = []string{"pico"} }, []string{"problem node sim/speech"}, "this FreeSWITCH has pico"},
		"other engine": {func(i *installation) { i.environment["DIALOG_TTS_ENGINE"] = "tts_commandline" }, []string{"problem node sim/speech"}, "freeswitch-mod-tts-commandline"},
		"no engine for recognition": {func(i *installation) { i.environment["DIALOG_ASR"] = "unimrcp:lab" },
			[]string{"problem node sim/recognition"}, "no engine unimrcp"},
		"spool not shared": {func(i *installation) {
			i.sw.Sounds = func(string) (time.Duration, bool) { return 0, false }
		}, []string{"problem node sim/spool"}, "FILE NOT FOUND"},
		"spool not writable": {func(i *installation) { i.environment["DIALOG_SPOOL"] = "/dev/null/spool" }, []string{"problem spool/spool"}, "/dev/null"},
		"no prompts":         {func(i *installation) { i.environment["DIALOG_SOUNDS"] = "/nonexistent/sounds/" }, []string{"problem node sim/sounds"}, "/nonexistent/sounds/"},
		"no prompts of FreeSWITCH": {func(i *installation) { i.sw.Globals = map[string]string{"sound_prefix": "/nonexistent/callie"} },
			[]string{"warning node sim/prompts"}, "/nonexistent/callie"},
		"an empty directory of prompts": {func(i *installation) { // which is there, and has none
			i.sw.Globals = map[string]string{"sound_prefix": "/usr/share/freeswitch/sounds"}
			i.sw.Sounds = func(path string) (time.Duration, bool) { return time.Second, !strings.Contains(path, "/digits/") }
		}, []string{"warning node sim/prompts"}, "there is no digits/8000/1.wav"},
		"not advertised": {func(i *installation) {
			i.environment["ESL_LISTEN"], i.environment["ESL_ADVERTISE"] = freeAddress(), "127.0.0.1:1"
		}, []string{"problem node sim/call"}, "could not connect to 127.0.0.1:1"},
		"not admitted": {func(i *installation) { i.environment["ESL_ALLOW"] = "[192.0.2.0/24]" }, []string{"problem node sim/allow"}, "127.0.0.1"},
		"address of nobody": {func(i *installation) {
			i.environment["ESL_LISTEN"], i.environment["ESL_ALLOW"] = "192.0.2.1:8084", "[127.0.0.1]"
		}, []string{"problem addresses/listen", "warning node sim/call"}, "cannot be opened"},
		"stock password of the phones": {func(i *installation) { i.sw.Globals = map[string]string{"default_password": "1234"} },
			[]string{"warning node sim/phones"}, "10 s"},
		"web taken": {func(i *installation) { i.environment["HTTP_LISTEN"] = greets(t, "") }, []string{"problem addresses/http"}, "address already in use"},
		"web of nobody": {func(i *installation) {
			i.environment["HTTP_LISTEN"], i.environment["API_OPERATORS"] = "192.0.2.1:9999", "[{name: a, role: read, key: 0123456789abcdef}]"
		}, []string{"problem addresses/http"}, "address of this machine"},
		"document":        {func(i *installation) { i.document = errors.New("line 3: <asign>") }, []string{"problem documents/document"}, "line 3"},
		"no document":     {func(i *installation) { delete(i.environment, "DOCUMENTS_ROUTES") }, []string{"warning documents/routes"}, "documents.routes"},
		"no route":        {func(i *installation) { delete(i.environment, "DIAL_ROUTES") }, []string{"warning dial routes/routes"}, "createcall"},
		"no node":         {func(i *installation) { i.environment["NODES"] = "[]" }, []string{"warning nodes/nodes"}, "incoming calls work"},
		"nothing listens": {func(i *installation) { i.node("127.0.0.1:1") }, []string{"problem node sim/link"}, "nothing listens there"},
		"redis not there": {func(i *installation) { i.environment["REDIS_URL"] = "redis://127.0.0.1:1" }, []string{"problem redis/redis"}, "connection refused"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := good(t)
			c.spoil(i)
			bad, all, worst := i.examine(t)
			slices.Sort(bad)
			slices.Sort(c.want)
			if !slices.Equal(bad, c.want) {
				t.Errorf("found %q, want %q", bad, c.want)
			}
			if status, _, _ := strings.Cut(slices.Min(c.want), " "); string(worst) != status { // "problem" is before "warning"
				t.Errorf("the worst is %s, want %s", worst, status)
			}
			if !strings.Contains(fmt.Sprint(all), c.text) {
				t.Errorf("nothing says %q: %v", c.text, all)
			}
		})
	}
}

func (i *installation) without(module string) {
	all := []string{"mod_commands", "mod_conference", "mod_dptools", "mod_dialplan_xml", "mod_event_socket", "mod_flite", "mod_loopback", "mod_say_en", "mod_sndfile", "mod_sofia", "mod_tone_stream"}
	i.sw.Modules = slices.DeleteFunc(all, func(m string) bool { return m == module })
}

func (i *installation) node(address string) {
	i.environment["NODES"] = fmt.Sprintf("[{name: sim, address: %q, password: s3cret}]", address)
}

func freeAddress() string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// Whatever else listens at a node's address is no FreeSWITCH, whether it talks
// first or waits to be talked to.
func TestNotFreeSWITCH(t *testing.T) {
	t.Parallel()
	web := httptest.NewServer(nil)
	t.Cleanup(web.Close)
	for name, address := range map[string]string{
		"web server": web.Listener.Addr().String(),
		"ssh":        greets(t, "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"),
		"smtp":       greets(t, "220 mail.example.org ESMTP\r\n\r\n"),
		"a ccxmld":   greets(t, "connect\n\n"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := good(t)
			i.patience = 200 * time.Millisecond
			i.node(address)
			bad, all, _ := i.examine(t)
			if !slices.Equal(bad, []string{"problem node sim/freeswitch"}) {
				t.Errorf("found %q: %v", bad, all)
			}
		})
	}
}

// greets listens for connections and says a word on each.
func greets(t *testing.T, words string) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Write([]byte(words))
			_, _ = conn.Read(make([]byte, 1)) // until the other side closes
			conn.Close()
		}
	}()
	t.Cleanup(func() { listener.Close(); <-ended })
	return listener.Addr().String()
}

// A Redis that is there, and one that lets us in but does not let us work.
func TestRedis(t *testing.T) {
	t.Parallel()
	server := redistest.Real(t)
	i := good(t)
	i.environment["NODES"], i.environment["REDIS_URL"] = "[]", server.URL
	if bad, all, _ := i.examine(t); !slices.Equal(bad, []string{"warning nodes/nodes"}) {
		t.Errorf("found %q: %v", bad, all)
	}
	if err := server.Client().Do(t.Context(), "ACL", "SETUSER", "reader", "on", ">pw", "~*", "+@read", "+ping").Err(); err != nil {
		t.Fatal(err)
	}
	if err := server.Client().Do(t.Context(), "ACL", "SETUSER", "ours", "on", ">pw", "~ccxml:*", "+@all", "-@dangerous", "+info").Err(); err != nil {
		t.Fatal(err)
	}
	for user, want := range map[string][]string{
		"reader:pw":    {"problem redis/permission", "warning nodes/nodes"},
		"reader:wrong": {"problem redis/permission", "warning nodes/nodes"},
		"ours:pw":      {"warning nodes/nodes"},
	} {
		i.environment["REDIS_URL"] = strings.Replace(server.URL, "://", "://"+user+"@", 1)
		bad, all, _ := i.examine(t)
		if !slices.Equal(bad, want) {
			t.Errorf("%s: found %q: %v", user, bad, all)
		}
		if strings.Contains(fmt.Sprint(all), user) {
			t.Errorf("%s is shown: %v", user, all)
		}
	}
	if keys, err := server.Client().Keys(t.Context(), "*").Result(); err != nil || len(keys) > 0 {
		t.Errorf("left in Redis: %v, %v", keys, err)
	}
}
