package goja_test

import (
	"testing"

	"github.com/dop251/goja"
)

// costs are what call flows evaluate, again and again. Only what upstream has is used: make
// bench-engine runs the same file there.
var costs = []struct{ name, src string }{
	{"Sum", `a + b`},
	{"Condition", `event.name == 'connection.alerting' && state == 'init' && event.connection.remote.indexOf('sip:') == 0`},
	{"Text", `'tel:' + number + ';session=' + session.id`},
	{"Assign", `state = 'dialing'; calls = calls + 1; session.last = state`},
	{"Call", `add(a, b)`},
	{"Loop", `for (var i = 0, s = 0; i < 100; i++) { s += i } s`},
	{"Objects", `({id: session.id, legs: [a, b, {name: state}], at: {x: 1, y: 2}})`},
	{"Strings", `number.split('').reverse().join('').substring(1, 5).toUpperCase()`},
	{"Arrays", `list.map(function (x) { return x * 2 }).filter(function (x) { return x > 10 }).length`},
	{"Sort", `list.slice().sort(function (x, y) { return y - x })[0]`},
	{"JSON", `JSON.stringify(JSON.parse('{"a":[1,2,3],"b":{"c":"d"}}'))`},
	{"RegExp", `/^\+?([0-9]{2,4})([0-9]+)$/.exec(number)[1]`},
	{"Replace", `number.replace(/[0-9]/g, function (d) { return d == '0' ? '' : d })`},
	{"Exception", `try { throw new Error('x') } catch (e) { e.message }`},
	{"Scopes", `with (session) { with (event) { name + id } }`},
}

const setting = `var a = 1, b = 2, state = 'init', calls = 0, number = '+4930123456', session = {id: 'abc', last: ''},
	event = {name: 'connection.alerting', connection: {remote: 'sip:1@example.org'}},
	list = [5, 3, 8, 1, 9, 2, 7, 4, 6, 0, 11, 15, 13, 12, 14, 10]; function add(x, y) { return x + y }`

// BenchmarkEvaluation is the cost of one evaluation.
func BenchmarkEvaluation(b *testing.B) {
	for _, cost := range costs {
		b.Run(cost.name, func(b *testing.B) {
			vm := goja.New()
			if _, err := vm.RunString(setting); err != nil {
				b.Fatal(err)
			}
			program := goja.MustCompile("", cost.src, false)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := vm.RunProgram(program); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkSession is the cost of the scripts of a whole call: a runtime, what it sets up,
// and thirty evaluations.
func BenchmarkSession(b *testing.B) {
	start := goja.MustCompile("", setting, false)
	var programs []*goja.Program
	for _, cost := range costs {
		programs = append(programs, goja.MustCompile("", cost.src, false))
	}
	b.ReportAllocs()
	for b.Loop() {
		vm := goja.New()
		if _, err := vm.RunProgram(start); err != nil {
			b.Fatal(err)
		}
		for range 2 {
			for _, program := range programs {
				if _, err := vm.RunProgram(program); err != nil {
					b.Fatal(err)
				}
			}
		}
	}
}
