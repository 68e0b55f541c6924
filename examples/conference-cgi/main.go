// Command conference-cgi serves the conference application of "Introduction to
// CCXML, Part V". README.md says how to run it.
package main

import (
	"flag"
	"log/slog"
	"net/http"
	"os"
	"time"

	"ccxmld/examples/conference-cgi/cgi"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:8090", "`address` to serve on")
	forget := flag.Duration("forget", 24*time.Hour, "age at which a caller counts as gone")
	flag.Parse()
	server := &http.Server{
		Addr:              *listen,
		Handler:           cgi.New(*forget),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      10 * time.Second,
	}
	slog.Info("serving", "document", "http://"+*listen+"/conference.ccxml")
	if err := server.ListenAndServe(); err != nil {
		slog.Error("not serving", "error", err)
		os.Exit(1)
	}
}
