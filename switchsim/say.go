package switchsim

import (
	"strings"
	"time"
)

// sayPace is how long the sound of one character lasts.
const sayPace = 300 * time.Millisecond

// say is say: "MODULE[:LANGUAGE] TYPE METHOD [GENDER] TEXT". Like the real one it
// never tells whether it could.
type say struct{ speak }

func (s *say) start(f *frame) {
	words := strings.Fields(f.data)
	if len(words) != 4 && len(words) != 5 {
		f.finish()
		return
	}
	module, _, _ := strings.Cut(words[0], ":")
	if !f.c.sw.hasModule("mod_say_" + module) {
		f.finish()
		return
	}
	text := words[len(words)-1]
	s.heard = f.c.party.hear(Sound{Kind: "speech", What: strings.Join(words[1:len(words)-1], " ") + " " + text, From: f.c.sw.now()})
	s.begin(f, time.Duration(len(text))*sayPace, func() { s.over(f) })
}
