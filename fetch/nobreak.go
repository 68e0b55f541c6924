package fetch

import "bytes"

// noBreakSpace is U+00A0 in UTF-8. Documents copied from a web page have it where
// XML wants white space; the published token tutorial is one.
var noBreakSpace = []byte("\u00a0")

// spaceInTags makes no-break spaces inside tags, outside quoted values, white
// space. Nothing moves: each becomes two spaces, as long as it was.
func spaceInTags(text []byte) []byte {
	if !bytes.Contains(text, noBreakSpace) {
		return text
	}
	text = bytes.Clone(text)
	for at := 0; ; {
		begin := bytes.IndexByte(text[at:], '<')
		if begin < 0 {
			return text
		}
		at += begin
		if end, skip := unparsed(text[at:]); skip {
			at += end
			continue
		}
		at = spaceInTag(text, at)
	}
}

// unparsed tells whether a comment, CDATA section, declaration or processing
// instruction begins here, and how long it is.
func unparsed(text []byte) (length int, ok bool) {
	for _, kind := range []struct{ begin, end string }{
		{"<!--", "-->"}, {"<![CDATA[", "]]>"}, {"<?", "?>"}, {"<!", ">"},
	} {
		if !bytes.HasPrefix(text, []byte(kind.begin)) {
			continue
		}
		end := bytes.Index(text, []byte(kind.end))
		if end < 0 {
			return len(text), true
		}
		return end + len(kind.end), true
	}
	return 0, false
}

// spaceInTag changes the tag that begins at text[at], and returns where it ends.
func spaceInTag(text []byte, at int) int {
	var quote byte
	for ; at < len(text); at++ {
		switch c := text[at]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '>':
			return at
		case bytes.HasPrefix(text[at:], noBreakSpace):
			text[at], text[at+1] = ' ', ' '
		}
	}
	return at
}
