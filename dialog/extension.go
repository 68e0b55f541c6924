package dialog

import (
	"mime"
	"net/url"
	"path"
	"regexp"
	"strings"

	"ccxmld/fetch"
)

// keep puts what was fetched where FreeSWITCH plays it from, and returns the path.
func (s *Service) keep(response *fetch.Response) (string, error) {
	file, err := s.spool.Put(response.Body, extension(response))
	if err := s.kept(response.URI, err); err != nil {
		return "", err
	}
	return file, nil
}

var extensionSyntax = regexp.MustCompile(`^[a-z0-9]{1,5}$`)

// extension gives the ending by which FreeSWITCH knows the format of a file:
// what the server says it is, else what the URI ends in.
func extension(response *fetch.Response) string {
	kind, _, err := mime.ParseMediaType(response.ContentType)
	if err == nil {
		switch strings.TrimPrefix(kind, "audio/") {
		case "wav", "x-wav", "wave", "vnd.wave":
			return "wav"
		case "mpeg", "mp3":
			return "mp3"
		case "ogg":
			return "ogg"
		case "flac", "x-flac":
			return "flac"
		}
	}
	if u, err := url.Parse(response.URI); err == nil {
		if ending := strings.ToLower(strings.TrimPrefix(path.Ext(u.Path), ".")); extensionSyntax.MatchString(ending) {
			return ending
		}
	}
	return "wav"
}
