package peer

import (
	"context"
	"encoding/json"

	"ccxmld/sessionstore"
)

// AskToDrain asks a controller to drain; by says for its log who does. It returns when
// the request is in the controller's mailbox, and sessionstore.ErrNoController where no
// such controller lives.
func AskToDrain(ctx context.Context, store *sessionstore.Store, controller, by string) error {
	text, err := json.Marshal(Drain{By: by})
	if err != nil {
		return err
	}
	return store.Post(ctx, controller, sessionstore.Mail{From: by, Kind: drainKind, Body: text})
}
