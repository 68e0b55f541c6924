package script

import "github.com/dop251/goja"

type guardSet uint64

const allGuards = ^guardSet(0)
const smallIndex = 10000
const keyCheckName = "check key"

func guardsOf(string) guardSet              { return 0 }
func (r *Runtime) install(missing guardSet) { r.installed |= missing }
func (r *Runtime) installKeyCheck() {
	r.keyChecked = true
	r.defineGlobal(keyCheckName, r.vm.ToValue(func(call goja.FunctionCall) goja.Value { return call.Argument(0) }))
}
