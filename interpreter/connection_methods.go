package interpreter

import (
	"regexp"

	"github.com/dop251/goja"
)

// recordCall is Voxeo's method of connection objects, _RecordCall(percent, tag).
const recordCall = "_RecordCall"

// RecordRequest turns the recording of a connection on or off.
type RecordRequest struct {
	ConnectionID string
	On           bool
	Tag          string // becomes part of the recording's name; may be ""
}

// recordCall gives the method of a connection (VX-60): percent 0 turns recording
// off, any other turns it on, with a tag for the recording's name. It returns
// where the recording is, and throws where the connection cannot be recorded.
func (s *Session) recordCall(c *Connection) func(goja.FunctionCall) goja.Value {
	return func(call goja.FunctionCall) goja.Value {
		vm := s.runtime.VM()
		if c.State != Connected {
			panic(vm.NewTypeError("connection %s is %s; recording needs one that is CONNECTED", c.ID, orNone(c.State)))
		}
		r := RecordRequest{ConnectionID: c.ID, On: call.Argument(0).ToInteger() > 0}
		if tag := call.Argument(1); !goja.IsUndefined(tag) {
			r.Tag = tag.String()
		}
		file, err := s.platform.Record(r)
		if err != nil {
			panic(vm.NewTypeError("connection %s cannot be recorded: %v", c.ID, err))
		}
		return s.toValue(optional(file))
	}
}

// sendDigits is the method of connection objects that sends digits to the far end,
// _SendDTMF(digits).
const sendDigits = "_SendDTMF"

// digitSyntax is what may be sent: w and W are pauses of half a second and of one.
var digitSyntax = regexp.MustCompile(`^[0-9A-D*#wW]{1,128}$`)

// AreDigits tells whether a text can be sent as digits: 0 to 9, A to D, * and #, and w and W
// for pauses of half a second and of one.
func AreDigits(text string) bool { return digitSyntax.MatchString(text) }

// sendDigits gives the method of a connection. It throws where there is nobody to
// send them to, and for what is no digit.
func (s *Session) sendDigits(c *Connection) func(goja.FunctionCall) goja.Value {
	return func(call goja.FunctionCall) goja.Value {
		vm := s.runtime.VM()
		digits := call.Argument(0).String()
		switch {
		case !AreDigits(digits):
			panic(vm.NewTypeError("%q cannot be sent; expected digits, A to D, * and #, and w or W for a pause", digits))
		case c.State != Connected:
			panic(vm.NewTypeError("connection %s is %s; digits go to one that is CONNECTED", c.ID, orNone(c.State)))
		}
		if err := s.platform.SendDigits(c.ID, digits); err != nil {
			panic(vm.NewTypeError("connection %s takes no digits: %v", c.ID, err))
		}
		return goja.Undefined()
	}
}
