package callcontrol_test

import (
	"bytes"
	"io"
	"net"
	netmail "net/mail"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-smtp"

	"ccxmld/sitetest"
	"ccxmld/switchsim"
)

// relay is an SMTP server that keeps the mails it gets.
type relay struct{ got chan relayed }

// relayed is a mail with its envelope.
type relayed struct {
	from, to string
	message  *netmail.Message
}

func startRelay(t testing.TB) (r *relay, address string) {
	t.Helper()
	r = &relay{got: make(chan relayed, 10)}
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &smtpSession{relay: r}, nil }))
	server.Domain = "relay.test"
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.Serve(listener) })
	t.Cleanup(func() { _ = server.Close(); serving.Wait() })
	return r, listener.Addr().String()
}

type smtpSession struct {
	relay *relay
	mail  relayed
}

func (s *smtpSession) Reset()        { s.mail = relayed{} }
func (s *smtpSession) Logout() error { return nil }

func (s *smtpSession) Mail(from string, _ *smtp.MailOptions) error {
	s.mail.from = from
	return nil
}

func (s *smtpSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.mail.to = to
	return nil
}

func (s *smtpSession) Data(r io.Reader) error {
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if s.mail.message, err = netmail.ReadMessage(bytes.NewReader(data)); err != nil {
		return err
	}
	s.relay.got <- s.mail
	return nil
}

// The announcement cannot be spoken, because FreeSWITCH has no such engine: the
// published document mails that, with the session's debug log, and ends.
func TestMailOfAnError(t *testing.T) {
	t.Parallel()
	relay, address := startRelay(t)
	s := newTutorialSite(t, sitetest.With("MAIL_SMTP", address), sitetest.With("DIALOG_TTS_ENGINE", "cepstral"))
	s.Switch.Callee(bowman, switchsim.Answers{})
	session := s.StartToken("")
	callee, err := s.Switch.WaitCallee(s.Context(), bowman)
	s.Must(err)
	_, err = callee.WaitEnded(s.Context())
	s.Must(err)
	s.WaitIdle()
	select {
	case mail := <-relay.got:
		body, err := io.ReadAll(mail.message.Body)
		s.Must(err)
		if mail.from != "myApp@here.com" || mail.to != "yourEmail@there.com" || !strings.Contains(mail.message.Header.Get("Subject"), session) {
			t.Errorf("mail from %s to %s: %v", mail.from, mail.to, mail.message.Header)
		}
		for _, want := range []string{"generic error detected !", "error.dialog.notstarted", "CALL WAS ANSWERED"} {
			if !strings.Contains(string(body), want) {
				t.Errorf("%q is not in the mail:\n%s", want, body)
			}
		}
	case <-s.Context().Done():
		t.Error("no mail came")
	}
	if heard := callee.Heard(); len(heard) != 0 {
		t.Errorf("the callee heard %+v", heard)
	}
}

// Without a relay, the transition goes on, and the log says so once.
func TestNoRelay(t *testing.T) {
	t.Parallel()
	s := newTutorialSite(t, sitetest.With("DIALOG_TTS_ENGINE", "cepstral"))
	s.Switch.Callee(bowman, switchsim.Answers{})
	for range 3 {
		s.StartToken("")
		s.WaitIdle()
	}
	said := 0
	for _, line := range s.DaemonLog.Lines() {
		if strings.Contains(line, "mail.smtp is not set") {
			said++
		}
	}
	if said != 1 {
		t.Errorf("said %d times", said)
	}
}
