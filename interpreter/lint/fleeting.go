package lint

import "ccxmld/script"

// fleeting reports what a session would not have any more when another controller takes it
// over, as far as it can be seen in the text.
func (c *check) fleeting() {
	told := make(map[script.Position]bool)
	tell := func(r *script.Reading) {
		if r == nil {
			return
		}
		for _, f := range r.Fleeting {
			if !told[f.Position] {
				told[f.Position] = true
				c.report(f.Position, Note, "not-carried-over",
					"%s is not carried over when another controller takes the session over: it begins anew there, or is gone (docs/failover.md)", f.What)
			}
		}
	}
	for _, e := range c.elements {
		tell(c.scripts[e])
		for _, a := range e.Attributes {
			tell(c.readings[a])
		}
	}
	for _, r := range c.others {
		tell(r)
	}
}
