// Package mail sends the mails of <voxeo:sendemail> through an SMTP relay. A
// call never waits for mail: Send checks a message and queues it, one worker
// delivers, and what the relay refuses is logged.
//
//	session ── Send ──▶ queue (bounded) ──▶ worker ── SMTP ──▶ relay
//
// New starts the worker; Close ends it, after the queue where there is time.
// Where no relay is configured there is no worker, and Send says so in the log
// the first time only: a document's error transition must go on (VX-21 in
// docs/ccxml-conformance.md).
//
// STARTTLS is used where the relay offers it. The relay's certificate is not
// verified, as is usual between mail servers: no password is sent, and whoever
// could forge the certificate could as well suppress STARTTLS.
package mail
