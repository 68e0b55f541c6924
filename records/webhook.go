package records

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"time"
)

// webhookTimeout bounds one delivery.
const webhookTimeout = 30 * time.Second

// Webhook posts records to a server, as JSON lines. Any status 2xx takes them.
type Webhook struct {
	URL    string
	Secret string       // by which Ccxmld-Signature is made: sha256=HMAC of the body, in hex; "" for none
	Client *http.Client // nil: a usual one
}

// Receive posts lines.
func (w *Webhook) Receive(ctx context.Context, lines [][]byte) error {
	ctx, cancel := context.WithTimeout(ctx, webhookTimeout)
	defer cancel()
	body := append(bytes.Join(lines, []byte("\n")), '\n')
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, w.URL, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/x-ndjson")
	if w.Secret != "" {
		mac := hmac.New(sha256.New, []byte(w.Secret))
		mac.Write(body)
		request.Header.Set("Ccxmld-Signature", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	}
	client := w.Client
	if client == nil {
		client = http.DefaultClient
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 64<<10)) // so that the connection can be used again
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("the webhook answered %s", response.Status)
	}
	return nil
}
