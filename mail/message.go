package mail

import (
	"errors"
	"fmt"
	"net/mail"
	"strings"
	"unicode/utf8"

	gomail "github.com/wneessen/go-mail"
)

const (
	maxRecipients = 50
	maxSubject    = 500       // bytes
	maxBody       = 256 << 10 // bytes
)

// Message is a mail in plain text.
type Message struct {
	// To is one address, or several separated by commas: at most 50.
	To string
	// From is one address; empty means the Sender's.
	From string
	// Subject is one line of at most 500 bytes.
	Subject string
	// Body is at most 256 KiB of UTF-8; other bytes are replaced.
	Body string
}

// ErrMessage is wrapped by every error about a message that cannot be sent as
// it is: a bad address, a line break where a header would be forged by it,
// too much text.
var ErrMessage = errors.New("mail refused")

// compose checks a message and makes it ready for the relay.
func (m Message) compose(from string) (*gomail.Msg, error) {
	if m.From != "" {
		from = m.From
	}
	sender, err := addresses("from", from)
	if err != nil {
		return nil, err
	}
	if len(sender) != 1 {
		return nil, fmt.Errorf("%w: from: %d addresses; expected one", ErrMessage, len(sender))
	}
	recipients, err := addresses("to", m.To)
	if err != nil {
		return nil, err
	}
	switch {
	case len(recipients) > maxRecipients:
		return nil, fmt.Errorf("%w: to: %d addresses; expected at most %d", ErrMessage, len(recipients), maxRecipients)
	case hasControl(m.Subject):
		return nil, fmt.Errorf("%w: subject: holds a line break or control character; expected one line", ErrMessage)
	case len(m.Subject) > maxSubject:
		return nil, fmt.Errorf("%w: subject: %d bytes; expected at most %d", ErrMessage, len(m.Subject), maxSubject)
	case len(m.Body) > maxBody:
		return nil, fmt.Errorf("%w: body: %d bytes; expected at most %d", ErrMessage, len(m.Body), maxBody)
	}

	msg := gomail.NewMsg()
	msg.FromMailAddress(sender[0])
	msg.ToMailAddress(recipients...)
	msg.Subject(strings.ToValidUTF8(m.Subject, "\uFFFD"))
	msg.SetBodyString(gomail.TypeTextPlain, strings.ToValidUTF8(m.Body, "\uFFFD"))
	msg.SetDate()
	msg.SetMessageID()
	msg.SetUserAgent("ccxmld")
	// RFC 3834: keeps vacation notices from answering.
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	return msg, nil
}

// addresses parses a header's addresses; what says which, for the error.
func addresses(what, text string) ([]*mail.Address, error) {
	if strings.TrimSpace(text) == "" {
		return nil, fmt.Errorf("%w: %s: empty; expected a mail address", ErrMessage, what)
	}
	if len(text) > maxRecipients*320 { // 320 is the longest address of RFC 3696
		return nil, fmt.Errorf("%w: %s: %d bytes of addresses", ErrMessage, what, len(text))
	}
	if hasControl(text) || !utf8.ValidString(text) {
		return nil, fmt.Errorf("%w: %s: holds a line break or control character; expected a mail address", ErrMessage, what)
	}
	list, err := mail.ParseAddressList(text)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %q is not a mail address: %s", ErrMessage, what, text, strings.TrimPrefix(err.Error(), "mail: "))
	}
	return list, nil
}

// hasControl finds what could end a header line.
func hasControl(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f })
}
