package switchsim

import (
	"bufio"
	"strings"
	"testing"

	"ccxmld/clock"
)

func FuzzReadCommand(f *testing.F) {
	f.Add("connect\n\n")
	f.Add("sendmsg\r\ncall-command: execute\r\ncontent-length: 3\r\n\r\nabc")
	f.Add("x\ncontent-length: 99999999999\n\n")
	f.Add("x\n:\n\n")
	f.Fuzz(func(t *testing.T, text string) {
		cmd, err := readCommand(bufio.NewReaderSize(strings.NewReader(text), 16))
		if err == nil && (cmd.line == "" || strings.ContainsAny(cmd.line, "\n")) {
			t.Errorf("read %q from %q", cmd.line, text)
		}
	})
}

func FuzzDialStrings(f *testing.F) {
	f.Add("{a='b c',d=e}sofia/gateway/x/1 &park()")
	f.Add("{^^:a=b:c=d}[x=y]loopback/1 'm:^:a:b^c:d' inline")
	f.Add(`\`)
	f.Fuzz(func(t *testing.T, text string) {
		sw := New(Options{Clock: clock.NewManual(clock.Real().Now())})
		defer sw.Close()
		sw.lock()
		sw.originate(text, func(string) {})
		parseInline(text)
		toneLength(text)
		parseConference(text)
		sw.length(text)
		sw.runAPI("conference", text)
		sw.unlock()
	})
}

func FuzzEncode(f *testing.F) {
	f.Add("tone_stream://%(300,0,440)")
	f.Add("a b\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		encoded := encode(text)
		if strings.ContainsAny(encoded, "\r\n: ") {
			t.Errorf("%q became %q", text, encoded)
		}
		if !strings.Contains(text, "%") && decode(encoded) != text {
			t.Errorf("%q came back as %q", text, decode(encoded))
		}
	})
}
