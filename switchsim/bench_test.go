package switchsim_test

import (
	"bufio"
	"io"
	"net"
	"testing"
	"time"

	"ccxmld/clock"
	"ccxmld/switchsim"
)

// BenchmarkCall is a whole call: connect, answer, one prompt, hang up, with
// events as large as recorded. The other end only reads; its part is small.
func BenchmarkCall(b *testing.B) {
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer server.Close()
	sw := switchsim.New(switchsim.Options{Clock: clock.Scaled(1000), Sockets: []string{server.Addr().String()}})
	defer sw.Close()
	sw.AddSound("prompt.wav", time.Millisecond)
	b.ReportAllocs()
	for b.Loop() {
		caller, err := sw.Dial(switchsim.Call{})
		if err != nil {
			b.Fatal(err)
		}
		conn, err := server.Accept()
		if err != nil {
			b.Fatal(err)
		}
		io.WriteString(conn, "connect\n\nlinger 0\n\nevent plain CHANNEL_ANSWER CHANNEL_EXECUTE_COMPLETE CHANNEL_HANGUP_COMPLETE\n\nfilter Unique-ID "+caller.UUID()+"\n\n"+
			"sendmsg\ncall-command: execute\nexecute-app-name: answer\n\n"+
			"sendmsg\ncall-command: execute\nexecute-app-name: playback\nexecute-app-arg: prompt.wav\nevent-lock: true\n\n"+
			"sendmsg\ncall-command: hangup\n\n")
		reader := bufio.NewReader(conn)
		for {
			if _, err := readBlock(reader); err != nil {
				break
			}
		}
		conn.Close()
	}
}
