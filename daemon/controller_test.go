package daemon_test

import (
	"errors"
	"log/slog"
	"strings"
	"testing"

	"ccxmld/daemon"
	"ccxmld/sessionstore"
	"ccxmld/sitetest"
)

// TestControllerID: a controller is called as it is configured, else by its host and port,
// and a second one of the same name does not start while the first runs.
func TestControllerID(t *testing.T) {
	s := sitetest.New(t)
	_, port, _ := strings.Cut(s.Daemon.ESLAddress(), ":")
	if id := s.Daemon.Controller.ID(); !strings.HasSuffix(id, ":"+port) || len(id) == len(port)+1 {
		t.Errorf("without a setting it is %q", id)
	}
	named := s.AddDaemon(sitetest.With("CONTROLLER_ID", "ccx1"))
	if id := named.Daemon.Controller.ID(); id != "ccx1" {
		t.Errorf("it is %q", id)
	}
	second, err := daemon.New(s.Context(), named.Config(), slog.New(slog.DiscardHandler), nil,
		daemon.WithClock(s.Clock), daemon.WithNetwork(s.Network, nil), daemon.WithRedis(s.Redis))
	if !errors.Is(err, sessionstore.ErrIDTaken) || !strings.Contains(err.Error(), "controller.id") {
		t.Errorf("a second one was made: %v, %v", second != nil, err)
	}
}
