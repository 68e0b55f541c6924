package callcontrol

import (
	"ccxmld/esl"
	"ccxmld/freeswitch"
)

// lookForModules tells the operator of modules that are missing, when the link
// has come up: FreeSWITCH itself says so only when a call needs one, to nobody.
func (n *Node) lookForModules() {
	for _, module := range freeswitch.Modules() {
		if !module.Needed {
			continue
		}
		n.link.Send(esl.API("module_exists", module.Name), func(r *esl.Reply, err error) {
			if err == nil && r.Text != "true" {
				n.log.Error("FreeSWITCH lacks a module; ccxmld doctor says what else", "module", module.Name, "needed for", module.For,
					"do", `add <load module="`+module.Name+`"/> to modules.conf.xml, and fs_cli -x 'load `+module.Name+`'`)
			}
		})
	}
}
