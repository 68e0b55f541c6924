//go:build freeswitch

package conformance_test

import (
	"context"
	"os"
	"testing"
	"time"

	"ccxmld/interpreter/conformance"
)

// TestFreeSWITCHConformance runs the documents that touch a connection, bridge,
// conference or dialog on the FreeSWITCH that CCXMLD_FREESWITCH names.
func TestFreeSWITCHConformance(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	sw, err := conformance.NewFreeSWITCH(ctx, os.Getenv("CCXMLD_FREESWITCH"), logger(t))
	if err != nil {
		t.Fatal(err)
	}
	run(t, sw, func(test *conformance.Test) bool { return test.Telephony && !test.SIP })
}
