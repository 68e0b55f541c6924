package dialog

import (
	"strings"
	"testing"
)

// TestLocate: relative sources are what RFC 3986 makes of them; a leading slash is a path of
// this machine where the document is a file.
func TestLocate(t *testing.T) {
	const web, file = "http://host:81/app/page.vxml?x=1", "file:///srv/app/page.vxml"
	plain, sounds := New(Options{Recordings: "/var/rec/"}), New(Options{Sounds: "/usr/share/sounds"})
	tests := []struct {
		service      *Service
		base, source string
		file, remote string
		problem      string
	}{
		{plain, web, "a.wav", "", "http://host:81/app/a.wav", ""},
		{plain, web, "/f/tone.wav", "", "http://host:81/f/tone.wav", ""},
		{plain, web, "/f/my tone.wav?a=b", "", "http://host:81/f/my%20tone.wav?a=b", ""},
		{plain, web, "//other/f/tone.wav", "", "http://other/f/tone.wav", ""},
		{plain, "https://host/page.vxml", "//other/f/tone.wav", "", "https://other/f/tone.wav", ""},
		{plain, web, "../b.wav", "", "http://host:81/b.wav", ""},
		{plain, web, "?a=b", "", "http://host:81/app/page.vxml?a=b", ""},
		{plain, web, "file:///f/tone.wav", "/f/tone.wav", "", ""},
		{plain, web, "/var/rec/recording-1.wav", "/var/rec/recording-1.wav", "", ""},
		{plain, web, "/var/rec/../../etc/x.wav", "", "http://host:81/etc/x.wav", ""},
		{plain, web, "/var/records.wav", "", "http://host:81/var/records.wav", ""},
		{plain, file, "a b.wav", "/srv/app/a b.wav", "", ""},
		{plain, file, "/f/tone.wav", "/f/tone.wav", "", ""},
		{plain, file, "/f/100%.wav", "/f/100%.wav", "", ""},
		{plain, file, "//localhost/f/tone.wav", "/f/tone.wav", "", ""},
		{plain, file, "//other/f/tone.wav", "", "", "file://other/f/tone.wav does not name a file of this machine"},
		{plain, file, "http://host/a.wav", "", "http://host/a.wav", ""},
		{plain, "/srv/app/page.vxml", "a.wav", "/srv/app/a.wav", "", ""},
		{plain, "", "/f/tone.wav", "/f/tone.wav", "", ""},
		{plain, "", "a.wav", "", "", "a.wav is relative"},
		{sounds, web, "a.wav", "/usr/share/sounds/a.wav", "", ""},
		{sounds, web, "/f/tone.wav", "", "http://host:81/f/tone.wav", ""},
		{sounds, web, "//other/f/tone.wav", "", "http://other/f/tone.wav", ""},
		{sounds, file, "/f/tone.wav", "/f/tone.wav", "", ""},
	}
	for _, test := range tests {
		file, remote, err := test.service.locate(test.source, test.base)
		if file != test.file || remote != test.remote || (err == nil) != (test.problem == "") || err != nil && !strings.Contains(err.Error(), test.problem) {
			t.Errorf("%s in %s: %q, %q, %v; want %q, %q, %q", test.source, test.base, file, remote, err, test.file, test.remote, test.problem)
		}
	}
}
