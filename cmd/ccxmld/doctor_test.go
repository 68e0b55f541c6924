package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ccxmld/conf"
	"ccxmld/doctor"
	"ccxmld/sitetest"
	"ccxmld/switchsim"
)

// Doctor runs beside a daemon that works, with its configuration.
func TestDoctor(t *testing.T) {
	t.Parallel()
	s := sitetest.NewOverTCP(t, func(o *sitetest.Options) {
		o.Switch.SessionsPerSecond, o.Switch.MaxSessions = 100, 20000
		o.Switch.Sounds = func(path string) (time.Duration, bool) {
			_, err := os.Stat(path)
			return 100 * time.Millisecond, err == nil
		}
	})
	good := s.Transitions("good.ccxml", `<transition event="connection.alerting"><accept/></transition>`)
	bad := s.Transitions("bad.ccxml", `<transition event="connection.alerting"><accept connectionid="1 +"/></transition>`)
	examine := func(document string) (string, error) {
		var environ []string
		for name, value := range s.Environment {
			environ = append(environ, "CCXMLD_"+name+"="+value)
		}
		environ = append(environ, "CCXMLD_DOCUMENTS_ROUTES=[{uri: '"+document+"'}]", "CCXMLD_DIALOG_RECORDINGS="+t.TempDir())
		environ = append(environ, "CCXMLD_ESL_LISTEN="+s.Daemon.ESLAddress())
		config, err := conf.Load(conf.Source{Environ: environ})
		s.Must(err)
		var out bytes.Buffer
		d := doctorRun{format: "text", patience: 5 * time.Second}
		err = d.run(s.Context(), config, &out)
		return out.String(), err
	}
	out, err := examine(good)
	if err != nil || !strings.Contains(out, "which should be ccxmld") || !strings.HasSuffix(out, "0 problems\n") {
		t.Errorf("%v, printed %s", err, out)
	}
	out, err = examine(bad)
	if err != errReported || !strings.Contains(out, "problem  "+bad+" does not load: line 1:") {
		t.Errorf("%v, printed %s", err, out)
	}
	page := s.Page(`<form><block/></form>`)
	if out, err = examine(strings.TrimPrefix(page, "vxml:")); err != errReported || !strings.Contains(out, "with vxml: before its URI") {
		t.Errorf("%v, printed %s", err, out)
	}
	if out, err = examine(page); err != nil {
		t.Errorf("%v, printed %s", err, out)
	}
	if n := s.Daemon.Controller.Started(); n != 0 {
		t.Errorf("the doctor's call came to the daemon: %d sessions", n)
	}
	s.WaitUntil("its call has ended", func() bool { return s.Switch.Channels() == 0 })
}

// The exit status says whether there is a problem, also for a program that reads
// JSON.
func TestDoctorExitStatus(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "ccxmld.yaml")
	text := "esl: {listen: '127.0.0.1:0'}\ndialog: {spool: " + t.TempDir() + "}\n"
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(text)
	if status, out, _ := ccxmld(t, "doctor", "--config", file); status != 0 || !strings.Contains(out, "warning") {
		t.Errorf("exit status %d, printed %s", status, out)
	}
	if status, out, _ := ccxmld(t, "doctor", "--strict", "--config", file); status != 1 {
		t.Errorf("exit status %d, printed %s", status, out)
	}
	write(text + "nodes: [{name: fs1, address: '127.0.0.1:1', password: x}]\n")
	status, out, _ := ccxmld(t, "doctor", "--format", "json", "--config", file)
	var list []doctor.Finding
	if err := json.Unmarshal([]byte(out), &list); err != nil || status != 1 {
		t.Fatalf("exit status %d, printed %s: %v", status, out, err)
	}
	last := list[len(list)-1]
	if last.About != "node fs1" || last.Check != "link" || last.Status != doctor.Problem || last.Mend == "" {
		t.Errorf("the last finding is %+v", last)
	}
	for _, arguments := range [][]string{{"--format", "xml"}, {"--patience", "-1s"}, {"--config", "/nonexistent.yaml"}} {
		if status, _, errors := ccxmld(t, append([]string{"doctor"}, arguments...)...); status != 1 || errors == "" {
			t.Errorf("%v: exit status %d, printed %q", arguments, status, errors)
		}
	}
}

// The daemon's log says what to do about a node that it cannot work with, and
// never the password.
func TestLogSaysWhatToDoAboutNodes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil func(*switchsim.Options)
		want  []string
	}{
		"wrong password": {func(o *switchsim.Options) { o.Password = "other" }, []string{"wrong password", "event_socket.conf.xml"}},
		"access list":    {func(o *switchsim.Options) { o.Denies, o.Password = true, "other" }, []string{"access list", "apply-inbound-acl"}},
		"module":         {func(o *switchsim.Options) { o.Modules = []string{"mod_commands", "mod_dptools", "mod_sndfile"} }, []string{"mod_conference", "modules.conf.xml", "level=ERROR"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := sitetest.New(t, func(o *sitetest.Options) { c.spoil(&o.Switch) })
			for _, text := range c.want {
				s.Must(s.DaemonLog.WaitText(s.Context(), text))
			}
			if s.DaemonLog.Has("ClueCon") {
				t.Error("the log has the password")
			}
		})
	}
}
