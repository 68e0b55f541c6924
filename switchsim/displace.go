package switchsim

import "strings"

// apiDisplace is uuid_displace: "UUID start PATH [LIMIT [FLAGS]]" or "UUID stop
// PATH". What is displaced here is heard until it is stopped: flags are those of
// mixing and looping.
func (sw *Switch) apiDisplace(arguments string) string {
	words := strings.Fields(arguments)
	if len(words) < 3 {
		return "-USAGE: <uuid> [start|stop] <path> [<limit>] [mux]\n"
	}
	c, path := sw.live(words[0]), words[2]
	if c == nil {
		return "-ERR Cannot locate session!\n"
	}
	heard, running := c.displaced[path]
	switch words[1] {
	case "start":
		if _, ok := sw.length(path); !ok || running {
			return "-ERR Cannot displace session!\n"
		}
		if c.displaced == nil {
			c.displaced = make(map[string]int)
		}
		c.displaced[path] = c.party.hear(Sound{Kind: "background", What: path, From: sw.now()})
	case "stop":
		if !running {
			return "-ERR Cannot stop displace session!\n"
		}
		delete(c.displaced, path)
		c.party.stopHearing(heard, true)
	default:
		return "-USAGE: <uuid> [start|stop] <path> [<limit>] [mux]\n"
	}
	return "+OK Success\n"
}
