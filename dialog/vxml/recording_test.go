package vxml_test

import (
	"testing"
	"testing/synctest"
	"time"

	"ccxmld/dialog"
	"ccxmld/dialog/dialogtest"
)

// TestRecordings (VoiceXML 2.0, 2.3.6).
func TestRecordings(t *testing.T) {
	const (
		file = "/rec/recording-d1-1.wav"
		page = `<form><catch event="connection.disconnect"><exit namelist="r r$.duration"/></catch>
			<record name="r" beep="true" maxtime="60s" finalsilence="3s"><prompt>Speak</prompt><noinput>Nothing<exit/></noinput>
			<filled>You said <value expr="r"/><exit namelist="r r$.duration r$.termchar r$.maxtime"/></filled></record></form>`
		beep = "tone_stream://%(300,0,800)"
		app  = file + " 60 200 3"
	)
	tests := []struct {
		name   string
		page   string
		lasts  time.Duration
		act    func(*call)
		values map[string]any
		heard  []string
	}{
		{"ended by a digit", page, time.Hour, func(x *call) { x.Pass(5 * time.Second); x.press("5") },
			map[string]any{"r": file, "r$.duration": int64(4550), "r$.termchar": "5", "r$.maxtime": false},
			[]string{"say Speak", beep, app + "…", "say You said", file}},
		{"ended by its time", page, time.Minute, func(x *call) { x.Pass(2 * time.Minute) },
			map[string]any{"r": file, "r$.duration": int64(60000), "r$.termchar": nil, "r$.maxtime": true},
			[]string{"say Speak", beep, app, "say You said", file}},
		{"nothing said", page, 4 * time.Second, func(x *call) { x.Pass(time.Minute) }, map[string]any{}, []string{"say Speak", beep, app, "say Nothing"}},
		{"the caller hangs up", page, time.Hour, func(x *call) { x.Pass(5 * time.Second); x.Call(x.dialog.HungUp) },
			map[string]any{"r": file, "r$.duration": int64(4550)}, []string{"say Speak", beep, app}},
		{"a digit skips the prompt", page, time.Minute, func(x *call) { x.press("1"); x.Pass(2 * time.Minute) },
			map[string]any{"r": file, "r$.duration": int64(60000), "r$.termchar": nil, "r$.maxtime": true},
			[]string{"say Speak…", beep, app, "say You said", file}},
		{"to the server", `<form><record name="r" dtmfterm="false" maxtime="60s" finalsilence="3s"/>
			<block><submit next="next.vxml" method="post" enctype="multipart/form-data" namelist="r"/></block>
			<catch event="error.badfetch"><exit expr="_message"/></catch></form>`, time.Minute, func(x *call) { x.press("1"); x.Pass(2 * time.Minute) },
			map[string]any{"expr": file + ": lstat /rec: no such file or directory; dialog.recordings must be a directory that FreeSWITCH and ccxmld share"},
			[]string{app}},
		{"to the server as what it is not", `<form><record name="r" dtmfterm="false" maxtime="60s" finalsilence="3s"/>
			<block><submit next="next.vxml" namelist="r"/></block>
			<catch event="error.semantic"><exit expr="_message"/></catch></form>`, time.Minute, func(x *call) { x.Pass(2 * time.Minute) },
			map[string]any{"expr": `r is a recording; submit it by method="post" and enctype="multipart/form-data"`},
			[]string{app}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				x := start(t, test.page, func(_ *dialog.Request, _ *server, l *dialogtest.Leg) {
					l.Sounds[app], l.Sounds[file] = test.lasts, time.Second
				})
				x.Pass(100 * time.Millisecond)
				test.act(x)
				x.Pass(time.Minute)
				x.want("started, exit", test.values, test.heard...)
			})
		})
	}
}

// TestMarks (VoiceXML 2.1, 4).
func TestMarks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := start(t, `<form><field name="f" type="digits?length=1"><prompt>One<mark name="m1"/>Two is longer than that<mark nameexpr="'m' + 2"/>Three</prompt>
			<filled><exit namelist="f$.markname f$.marktime"/></filled></field></form>`, nil)
		x.Pass(650 * time.Millisecond)
		x.press("1")
		x.Pass(time.Second)
		x.want("started, exit", map[string]any{"f$.markname": "m1", "f$.marktime": int64(500)}, "say One", "say Two is longer than that…")
	})
}

// TestSayAs: an engine that does not know SSML gets help from FreeSWITCH's say.
func TestSayAs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := start(t, `<form><block>Your code is <say-as interpret-as="digits">12 34</say-as> until <say-as interpret-as="vxml:date"><value expr="'20261121'"/></say-as>
			<say-as interpret-as="vxml:time">0505p</say-as><say-as interpret-as="currency">$12.50</say-as><say-as interpret-as="date">soon</say-as></block></form>`,
			func(_ *dialog.Request, _ *server, l *dialogtest.Leg) { l.Said = true })
		x.Pass(time.Hour)
		x.want("started, exit", nil, "say Your code is", "en number iterated 1234", "say until", "en current_date pronounced 1795262400",
			"en current_time pronounced 17:05:00", "en currency pronounced 12.50", "say soon")
	})
}

// TestFetchAudio: the party hears that something is under way (2.0, 6.1.1).
func TestFetchAudio(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := start(t, `<catch event="connection.disconnect"><exit/></catch><form><block>Wait<goto next="slow.vxml" fetchaudio="file:///b.wav" fetchtimeout="10s"/></block></form>`,
			func(_ *dialog.Request, s *server, l *dialogtest.Leg) {
				s.pages["slow.vxml"] = "slow"
				l.Sounds["/b.wav"] = time.Hour
			})
		x.Pass(time.Second)
		x.Pass(5 * time.Second)
		x.Call(func() { x.dialog.Terminate(true) })
		x.want("started, exit", nil, "say Wait", "/b.wav…")
	})
}

// TestLanguage: an engine that knows SSML is told the language, where the page has one.
func TestLanguage(t *testing.T) {
	const speak = ` xmlns="http://www.w3.org/2001/10/synthesis">`
	synctest.Test(t, func(t *testing.T) {
		x := start(t, `<vxml version="2.1" xml:lang="de-DE" xmlns="http://www.w3.org/2001/vxml"><form><block>Hallo
			<prompt xml:lang="fr">Bonjour <say-as interpret-as="digits">12</say-as></prompt></block></form></vxml>`, func(_ *dialog.Request, s *server, l *dialogtest.Leg) {
			l.Engines["unimrcp"], s.engine = true, "unimrcp"
		})
		x.Pass(time.Hour)
		x.want("started, exit", nil, `say <speak version="1.0" xml:lang="de-DE"`+speak+`Hallo</speak>`,
			`say <speak version="1.0" xml:lang="fr"`+speak+`Bonjour <say-as interpret-as="digits">12</say-as></speak>`)
	})
}
