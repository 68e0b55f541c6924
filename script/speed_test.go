package script_test

import (
	"runtime"
	"testing"

	"ccxmld/script"
)

func benchmarkEval(b *testing.B, src string) {
	s := newSession(b, script.Limits{})
	s.declare("ccxml", "state", "ready")
	s.runIn("transition", "var event$ = {name: 'connection.connected', connectionid: 'c1'}; var list = {c1: 5}")
	e, err := s.Expression(src, at)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Eval(e); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEvalLiteral(b *testing.B)   { benchmarkEval(b, "'audio/wav'") }
func BenchmarkEvalVariable(b *testing.B)  { benchmarkEval(b, "state") }
func BenchmarkEvalProperty(b *testing.B)  { benchmarkEval(b, "event$.connectionid") }
func BenchmarkEvalCondition(b *testing.B) { benchmarkEval(b, "state == 'ready' && event$.name != 'x'") }
func BenchmarkEvalIndex(b *testing.B)     { benchmarkEval(b, "list[event$.connectionid]") }

func BenchmarkAssign(b *testing.B) {
	s := newSession(b, script.Limits{})
	s.declare("ccxml", "state", "ready")
	target, err := s.Target("state", at)
	if err != nil {
		b.Fatal(err)
	}
	v := s.VM().ToValue("next")
	b.ReportAllocs()
	for b.Loop() {
		if err := s.Assign(target, v); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpenScope(b *testing.B) {
	s := newSession(b, script.Limits{})
	b.ReportAllocs()
	for b.Loop() {
		s.OpenScope("transition")
	}
}

func BenchmarkNewRuntime(b *testing.B) {
	l := ccxml()
	b.ReportAllocs()
	for b.Loop() {
		l.NewRuntime(script.Limits{})
	}
}

// BenchmarkRuntimeMemory reports what a session's runtime holds after it has
// declared a few variables and evaluated a few expressions.
func BenchmarkRuntimeMemory(b *testing.B) {
	l := ccxml()
	setup, err := l.Script("var state = 'init'; var conn; function next(s) { state = s; return conn }", at)
	if err != nil {
		b.Fatal(err)
	}
	var expressions []*script.Expression
	for _, src := range []string{"'a' + state", "state == 'init'", "next('ready')", "state", "typeof conn"} {
		e, err := l.Expression(src, at)
		if err != nil {
			b.Fatal(err)
		}
		expressions = append(expressions, e)
	}
	var kept []*script.Runtime
	before := heap()
	for b.Loop() {
		r := l.NewRuntime(script.Limits{})
		if err := r.Run(setup, "ccxml"); err != nil {
			b.Fatal(err)
		}
		for _, e := range expressions {
			if _, err := r.Eval(e); err != nil {
				b.Fatal(err)
			}
		}
		kept = append(kept, r)
	}
	b.ReportMetric(float64(heap()-before)/float64(len(kept)), "B/runtime")
	runtime.KeepAlive(kept)
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
