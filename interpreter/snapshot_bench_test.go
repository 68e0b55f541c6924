package interpreter_test

import (
	"encoding/json"
	"strings"
	"testing"

	"ccxmld/interpreter"
)

// typicalDocument is that of a session as calls have: a handful of variables and functions,
// an incoming call with the headers of its INVITE, an outgoing one, a dialog, the event of
// the call in a variable and a delayed send.
const typicalDocument = `<script>
			function clean(number) { return number.replace(/[^0-9+]/g, '') }
			function next(list) { return list.length ? list.shift() : null }
			var agents = [{name: 'anna', uri: 'sip:anna@pbx.example.com', tries: 0}, {name: 'bert', uri: 'sip:bert@pbx.example.com', tries: 1}];
		</script>
		<var name="state" expr="'init'"/><var name="call"/><var name="out"/><var name="dialog"/><var name="caller" expr="''"/><var name="retries" expr="0"/>
		<var name="started" expr="new Date()"/><var name="menu" expr="{'1': 'sales', '2': 'support', '9': 'agent'}"/><var name="event"/>
		<transition event="connection.alerting"><assign name="event" expr="event$"/><assign name="call" expr="event$.connectionid"/>
			<assign name="caller" expr="clean(event$.connection.remote)"/><createcall dest="next(agents).uri" connectionid="out"/>
			<dialogstart src="'welcome.wav'" connectionid="call" hints="{earlymedia: true}" dialogid="dialog"/>
			<send target="session.id" name="'user.timeout'" delay="'30s'"/></transition>
		<transition event="*"/>`

// typicalSession has f called with such a session, in its goroutine.
func typicalSession(b *testing.B, f func(*interpreter.Session)) {
	b.Helper()
	s := benchSession(b, typicalDocument)
	alerting := connectionEvent("alerting", "8a7f1c52-6f0b-4c1e-9d5a-1f2e3d4c5b6a", nil)
	headers := &alerting.Effect.(interpreter.ConnectionEffect).New.Protocol.Headers
	for _, name := range strings.Fields("Call-ID From To Via Contact User-Agent Allow Supported P-Asserted-Identity") {
		*headers = append(*headers, interpreter.Pair{Name: name, Value: "<sip:something@" + strings.ToLower(name) + ".example.com>;tag=8273645"})
	}
	done := make(chan struct{})
	s.Do(func() {
		defer close(done)
		s.Queue(alerting)
		for s.Step() {
		}
		f(s)
	})
	<-done
}

// BenchmarkSnapshot writes a typical session down, as JSON.
func BenchmarkSnapshot(b *testing.B) {
	b.ReportAllocs()
	var text []byte
	typicalSession(b, func(s *interpreter.Session) {
		for b.Loop() {
			snap, err := s.Snapshot()
			if err != nil {
				b.Error(err)
				return
			}
			if text, err = snap.Encode(); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64(len(text)), "bytes")
}

// BenchmarkResume makes one again.
func BenchmarkResume(b *testing.B) {
	var text []byte
	typicalSession(b, func(s *interpreter.Session) {
		snap, err := s.Snapshot()
		if err == nil {
			text, err = snap.Encode()
		}
		if err != nil {
			b.Error(err)
		}
	})
	o := quietOptions(compile(b, interpreter.NewCompiler(), "doc.ccxml", document(typicalDocument), nil))
	b.ReportAllocs()
	for b.Loop() {
		var read interpreter.Snapshot
		if err := json.Unmarshal(text, &read); err != nil {
			b.Fatal(err)
		}
		if _, err := interpreter.Resume(o, read); err != nil {
			b.Fatal(err)
		}
	}
}
