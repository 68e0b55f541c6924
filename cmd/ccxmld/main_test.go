package main

import (
	"os"
	"testing"

	"ccxmld/sitetest"
)

// TestMain checks that no goroutine is left.
func TestMain(m *testing.M) {
	if os.Getenv(asProcess) != "" { // this is the daemon of a test
		main()
	}
	sitetest.Main(m)
}
