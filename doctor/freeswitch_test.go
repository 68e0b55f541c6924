//go:build freeswitch

package doctor_test

import (
	"fmt"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"ccxmld/conf"
	"ccxmld/doctor"
)

// examineReal runs the doctor on the real FreeSWITCH and gives its findings by
// check.
func examineReal(t *testing.T, settings map[string]string) map[string]doctor.Finding {
	t.Helper()
	named := os.Getenv("CCXMLD_FREESWITCH")
	at := strings.LastIndex(named, ":")
	if at < 0 {
		t.Fatal("CCXMLD_FREESWITCH must be HOST:PORT:PASSWORD of mod_event_socket")
	}
	environ := []string{
		"CCXMLD_ESL_LISTEN=127.0.0.1:0", "CCXMLD_DIALOG_SPOOL=" + t.TempDir(), "CCXMLD_DIALOG_RECORDINGS=" + t.TempDir(),
		fmt.Sprintf("CCXMLD_NODES=[{name: real, address: %q, password: %q}]", named[:at], named[at+1:]),
	}
	for name, value := range settings {
		environ = append(environ, "CCXMLD_"+name+"="+value)
	}
	config, err := conf.Load(conf.Source{Environ: environ})
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[string]doctor.Finding)
	doctor.Examine(t.Context(), doctor.Options{Config: config, Patience: 3 * time.Second, Found: func(f doctor.Finding) {
		t.Logf("%s %s/%s: %s", f.Status, f.About, f.Check, f.Text)
		found[f.Check] = f
	}})
	return found
}

// A FreeSWITCH that is set up as docs/freeswitch.md says has no problem.
func TestFreeSWITCHDoctor(t *testing.T) {
	found := examineReal(t, nil)
	for check, f := range found {
		if f.Status == doctor.Problem {
			t.Errorf("%s: %s; %s", check, f.Text, f.Mend)
		}
	}
	for _, check := range []string{"link", "modules", "sps", "sessions", "clock", "profile", "call", "spool", "speech", "recordings"} {
		if _, ok := found[check]; !ok {
			t.Errorf("%s was not looked at", check)
		}
	}
}

// What is wrong is found as on the simulated switch.
func TestFreeSWITCHDoctorFindsProblems(t *testing.T) {
	web := httptest.NewServer(nil)
	t.Cleanup(web.Close)
	address, _, _ := strings.Cut(os.Getenv("CCXMLD_FREESWITCH"), ":")
	port := strings.Split(os.Getenv("CCXMLD_FREESWITCH"), ":")[1]
	for name, c := range map[string]struct {
		settings map[string]string
		want     []string // checks with a problem
	}{
		"wrong password": {map[string]string{"NODES": fmt.Sprintf("[{name: real, address: '%s:%s', password: wrong}]", address, port)}, []string{"password"}},
		"not FreeSWITCH": {map[string]string{"NODES": fmt.Sprintf("[{name: web, address: %q, password: x}]", web.Listener.Addr())}, []string{"freeswitch"}},
		"no profile":     {map[string]string{"CONFERENCE_PROFILE": "nosuch"}, []string{"profile"}},
		"no engine":      {map[string]string{"DIALOG_TTS_ENGINE": "nosuch"}, []string{"speech"}},
		"no voice":       {map[string]string{"DIALOG_TTS_VOICE": "nosuch"}, []string{"speech"}},
		"no prompts":     {map[string]string{"DIALOG_SOUNDS": "/nonexistent/"}, []string{"sounds"}},
		"no gateway":     {map[string]string{"DIAL_ROUTES": "[{match: 'tel:(.*)', dial: 'sofia/gateway/nosuch/$1'}]"}, []string{"gateway"}},
		"no endpoint":    {map[string]string{"DIAL_ROUTES": "[{match: 'tel:(.*)', dial: 'nosuch/$1'}]"}, []string{"endpoint"}},
		"recordings":     {map[string]string{"DIALOG_RECORDINGS": "/proc/nosuch"}, []string{"recordings"}},
		"calls a second": {map[string]string{"LIMITS_ORIGINATES_PER_SECOND": "10000"}, []string{"sps"}},
		"advertised":     {map[string]string{"ESL_LISTEN": "127.0.0.1:0", "ESL_ADVERTISE": "127.0.0.1:1"}, []string{"call"}},
	} {
		t.Run(name, func(t *testing.T) {
			var problems []string
			for check, f := range examineReal(t, c.settings) {
				if f.Status == doctor.Problem {
					problems = append(problems, check)
				}
			}
			if !slices.Equal(problems, c.want) {
				t.Errorf("problems %v, want %v", problems, c.want)
			}
		})
	}
}
