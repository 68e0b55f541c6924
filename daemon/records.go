package daemon

import (
	"net/http"

	"ccxmld/records"
)

// openRecords opens the journal of call detail records, if one is kept.
func (d *Daemon) openRecords() (err error) {
	c := d.config.Records
	if c.Directory == "" {
		return nil
	}
	d.records, err = records.Open(records.Options{Directory: c.Directory, FileBytes: c.FileBytes, Keep: c.Keep, Clock: d.clock, Logger: d.log})
	if err != nil || c.Webhook == "" {
		return err
	}
	hook := &records.Webhook{URL: c.Webhook, Secret: c.WebhookSecret.Reveal(), Client: &http.Client{Transport: d.transport()}}
	return d.records.Follow("webhook", hook)
}
