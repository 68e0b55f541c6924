package interpreter

// Conference is a conference as documents see it (CCXML 1.0, 10.2.3): one that
// this session has created or attached to.
type Conference struct {
	ID   string
	Name string

	attached bool // conference.created was handled, conference.destroyed was not
}

// property gives a property of the conference object.
func (c *Conference) property(s *Session, key string) (any, bool) {
	switch key {
	case "conferenceid", "id":
		return c.ID, true
	case "confname":
		return optional(c.Name), true
	case "bridges": // drafts before 2007
		return stringList(s.media.Outputs(c.ID)), true
	}
	return s.mediaProperty(c.ID, "conference", key)
}

func (c *Conference) keys() []string {
	return []string{"conferenceid", "confname", "bridges", "input", "outputs", "objecttype"}
}
