package main

import (
	"flag"
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// TestMain checks that no goroutine is left. Benchmarks are let off: the eslgo
// that they measure beside ours leaves some.
func TestMain(m *testing.M) {
	if os.Getenv(asProcess) != "" { // this is the daemon of a test
		main()
	}
	code := m.Run()
	if code == 0 && flag.Lookup("test.bench").Value.String() == "" {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}
