package sessionstore

import "strings"

// maxID bounds the ids that become part of a key, in bytes. Ids made by us are
// UUIDs; longer ones can only come from a document.
const maxID = 128

// validID reports whether id can be the hash tag of a key: visible ASCII
// without the braces that delimit the tag.
func validID(id string) bool {
	if id == "" || len(id) > maxID {
		return false
	}
	for i := range len(id) {
		if c := id[i]; c <= ' ' || c > '~' || c == '{' || c == '}' {
			return false
		}
	}
	return true
}

func validPrefix(prefix string) bool {
	return len(prefix) <= maxID && !strings.ContainsAny(prefix, "{}*?[]\\ \t\r\n")
}

func (s *Store) sessionKey(id string) string {
	return s.prefix + "session:{" + id + "}"
}

func (s *Store) healthKey() string {
	return s.prefix + "health"
}

func (s *Store) controllersKey() string {
	return s.prefix + "controllers"
}

func (s *Store) controllerKey(id string) string {
	return s.prefix + "controller:{" + id + "}"
}

func (s *Store) leaseKey(id string) string {
	return s.controllerKey(id) + ":lease"
}

func (s *Store) sessionsKey(controller string) string {
	return s.controllerKey(controller) + ":sessions"
}

func (s *Store) mailKey(controller string) string {
	return s.controllerKey(controller) + ":mail"
}

func (s *Store) stateKey(session string) string {
	return s.sessionKey(session) + ":state"
}

func (s *Store) textKey(hash string) string {
	return s.prefix + "text:" + hash
}

func (s *Store) moverKey(controller string) string {
	return s.controllerKey(controller) + ":mover"
}
