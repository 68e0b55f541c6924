package freeswitch

import (
	"strconv"
	"time"

	"ccxmld/esl"
)

// HomeVariable is set on each way home to a text of its own, by which CHANNEL_PARK
// tells our park from one that FreeSWITCH or an operator sent the channel to.
const HomeVariable = "ccxmld_home"

// SessionVariable names the session that a channel belongs to.
const SessionVariable = "ccxml_session"

// UnattendedCause is why a channel ends for which no controller came.
const UnattendedCause = "RECOVERY_ON_TIMER_EXPIRE"

// Home is where channels come to: the addresses A|B at which FreeSWITCH reaches
// controllers. A channel keeps its first socket for its whole life. Out of a bridge, or
// wherever else it is, it comes home to the application park, where commands reach it on
// that socket as before. The methods give the inline actions of such ways.
type Home string

// comes is what begins a way home. FreeSWITCH hangs up a channel that was transferred 70
// times (max_forwards), and tells of all transfers in each event (transfer_history);
// a park takes away what bounded it (see [KeepTogether]).
func comes(mark string) esl.App {
	return esl.App{Name: "multiset", Arg: "transfer_history= park_timeout= max_forwards=70 park_after_bridge=true " + HomeVariable + "=" + mark}
}

// Park is what a channel that has a socket comes home to. FreeSWITCH ends a park when a
// socket of the channel closes: it comes to a controller then if that was its own, and
// is in the next park if it was one of so many others.
func (h Home) Park(mark string, others int) []esl.App {
	apps := []esl.App{comes(mark)}
	for range 1 + others {
		apps = append(apps, esl.App{Name: "park"})
	}
	return append(apps, h.unattended()...)
}

// Fetch is what a channel that has no socket is fetched by.
func (h Home) Fetch(mark string) []esl.App {
	return append([]esl.App{comes(mark), h.socket()}, h.unattended()...)
}

// Begin is what a call that we place comes by.
func (h Home) Begin() []esl.App { return append([]esl.App{h.socket()}, h.unattended()...) }

// Away brings a channel to another controller's socket. If nobody listens there, it is
// parked with the mark, of which our socket, which is open still, tells. The end of
// that lets it go on from the other's socket action to the same park.
func (h Home) Away(address, mark string) []esl.App {
	there := Home(address).socket()
	known := esl.App{Name: "set", Arg: HomeVariable + "=" + mark}
	return append([]esl.App{comes(""), there, known, {Name: "park"}, there}, h.unattended()...)
}

// unattended is what becomes of a channel whose controller is gone: it comes to us, or to
// another one that the address names. Where none answers, it tries once more when one
// may have been started again, can be fetched meanwhile, and ends at last, so that no
// channel stays for ever.
func (h Home) unattended() []esl.App {
	milliseconds := func(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }
	return []esl.App{
		h.socket(),
		{Name: "sleep", Arg: milliseconds(comeAgainAfter)},
		h.socket(),
		{Name: "sleep", Arg: milliseconds(mostUnattended - comeAgainAfter)},
		{Name: "hangup", Arg: UnattendedCause},
	}
}

func (h Home) socket() esl.App { return esl.App{Name: "socket", Arg: string(h) + " async full"} }

// socketVariables make a channel do as we say: it survives its partner in a bridge,
// which goes on if our socket ends (socket_resume would reset it), no digit ends a
// prompt unless we do, no far end has it transferred to another channel (REFER with
// Replaces), and the link need not tell of it any more.
const socketVariables = "park_after_bridge=true;hangup_after_bridge=false;socket_resume=;playback_terminators=none;" +
	"eavesdrop_bridge_aleg=true;eavesdrop_enable_dtmf=false;deny_refer_requests=true;" + LinkVariable + "="

// OurVariables sets the variables that a channel under control has, and those beside
// them: name=value;name=value.
func OurVariables(id, others string) esl.Command {
	if others != "" {
		others = ";" + others
	}
	return SetVariables(id, socketVariables+others)
}

// Independent prepares one of two bridged channels for life without us: when one hangs
// up, so does the other, and the end of its socket does not touch a channel.
func Independent(id, partner string) esl.Command {
	return SetVariables(id, "park_after_bridge=false;hangup_after_bridge=true;park_timeout=;deny_refer_requests=false;signal_bond="+partner)
}

// KeepTogether keeps the far end of a bridged channel from having FreeSWITCH take the
// other one elsewhere, into any dialplan: mod_sofia obeys a REFER if it knows the
// channel's partner, by this variable. Without, it refuses and tells us. It also bounds
// how long the channel stays parked once the bridge is over and no controller has come
// for it: FreeSWITCH takes up park_timeout, which it forgets then, when a park begins.
func KeepTogether(id string) esl.Command {
	return SetVariables(id, "signal_bond=;park_timeout="+strconv.Itoa(int(mostUnattended.Seconds()))+":"+UnattendedCause)
}
