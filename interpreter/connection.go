package interpreter

// ConnectionState is the state of a connection (CCXML 1.0, 10.2.2).
type ConnectionState string

// The states of a connection. A connection that was just created by
// <createcall> has none until its first event.
const (
	Alerting     ConnectionState = "ALERTING"
	Progressing  ConnectionState = "PROGRESSING"
	Connected    ConnectionState = "CONNECTED"
	Disconnected ConnectionState = "DISCONNECTED"
	Failed       ConnectionState = "FAILED"
	Errored      ConnectionState = "ERROR"
)

// final tells whether a connection in this state is over.
func (state ConnectionState) final() bool {
	return state == Disconnected || state == Failed || state == Errored
}

// Connection is a call leg as documents see it (CCXML 1.0, 10.2.1). Its state
// changes only when the event that tells of it is handled.
type Connection struct {
	ID         string
	State      ConnectionState
	Local      string // our side: called on an inbound call, calling on an outbound one
	Remote     string
	Originator string // equal to Local or Remote
	Protocol   Protocol
	Redirects  []Redirect
	AAI        string

	movingTo string // the session that a <move> under way gives it to
}

// Protocol tells how a connection is signalled. Headers are those of the call's
// SIP INVITE, with names as on the wire.
type Protocol struct {
	Name    string
	Version string
	Headers []Pair
}

// Redirect is an address the call was diverted from before it came here. What is
// not known of it is "".
type Redirect struct {
	URI          string
	Reason       string
	Presentation string // pi: who may see the address
	Screening    string // si: whether it was checked
}

// moveTo is the one place where a connection's state changes. A connection that
// is over stays so (CCXML 1.0, 10.2.2).
func (c *Connection) moveTo(state ConnectionState) {
	if !c.State.final() {
		c.State = state
	}
}

// property gives a property of the connection object.
func (c *Connection) property(s *Session, key string) (any, bool) {
	switch key {
	case "connectionid", "id":
		return c.ID, true
	case "state":
		return string(c.State), true
	case "local":
		return c.Local, true
	case "remote":
		return c.Remote, true
	case "originator":
		return c.Originator, true
	case "protocol":
		return c.Protocol.object(), true
	case "redirect":
		return redirects(c.Redirects), true
	case "aai":
		return c.AAI, true
	case "substate":
		return nil, true
	case recordCall:
		return s.recordCall(c), true
	case sendDigits:
		return s.sendDigits(c), true
	}
	return s.mediaProperty(c.ID, "connection", key)
}

func (c *Connection) keys() []string {
	return []string{"connectionid", "state", "substate", "local", "remote", "originator",
		"protocol", "redirect", "aai", "input", "outputs", "objecttype"}
}

func (p Protocol) object() map[string]any {
	headers := make(map[string]any, len(p.Headers))
	for _, header := range p.Headers {
		headers[header.Name] = header.Value
	}
	return map[string]any{
		"name":    p.Name,
		"version": p.Version,
		p.Name:    map[string]any{"headers": headers},
	}
}

func redirects(list []Redirect) []any {
	values := make([]any, len(list))
	for i, r := range list {
		values[i] = map[string]any{
			"uri": r.URI, "reason": optional(r.Reason), "pi": optional(r.Presentation), "si": optional(r.Screening),
		}
	}
	return values
}
