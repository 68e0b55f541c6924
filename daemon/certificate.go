package daemon

import (
	"crypto/tls"
	"log/slog"
	"os"
	"sync"
	"time"

	"ccxmld/clock"
	"ccxmld/conf"
)

// lookAgainAfter is how often a certificate's files are looked at.
const lookAgainAfter = 10 * time.Second

// certificate is that of http.listen. It is read again when its files change, since many
// are valid for weeks only and are renewed by programs.
type certificate struct {
	files conf.TLS
	log   *slog.Logger
	clock clock.Clock

	mu      sync.Mutex
	current *tls.Certificate
	changed time.Time // the files, when current was read
	looked  time.Time
}

// read reads the files.
func (c *certificate) read() error {
	changed := c.lastChange()
	pair, err := tls.LoadX509KeyPair(c.files.Certificate, c.files.Key)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.current, c.changed, c.looked = &pair, changed, c.clock.Now()
	return nil
}

// lastChange is when the files were changed last.
func (c *certificate) lastChange() (last time.Time) {
	for _, file := range []string{c.files.Certificate, c.files.Key} {
		if info, err := os.Stat(file); err == nil && info.ModTime().After(last) {
			last = info.ModTime()
		}
	}
	return last
}

// get gives the certificate, for tls.Config. Files that do not do leave the one before.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	now := c.clock.Now()
	look := now.Sub(c.looked) >= lookAgainAfter
	if look {
		c.looked = now
	}
	changed, current := c.changed, c.current
	c.mu.Unlock()
	if !look || !c.lastChange().After(changed) {
		return current, nil
	}
	if err := c.read(); err != nil {
		c.log.Error("the certificate of http.listen has changed and cannot be read; the one before is shown", "error", err)
		return current, nil
	}
	c.log.Info("the certificate of http.listen was read again")
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.current, nil
}
