package vxml

import (
	"encoding/xml"
	"slices"
	"strconv"
	"strings"

	"github.com/antchfx/xmlquery"
)

// modernise makes what pages of VoiceXML 1.0 have what it became in 2.0, with a notice for
// each name.
func (c *compilation) modernise(node *xmlquery.Node, told map[string]bool) {
	if change := older[node.Data]; change != nil && isVoiceXML(node) {
		was := node.Data
		e := c.element(node)
		change(node)
		if !told[was] {
			told[was] = true
			e.noticeAt(CodeLenient, e.position, "<%s> is of VoiceXML 1.0; it is read as <%s>", was, node.Data)
		}
	}
	if msecs := attributeOf(node, "", "msecs"); node.Data == "break" && msecs != "" {
		setAttribute(node, "msecs", "")
		setAttribute(node, "time", msecs+"ms")
	}
	for child := range elements(node) {
		c.modernise(child, told)
	}
}

// older are the elements of VoiceXML 1.0 that have other names since.
var older = map[string]func(*xmlquery.Node){
	"emp":   func(n *xmlquery.Node) { n.Data = "emphasis" },
	"sayas": sayAsOf,
	"pros":  prosodyOf,
	"div": func(n *xmlquery.Node) {
		n.Data = map[bool]string{true: "s", false: "p"}[attributeOf(n, "", "type") == "sentence"]
		setAttribute(n, "type", "")
	},
	"dtmf": func(n *xmlquery.Node) {
		n.Data = "grammar"
		setAttribute(n, "mode", "dtmf")
	},
}

// sayAsOf changes a <sayas>: it says how a text is read, what is said for it, or its sounds.
func sayAsOf(n *xmlquery.Node) {
	class, sub, sounds := attributeOf(n, "", "class"), attributeOf(n, "", "sub"), attributeOf(n, "", "phon")
	for _, name := range []string{"class", "sub", "phon"} {
		setAttribute(n, name, "")
	}
	switch {
	case sub != "":
		n.Data = "sub"
		setAttribute(n, "alias", sub)
	case sounds != "":
		n.Data = "phoneme"
		setAttribute(n, "ph", sounds)
	default:
		n.Data = "say-as"
		setAttribute(n, "interpret-as", sayAsClass(class))
	}
}

// sayAsClass gives the interpret-as for a class of <sayas> or <value>.
func sayAsClass(class string) string {
	if class = strings.ToLower(class); class == "literal" {
		return "characters"
	}
	return class
}

// prosodyOf changes a <pros>, whose rate was in words a minute and whose volume up to 1.
func prosodyOf(n *xmlquery.Node) {
	n.Data = "prosody"
	volume := attributeOf(n, "", "vol")
	setAttribute(n, "vol", "")
	if v, err := strconv.ParseFloat(volume, 64); err == nil && v >= 0 && v <= 1 {
		setAttribute(n, "volume", strconv.Itoa(int(v*100)))
	}
	if _, err := strconv.ParseFloat(attributeOf(n, "", "rate"), 64); err == nil {
		setAttribute(n, "rate", "")
	}
}

// setAttribute sets an attribute without a namespace, or removes it if the value is "".
func setAttribute(node *xmlquery.Node, name, value string) {
	node.Attr = slices.DeleteFunc(node.Attr, func(a xmlquery.Attr) bool { return a.Name.Space == "" && a.Name.Local == name })
	if value != "" {
		node.Attr = append(node.Attr, xmlquery.Attr{Name: xml.Name{Local: name}, Value: value})
	}
}

// todays gives today's name of an event of VoiceXML 1.0, "" for others.
func todays(event string) string {
	for old, today := range map[string]string{"telephone.": "connection.", "error.telephone.": "error.connection."} {
		if rest, found := strings.CutPrefix(event, old); found {
			return today + rest
		}
	}
	return ""
}

// telephone gives a destination as a tel: URI, if it is one of VoiceXML 1.0.
func telephone(destination string) string {
	if rest, found := strings.CutPrefix(destination, "phone:"); found {
		return "tel:" + strings.TrimPrefix(rest, "//")
	}
	return destination
}
