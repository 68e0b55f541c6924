package callcontrol_test

import (
	"strings"
	"testing"

	"ccxmld/sitetest"
	"ccxmld/switchsim"
)

// Whatever stands in the attributes of a document that reach FreeSWITCH, a leg is
// told nothing but the application that was meant, with the text as a text; or
// nothing at all, and the document hears why.
func TestHostileAttributes(t *testing.T) {
	t.Parallel()
	const dialogs = `
<transition event="dialog.started"><dialogterminate dialogid="event$.dialogid"/></transition>
<transition event="dialog.exit"><log expr="'done'"/></transition>
<transition event="error.*"><log expr="'done ' + event$.reason"/></transition>`
	prompt := func(attributes string) string {
		return `<transition event="connection.connected"><dialogstart ` + attributes + `/></transition>` + dialogs
	}
	failing := func(element string) string {
		return `<transition event="connection.connected">` + element + `</transition>
<transition event="error.*"><log expr="'done ' + event$.reason"/></transition>
<transition event="connection.redirected"><log expr="'done'"/><exit/></transition>
<transition event="*.failed"><log expr="'done ' + event$.reason"/></transition>`
	}
	for name, c := range map[string]struct {
		transitions string
		allowed     []string // what the leg may be told, beside being answered
	}{
		"digits of a dialog": {prompt(`src="'tone_stream://%(100,0,440)'" type="'audio/wav'" parameters="termdigits maxdigits timeout"`),
			[]string{"playback tone_stream://%(100,0,440)"}},
		"digits in a query":         {prompt(`src="'tone_stream://%(100,0,440)?termdigits=' + EVIL" type="'audio/wav'"`), []string{"playback tone_stream://%(100,0,440)"}},
		"tones":                     {prompt(`src="'tone_stream://' + EVIL" type="'audio/wav'"`), []string{"playback tone_stream://"}},
		"silence":                   {prompt(`src="'silence_stream://' + EVIL" type="'audio/wav'"`), []string{"playback silence_stream://"}},
		"tones from a file":         {prompt(`src="'tone_stream://PATH=/etc/passwd' + EVIL" type="'audio/wav'"`), nil},
		"tones without end":         {prompt(`src="'tone_stream://%(99999999999,0,440)' + EVIL" type="'audio/wav'"`), nil},
		"a source":                  {prompt(`src="EVIL" type="'audio/wav'"`), []string{"playback /"}},
		"a scheme":                  {prompt(`src="EVIL + '://x'" type="'audio/wav'"`), []string{"playback /"}},
		"a file URI":                {prompt(`src="'file:///sounds/' + EVIL" type="'audio/wav'"`), []string{"playback /sounds/"}},
		"a web address":             {prompt(`src="'http://127.0.0.1:1/' + EVIL" type="'audio/wav'"`), nil},
		"a type":                    {prompt(`src="'/sounds/a.wav'" type="EVIL"`), nil},
		"a text instead":            {prompt(`src="'null://?text=' + EVIL" type="'audio/wav'"`), []string{"speak flite|kal|"}},
		"SSML":                      {prompt(`src="'data:application/ssml+xml,&lt;speak&gt;' + EVIL + '&lt;/speak&gt;'" type="'application/ssml+xml'"`), []string{"speak flite|kal|"}},
		"say a number":              {prompt(`src="'say:number/' + EVIL" type="'audio/wav'"`), []string{"say en number pronounced "}},
		"say a spelling":            {prompt(`src="'say:spell/' + EVIL" type="'audio/wav'"`), []string{"say en name_spelled pronounced "}},
		"a way to say":              {prompt(`src="'say:' + EVIL + '/1'" type="'audio/wav'"`), nil},
		"a method to say":           {prompt(`src="'say:number/' + EVIL + '/1'" type="'audio/wav'"`), []string{"say en number inline 1"}},
		"a language":                {prompt(`src="'say:number/1?lang=' + EVIL" type="'audio/wav'"`), []string{"say inline number pronounced 1"}},
		"a recording's upload":      {prompt(`src="EVIL" type="'application/x-record'"`), []string{"playback tone_stream://%(300,0,800)", "record /"}},
		"a recording's time":        {prompt(`src="'null:?maxtime=' + EVIL" type="'application/x-record'"`), []string{"playback tone_stream://%(300,0,800)", "record /"}},
		"a media direction":         {prompt(`src="'/sounds/a.wav'" type="'audio/wav'" mediadirection="EVIL"`), nil},
		"hints of a dialog":         {prompt(`src="'/sounds/a.wav'" type="'audio/wav'" hints="({method: EVIL, headers: EVIL})"`), []string{"playback /sounds/a.wav"}},
		"merge ids":                 {failing(`<merge connectionid1="EVIL" connectionid2="event$.connectionid"/>`), nil},
		"merge with nobody":         {failing(`<merge connectionid1="event$.connectionid" connectionid2="EVIL" hints="({x: EVIL})"/>`), nil},
		"move to a session":         {failing(`<move source="event$.connectionid" sessionid="EVIL"/>`), nil},
		"move of a connection":      {failing(`<move source="EVIL" sessionid="session.id"/>`), nil},
		"join ids":                  {failing(`<join id1="EVIL" id2="event$.connectionid"/>`), nil},
		"join ways":                 {failing(`<join id1="event$.connectionid" id2="event$.connectionid" duplex="EVIL"/>`), nil},
		"unjoin ids":                {failing(`<unjoin id1="event$.connectionid" id2="EVIL"/>`), nil},
		"connection ids":            {failing(`<disconnect connectionid="EVIL"/>`), nil},
		"dialog ids":                {failing(`<dialogterminate dialogid="EVIL"/>`), nil},
		"conference ids":            {failing(`<destroyconference conferenceid="EVIL"/>`), nil},
		"send targets":              {failing(`<send target="EVIL" targettype="'ccxml'" name="'x'"/>`), nil},
		"destination of a redirect": {failing(`<redirect connectionid="event$.connectionid" dest="'sip:' + EVIL"/>`), []string{"deflect sip:"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := sitetest.New(t)
			for _, text := range evil {
				s.Trace.Reset()
				caller := s.Dial(s.Document("hostile.ccxml", strings.ReplaceAll(`
<ccxml version="1.0"><var name="termdigits" expr="EVIL"/><var name="maxdigits" expr="EVIL"/><var name="timeout" expr="EVIL"/><eventprocessor>
<transition event="connection.alerting"><accept/></transition>
<transition event="connection.disconnected"><exit/></transition>`+c.transitions+`</eventprocessor></ccxml>`, "EVIL", quoted(text))))
				s.Must(s.Trace.WaitText(s.Context(), "log done"))
				checkCommands(s.In(t), caller, append(c.allowed, "set ", "socket ", "answer", "hangup")...)
				for _, command := range caller.Commands() {
					if strings.ContainsAny(command, "\r\n\x00") {
						t.Errorf("%q: the leg was told %q", text, command)
					}
				}
				caller.Hangup()
				s.WaitIdle()
			}
		})
	}
}

// Hints of a call may be anything: names and values of headers are refused or
// escaped, and what is no hint is passed over.
func TestHostileHints(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t, sitetest.WithToken("dial.ccxml"), sitetest.With("LIMITS_ORIGINATES_PER_SECOND", "1000"))
	s.Switch.Callee("200", switchsim.Answers{})
	for _, hints := range []string{
		`({headers: EVIL})`, `({headers: [EVIL]})`, `({headers: {'x-a': [EVIL]}})`, `({headers: {'x-a': {b: EVIL}}})`,
		`(function(){ var h = {}; h['X-' + EVIL] = 'v'; return {headers: h} })()`, `(function(){ var h = {}; h[EVIL] = EVIL; return h })()`,
		`({codec: EVIL, early: EVIL, amd: EVIL, sip: {header: EVIL}})`, `EVIL`,
	} {
		for _, text := range evil {
			s.Trace.Reset()
			s.Transitions("dial.ccxml", strings.ReplaceAll(`
<transition event="ccxml.loaded"><createcall dest="'tel:200'" hints="`+hints+`"/></transition>
<transition event="connection.connected"><log expr="'up'"/></transition>
<transition event="connection.failed"><log expr="'refused'"/><exit/></transition>
<transition event="error.*"><log expr="'refused'"/><exit/></transition>
<transition event="connection.disconnected"><exit/></transition>`, "EVIL", quoted(text)))
			s.StartToken("")
			s.Must(s.Trace.WaitText(s.Context(), "log "))
			if s.Trace.Has("log up") {
				callee, err := s.Switch.WaitCallee(s.Context(), "200")
				s.Must(err)
				checkCommands(s, callee, "socket ")
				callee.Hangup()
			}
			s.WaitIdle()
		}
	}
	if n := s.Switch.Channels(); n != 0 {
		t.Errorf("%d channels are left", n)
	}
}
