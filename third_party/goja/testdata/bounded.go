package goja

// bounded is the Runtime of the third run of .ci/test262: it has the bounds that ccxmld's
// sessions have when nothing is configured (script/limits.go).
func bounded() *Runtime {
	vm := New()
	vm.SetMaxCallStackSize(500)
	vm.Bound(&Bounds{Depth: 2000, StringLength: 1 << 20, ArrayLength: 100_000, Memory: 32 << 20, RegexpInput: 64 << 10})
	vm.BoundSteps(20_000_000, "more than %d steps", 20_000_000)
	return vm
}
