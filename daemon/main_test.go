package daemon_test

import (
	"testing"

	"ccxmld/sitetest"
)

// TestMain checks that no goroutine is left.
func TestMain(m *testing.M) { sitetest.Main(m) }
