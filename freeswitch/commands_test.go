package freeswitch_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"ccxmld/esl"
	"ccxmld/freeswitch"
)

// What FreeSWITCH is told, word for word.
func TestTexts(t *testing.T) {
	socketVariables := "api uuid_setvar_multi x park_after_bridge=true;hangup_after_bridge=false;socket_resume=;playback_terminators=none;" +
		"eavesdrop_bridge_aleg=true;eavesdrop_enable_dtmf=false;deny_refer_requests=true;ccxmld_link="
	room := freeswitch.Room("r")
	for want, command := range map[string]esl.Command{
		"api uuid_answer x":                          freeswitch.Answer("x"),
		"execute answer, locked":                     freeswitch.AnswerInTurn(),
		"execute pre_answer, locked":                 freeswitch.PreAnswer(),
		"execute respond 486 Busy, locked":           freeswitch.Respond("486 Busy"),
		"execute redirect sip:5@x, locked":           freeswitch.Redirect("sip:5@x"),
		"filter Unique-ID x":                         freeswitch.OwnEvents("x"),
		"api uuid_kill x USER_BUSY":                  freeswitch.Kill("x", "USER_BUSY"),
		"api uuid_exists x":                          freeswitch.Exists("x"),
		"api uuid_dump x":                            freeswitch.Dump("x"),
		"api uuid_setvar x a b c":                    freeswitch.SetVariable("x", "a", "b c"),
		"api uuid_setvar_multi x a=b;c=d":            freeswitch.SetVariables("x", "a=b;c=d"),
		"api uuid_record x start /f.wav":             freeswitch.StartRecording("x", "/f.wav"),
		"api uuid_record x stop /f.wav":              freeswitch.StopRecording("x", "/f.wav"),
		"api uuid_send_dtmf x 12#":                   freeswitch.SendDTMF("x", "12#"),
		"api uuid_break x":                           freeswitch.Break("x"),
		"api uuid_break x all":                       freeswitch.BreakAll("x"),
		"api uuid_displace x start /f.wav 0 ml":      freeswitch.StartBackground("x", "/f.wav"),
		"api uuid_displace x stop /f.wav":            freeswitch.StopBackground("x", "/f.wav"),
		"api file_exists /f.wav":                     freeswitch.PathExists("/f.wav"),
		"api uuid_bridge x y":                        freeswitch.Bridge("x", "y"),
		"api uuid_setvar x bridge_filter_dtmf true":  freeswitch.ClampDigits("x", true),
		"api uuid_setvar x bridge_filter_dtmf false": freeswitch.ClampDigits("x", false),
		"execute eavesdrop y as run, locked":         freeswitch.Eavesdrop("y", "run"),
		"execute clear_digit_action all, locked":     freeswitch.UnbindDigits(),
		`execute bind_digit_action ^^|ccxmld|~^[0-9A-D*#]\$|exec[i]:event|Event-Name=DTMF,DTMF-Digit=\${last_matching_digits}, locked`: freeswitch.BindDigits(),
		"execute start_dtmf, locked":              freeswitch.StartInbandDigits(),
		"execute stop_tone_detect, locked":        freeswitch.StopTones(),
		"api uuid_setvar x fire_asr_events true":  freeswitch.TellSpeechAtOnce("x"),
		"api uuid_getvar x sip_refer_status_code": freeswitch.ReferStatus("x"),
		socketVariables:                           freeswitch.OurVariables("x", ""),
		socketVariables + ";a=b":                  freeswitch.OurVariables("x", "a=b"),
		"api uuid_setvar_multi x park_after_bridge=false;hangup_after_bridge=true;park_timeout=;deny_refer_requests=false;signal_bond=y": freeswitch.Independent("x", "y"),
		"api uuid_setvar_multi x signal_bond=;park_timeout=60:RECOVERY_ON_TIMER_EXPIRE":                                                  freeswitch.KeepTogether("x"),
		"api conference r kick all":                       room.KickAll(),
		"api conference r saymember 3 a b":                room.SayTo("3", "a b"),
		"api conference r volume_in 3 -4":                 room.VolumeIn("3", -4),
		"api conference r volume_out 3 4":                 room.VolumeOut("3", 4),
		"api conference r lock":                           room.Lock(true),
		"api conference r unlock":                         room.Lock(false),
		"api conference r record /f.wav":                  room.Record("/f.wav"),
		"api conference r norecord all":                   room.EndRecordings(),
		"api conference r moh /f.wav":                     room.Music("/f.wav"),
		"execute conference r@default+flags{mute} as run": room.Enter("default", freeswitch.Membership{Muted: true}, "run"),
	} {
		if got := inWords(command); command.Err() != nil || got != want {
			t.Errorf("%q, %v; want %q", got, command.Err(), want)
		}
	}
	var refers []string
	for _, command := range freeswitch.Refer("x", "sip:5@there") {
		refers = append(refers, command.BuildMessage())
	}
	if want := []string{
		"filter UniqueID x", "api uuid_setvar_multi x sip_refer_continue_after_reply=true;sip_refer_status_code=", "api uuid_deflect x sip:5@there",
	}; !slices.Equal(refers, want) {
		t.Errorf("%q", refers)
	}
}

// inWords writes an execute message as "execute APPLICATION ARGUMENT as ID, locked".
func inWords(c esl.Command) string {
	first, rest, _ := strings.Cut(c.BuildMessage(), "\r\n")
	if strings.TrimSpace(first) != "sendmsg" {
		return first
	}
	headers := make(map[string]string)
	for line := range strings.Lines(rest) {
		name, value, _ := strings.Cut(line, ":")
		headers[strings.ToLower(name)] = strings.TrimSpace(value)
	}
	text := headers["call-command"] + " " + headers["execute-app-name"]
	if argument := headers["execute-app-arg"]; argument != "" {
		text += " " + argument
	}
	if id := headers["event-uuid"]; id != "" {
		text += " as " + id
	}
	if headers["event-lock"] == "true" {
		text += ", locked"
	}
	return text
}

func TestPathsThatAreMissing(t *testing.T) {
	for answer, want := range map[string]bool{"false": true, " false\n": true, "true": false, "-ERR": false, "": false} {
		if freeswitch.IsMissing(answer) != want {
			t.Errorf("%q: missing is %t", answer, !want)
		}
	}
}

func TestMemberships(t *testing.T) {
	for want, m := range map[string]freeswitch.Membership{
		"r@p":                                   {},
		"r@p+flags{mute}":                       {Muted: true},
		"r@p+flags{deaf}":                       {Deaf: true},
		"r@p+flags{blind|vmute}":                {Aside: true},
		"r@p+flags{blind|vmute|mute|deaf}":      {Aside: true, Muted: true, Deaf: true},
		"r@p+flags{moderator|endconf|wait-mod}": {Moderator: true, EndsRoom: true, WaitsForModerator: true},
	} {
		room := freeswitch.Room("r")
		if got := room.JoinArgument("p", m); got != want {
			t.Errorf("%q, want %q", got, want)
		}
		if got := room.Dial("p", m); got != "loopback/app=conference:"+strings.ReplaceAll(want, "|", `\|`) {
			t.Errorf("%q", got)
		}
		if got := room.Enters("p", m); got != (esl.App{Name: "conference", Arg: want}) {
			t.Errorf("%v", got)
		}
	}
}

func TestVariablesOfCalls(t *testing.T) {
	for _, test := range []struct{ got, want map[string]string }{
		{freeswitch.OutboundVariables("c"), map[string]string{
			"ccxmld_link": "c", "ignore_early_media": "true", "park_after_bridge": "true", "hangup_after_bridge": "false", "outbound_redirect_fatal": "true",
		}},
		{freeswitch.LoopbackVariables("c"), map[string]string{"ccxmld_link": "c", "loopback_bowout": "false", "loopback_bowout_on_execute": "false"}},
	} {
		if !maps.Equal(test.got, test.want) {
			t.Errorf("%v, want %v", test.got, test.want)
		}
	}
}

// Ways home: what a channel does on each, and what becomes of it where no controller is.
func TestWaysHome(t *testing.T) {
	text := func(apps []esl.App) string {
		var words []string
		for _, app := range apps {
			words = append(words, strings.TrimSpace(app.Name+" "+app.Arg))
		}
		return strings.Join(words, ", ")
	}
	const (
		comes      = "multiset transfer_history= park_timeout= max_forwards=70 park_after_bridge=true ccxmld_home="
		socket     = "socket a:1|b:1 async full"
		unattended = socket + ", sleep 10000, " + socket + ", sleep 50000, hangup RECOVERY_ON_TIMER_EXPIRE"
	)
	home := freeswitch.Home("a:1|b:1")
	for want, apps := range map[string][]esl.App{
		comes + "m, park, " + unattended:             home.Park("m", 0),
		comes + "m, park, park, park, " + unattended: home.Park("m", 2),
		comes + "m, " + socket + ", " + unattended:   home.Fetch("m"),
		socket + ", " + unattended:                   home.Begin(),
		comes + ", socket c:2 async full, set ccxmld_home=m, park, socket c:2 async full, " + unattended: home.Away("c:2", "m"),
	} {
		if got := text(apps); got != want {
			t.Errorf("%s\nwant %s", got, want)
		}
	}
}
