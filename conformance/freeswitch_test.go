//go:build freeswitch

package conformance_test

import (
	"context"
	"os"
	"testing"
	"time"

	"ccxmld/conformance"
)

// TestFreeSWITCHConformance runs the documents that touch a connection, bridge,
// conference or dialog on the FreeSWITCH that CCXMLD_FREESWITCH names.
func TestFreeSWITCHConformance(t *testing.T) {
	run(t, ccxml(t), freeSWITCH(t), func(test *conformance.Test) bool { return test.Telephony && !test.SIP })
}

// TestFreeSWITCHVoiceXML runs the pages there.
func TestFreeSWITCHVoiceXML(t *testing.T) {
	run(t, voiceXML(t), freeSWITCH(t), func(test *conformance.Test) bool { return !test.SIP })
}

func freeSWITCH(t *testing.T) conformance.Switch {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	sw, err := conformance.NewFreeSWITCH(ctx, os.Getenv("CCXMLD_FREESWITCH"), logger(t))
	if err != nil {
		t.Fatal(err)
	}
	return sw
}
