package esl_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"ccxmld/esl"

	"github.com/percipia/eslgo/command"
	"github.com/percipia/eslgo/command/call"
)

// hostile is what documents and callers may put anywhere.
var hostile = []string{
	"plain", "", " ", "  two  spaces ", ",", "a,b", `},x=y`, `]`, `[leg_timeout=1]`, `&app`, `&park()`, `)`, `'`, `"`, `''`, `it's`,
	`'a','b'`, `\`, `\\`, `\'`, `\n`, `\s`, `a\,b`, `trailing\`, `^^;a=b;c=d`, `^`, `^^`, `=`, `a=b`, `|`, `;`, `<x=y>`, `!`, `~`,
	`$`, `$$`, `$5`, `a$`, `\$`, `${`, `${x}`, `$${x}`, `\${x}`, `$\{x}`, `${system rm -rf /}`, `{`, `}`, `{a=b}`, `:_:`, `:`, `undef`,
	`ünïcode, «quoted»`, "tab\there", "line\nend", "\r\n\r\nexit", "nul\x00", "%0a", `100%`,
}

func TestOriginateVariablesArriveUnchanged(t *testing.T) {
	for _, value := range hostile {
		o := esl.Originate{
			UUID: "leg-1", Timeout: 1500 * time.Millisecond, Dial: "sofia/gateway/carrier/4075550100", Extension: "&park()",
			Vars: map[string]string{"before": "1", "payload": value, "zlast": "2"},
		}
		c := o.Command()
		refused := strings.ContainsAny(value, "{}\r\n\x00") || strings.Contains(value, ":_:")
		if (c.Err() != nil) != refused {
			t.Errorf("%q: error %v, want refused %v", value, c.Err(), refused)
			continue
		}
		if refused {
			wantInvalid(t, c.Err())
			continue
		}
		args, ok := strings.CutPrefix(c.BuildMessage(), "api originate ")
		if !ok || strings.ContainsAny(args, "\r\n\x00") {
			t.Errorf("%q: sent %q", value, c.BuildMessage())
			continue
		}
		words := separate(args, ' ', 10)
		if len(words) != 2 || words[1] != "&park()" {
			t.Errorf("%q: originate sees %q", value, words)
			continue
		}
		want := map[string]string{"origination_uuid": "leg-1", "originate_timeout": "2", "before": "1", "zlast": "2"}
		if value != "" {
			want["payload"] = value
		}
		got, dial, _ := takeVariables(words[0])
		if !maps.Equal(got, want) || dial != o.Dial {
			t.Errorf("%q: sent %s\nvariables %q, dial string %q", value, args, got, dial)
		}
	}
}

func TestVariablesInOneOriginateDoNotMeet(t *testing.T) {
	vars := make(map[string]string)
	for i, value := range hostile {
		if value != "" && !strings.ContainsAny(value, "{}\r\n\x00") && !strings.Contains(value, ":_:") {
			vars[fmt.Sprintf("v%d", i)] = value
		}
	}
	c := esl.Originate{Dial: "user/1", Extension: "1000", Dialplan: "XML", Vars: vars}.Command()
	words := separate(strings.TrimPrefix(c.BuildMessage(), "api originate "), ' ', 10)
	got, _, _ := takeVariables(words[0])
	if c.Err() != nil || !maps.Equal(got, vars) || !slices.Equal(words[1:], []string{"1000", "XML"}) {
		t.Errorf("%v: got %q", c.Err(), got)
	}
}

func TestOriginateAsRecorded(t *testing.T) {
	c := esl.Originate{
		UUID: "f84c6236-1bdd-418d-a94f-cc955514cb83", Timeout: 8 * time.Second, Dial: "sofia/internal/answer@127.0.0.1:5060",
		Extension: "&park()", Vars: map[string]string{"ignore_early_media": "true"},
	}.Command()
	want := "api originate {origination_uuid=f84c6236-1bdd-418d-a94f-cc955514cb83,originate_timeout=8,ignore_early_media=true}sofia/internal/answer@127.0.0.1:5060 &park()"
	if c.BuildMessage() != want {
		t.Errorf("built %s", c.BuildMessage())
	}
}

func TestInlineApplicationsArriveUnchanged(t *testing.T) {
	for _, arg := range hostile {
		apps := []esl.App{{Name: "set", Arg: arg}, {Name: "socket", Arg: "127.0.0.1:8084 async full"}}
		originate := esl.Originate{Dial: "user/1", Apps: apps}.Command()
		transfer := esl.Transfer("leg-1", true, apps...)
		refused := strings.ContainsAny(arg, "\r\n\x00")
		if (originate.Err() != nil) != refused || (transfer.Err() != nil) != refused {
			t.Errorf("%q: errors %v, %v", arg, originate.Err(), transfer.Err())
		}
		if refused {
			continue
		}
		// The end of an argument loses spaces, as in any dialplan.
		want := [][2]string{{"set", strings.TrimRight(arg, " ")}, {"socket", "127.0.0.1:8084 async full"}}
		words := separate(strings.TrimPrefix(originate.BuildMessage(), "api originate "), ' ', 10)
		if len(words) != 3 || words[2] != "inline" || !slices.Equal(inlineApps(words[1]), want) {
			t.Errorf("%q: originate %q gives %q", arg, words, inlineApps(words[1]))
		}
		words = separate(strings.TrimPrefix(transfer.BuildMessage(), "api uuid_transfer "), ' ', 5)
		if len(words) != 4 || words[0] != "leg-1" || words[1] != "-both" || words[3] != "inline" || !slices.Equal(inlineApps(words[2]), want) {
			t.Errorf("%q: transfer sees %q", arg, words)
		}
	}
}

func TestWordIsOneWord(t *testing.T) {
	for _, text := range hostile {
		if strings.ContainsAny(text, "\r\n\x00") {
			continue
		}
		got := separate("uuid "+esl.Word(text)+" last", ' ', 10)
		if want := []string{"uuid", text, "last"}; !slices.Equal(got, want) {
			t.Errorf("%q: FreeSWITCH sees %q", text, got)
		}
	}
}

func TestLiteralSurvivesExpansion(t *testing.T) {
	for _, text := range hostile {
		if got := expand(esl.Literal(text)); got != text {
			t.Errorf("%q: sent as %q, FreeSWITCH makes %q of it", text, esl.Literal(text), got)
		}
	}
}

func FuzzQuoting(f *testing.F) {
	for _, text := range hostile {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if got := expand(esl.Literal(text)); got != text {
			t.Errorf("Literal: %q arrives as %q", text, got)
		}
		c := esl.Originate{Dial: "user/1", Extension: "&park()", Vars: map[string]string{"a": text, "b": "2"}}.Command()
		if c.Err() != nil || text == "" {
			return
		}
		words := separate(strings.TrimPrefix(c.BuildMessage(), "api originate "), ' ', 10)
		got, dial, _ := takeVariables(words[0])
		if len(words) != 2 || len(got) != 2 || got["a"] != text || got["b"] != "2" || dial != "user/1" {
			t.Errorf("originate: %q arrives as %q in %q", text, got, words)
		}
	})
}

func TestLineEndsAreRefused(t *testing.T) {
	for _, bad := range []string{"x\ny", "x\ry", "x\x00y", "\r\n\r\nexit"} {
		for name, c := range map[string]esl.Command{
			"API name":         esl.API(bad),
			"API argument":     esl.API("status", "a", bad),
			"application":      esl.Execute(bad, "", ""),
			"app argument":     esl.Execute("playback", bad, ""),
			"app UUID":         esl.Execute("playback", "", bad),
			"leg":              esl.ExecuteOn(bad, "playback", "", ""),
			"nested argument":  esl.ExecuteNow("", "playback", bad, ""),
			"cause":            esl.Hangup(bad),
			"cause's leg":      esl.HangupOn(bad, "NORMAL_CLEARING"),
			"filter header":    esl.Filter(bad, "x"),
			"filter value":     esl.Filter("Unique-ID", bad),
			"unfilter value":   esl.Unfilter("Unique-ID", bad),
			"event":            esl.Subscribe("CHANNEL_ANSWER", "x::"+bad, "\x00"),
			"password":         esl.Auth(bad),
			"dial string":      esl.Originate{Dial: bad, Extension: "1"}.Command(),
			"extension":        esl.Originate{Dial: "user/1", Extension: bad}.Command(),
			"dialplan":         esl.Originate{Dial: "user/1", Extension: "1", Dialplan: bad}.Command(),
			"variable name":    esl.Originate{Dial: "user/1", Extension: "1", Vars: map[string]string{bad: "1"}}.Command(),
			"variable":         esl.Originate{Dial: "user/1", Extension: "1", Vars: map[string]string{"a": bad}}.Command(),
			"origination_uuid": esl.Originate{Dial: "user/1", Extension: "1", UUID: bad}.Command(),
			"job UUID":         esl.Originate{Dial: "user/1", Extension: "1", JobUUID: bad}.Command(),
			"inline app":       esl.Transfer("leg", false, esl.App{Name: bad}),
		} {
			// Events are split at white space, line ends included.
			if name == "event" && bad == "x\ny" {
				continue
			}
			wantInvalid(t, c.Err())
			if c.BuildMessage() != "" {
				t.Errorf("%s %q: built %q", name, bad, c.BuildMessage())
			}
		}
	}
}

func TestMoreThatIsRefused(t *testing.T) {
	for name, c := range map[string]esl.Command{
		"empty dial string":      esl.Originate{Extension: "1"}.Command(),
		"expanding dial string":  esl.Originate{Dial: "user/${x}", Extension: "1"}.Command(),
		"no extension":           esl.Originate{Dial: "user/1"}.Command(),
		"extension and apps":     esl.Originate{Dial: "user/1", Extension: "1", Apps: []esl.App{{Name: "park"}}}.Command(),
		"app cut short":          esl.Originate{Dial: "user/1", Extension: "&playback(tone_stream://%(1,0,1))"}.Command(),
		"injection by app name":  esl.Transfer("leg", false, esl.App{Name: "park:,hangup"}),
		"transfer of nobody":     esl.Transfer("", false, esl.App{Name: "park"}),
		"transfer to nowhere":    esl.Transfer("leg", false),
		"variable name":          esl.Originate{Dial: "user/1", Extension: "1", Vars: map[string]string{"a=b,c": "1"}}.Command(),
		"UUID too long":          esl.Originate{Dial: "user/1", Extension: "1", JobUUID: strings.Repeat("x", 37)}.Command(),
		"API with argument":      esl.API("status extra"),
		"no API":                 esl.API(""),
		"subscription to naught": esl.Subscribe(),
		"header of an event":     esl.SendEvent("a::b", [][2]string{{"x", "1\r\ny: 2"}}),
		"filter delete all":      esl.Filter("delete", "all"),
		"empty filter":           esl.Filter("Unique-ID", ""),
		"no linger":              esl.Linger(0),
		"NUL in body":            esl.ExecuteBody("", "speak", "a\x00b", ""),
		"job UUID":               esl.WithJobUUID(esl.API("status"), "a b"),
	} {
		if c.Err() == nil {
			t.Errorf("%s: built %q", name, c.BuildMessage())
			continue
		}
		wantInvalid(t, c.Err())
	}
}

func wantInvalid(t *testing.T, err error) {
	t.Helper()
	var invalid *esl.InvalidError
	if !errors.As(err, &invalid) {
		t.Errorf("error %v is no InvalidError", err)
	}
}

func TestMessages(t *testing.T) {
	tests := []struct {
		command esl.Command
		want    []string // first line, headers in any order, then body
	}{
		{esl.Connect(), []string{"connect"}},
		{esl.Exit(), []string{"exit"}},
		{esl.Auth("ClueCon"), []string{"auth ClueCon"}},
		{esl.Linger(10), []string{"linger 10"}},
		{esl.GetVariable("sip_bye_payload"), []string{"getvar sip_bye_payload"}},
		{esl.API("uuid_exists", "u"), []string{"api uuid_exists u"}},
		{esl.API("status"), []string{"api status"}},
		{esl.Filter("Unique-ID", "u"), []string{"filter Unique-ID u"}},
		{esl.Unfilter("Unique-ID", "u"), []string{"filter delete Unique-ID u"}},
		{esl.SendEvent("a::b", [][2]string{{"x-from", "c 1"}, {"y", ""}}), []string{"sendevent CUSTOM", "Event-Subclass: a::b", "x-from: c 1", "y: "}},
		{esl.Subscribe("conference::maintenance", "DTMF", "CUSTOM a::b c", "PLAYBACK_STOP"), []string{"event plain DTMF PLAYBACK_STOP CUSTOM conference::maintenance a::b c"}},
		{esl.Hangup("USER_BUSY"), []string{"sendmsg ", "Call-Command: hangup", "Hangup-Cause: USER_BUSY"}},
		{esl.Execute("playback", "/a b.wav", "id"), []string{"sendmsg ", "event-lock: true", "Call-Command: execute", "Execute-App-Name: playback", "Execute-App-Arg: /a b.wav", "Event-Uuid: id", "Loops: 1"}},
		{esl.ExecuteNow("leg", "playback", "x", ""), []string{"sendmsg leg", "Call-Command: execute", "Execute-App-Name: playback", "Execute-App-Arg: x", "Loops: 1"}},
		{esl.ExecuteBody("", "speak", "flite|kal|One,\ntwo.", ""), []string{"sendmsg ", "event-lock: true", "Call-Command: execute", "Execute-App-Name: speak", "Loops: 1", "Content-Type: text/plain", "Content-Length: 19", "", "flite|kal|One,\ntwo."}},
	}
	for _, test := range tests {
		if err := test.command.Err(); err != nil {
			t.Errorf("%q: %v", test.want[0], err)
		}
		head, body, hasBody := strings.Cut(test.command.BuildMessage(), "\r\n\r\n")
		got := strings.Split(head, "\r\n")
		slices.Sort(got[1:])
		if hasBody {
			got = append(got, "", body)
		}
		want := slices.Clone(test.want)
		if hasBody {
			slices.Sort(want[1 : len(want)-2])
		} else {
			slices.Sort(want[1:])
		}
		if !slices.Equal(got, want) {
			t.Errorf("built %q, want %q", got, want)
		}
	}
}

// Commands that others built are looked over before they are sent.
func TestForeignCommandsCannotLoseStep(t *testing.T) {
	c, p := connect(t, esl.Options{})
	run(t, c, nil)
	for _, bad := range []command.Command{
		command.API{Command: "status", Arguments: "\n\nexit"},
		command.API{Command: "status", Arguments: "\r\n\r\nContent-Length: 4\r\n\r\nexit"},
		command.API{Command: "status", Arguments: "\x00"},
	} {
		if _, err := c.Do(t.Context(), bad); err == nil {
			t.Errorf("%q was sent", bad.BuildMessage())
		} else {
			wantInvalid(t, err)
		}
	}
	c.Send(&call.Execute{AppName: "speak", AppArgs: "a\n\nb", ForceBody: true}, nil)
	if text, err := p.read(); err != nil || !strings.HasSuffix(text, "\n\na\n\nb") {
		t.Errorf("read %q, %v", text, err)
	}
}

// One command of several that cannot be sent keeps the others back.
func TestSendAllSendsAllOrNothing(t *testing.T) {
	c, p := connect(t, esl.Options{})
	run(t, c, nil)
	told := 0
	c.SendAll(func(i int, r *esl.Reply, err error) {
		if i != told {
			t.Errorf("told of %d, want %d", i, told)
		}
		told++
		wantInvalid(t, err)
	}, esl.API("status"), esl.API("a b"), esl.API("version"))
	if told != 3 {
		t.Errorf("told %d times", told)
	}
	c.Send(esl.API("next"), nil)
	p.expect("api next")
}

func TestCheckDestination(t *testing.T) {
	for text, ok := range map[string]bool{
		"4075550100": true, "+14075550100": true, "alice@example.com:5060;transport=tcp": true, "*98": true,
		"": false, "a b": false, "a,b": false, "a|b": false, "{a=b}1": false, "[a]": false, "<a>": false, "1&park": false, "1^2": false,
		"it's": false, `a"b`: false, "a$b": false, `a\b`: false, "a\nb": false, "a:_:b": false, "\x7f": false,
	} {
		if err := esl.CheckDestination(text); (err == nil) != ok {
			t.Errorf("%q: %v", text, err)
		}
	}
}
