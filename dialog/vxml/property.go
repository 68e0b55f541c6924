package vxml

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"ccxmld/dialog"
)

// property compiles a <property>. A value that it cannot have is ignored, so that what is
// further out holds, with a warning.
func (e *element) property(l *level) {
	e.attributes("name", "value")
	name, text := e.required("name"), e.text("value")
	value := propertyValue(name, text)
	err := checkProperty(name, value)
	at, _ := e.value("value")
	switch {
	case err != nil && !e.has("value"):
		e.required("value")
		return
	case err != nil && text == "":
		e.noticeAt(CodeEmpty, at, "<property name=%q value=\"\"> is empty; it is read as if it were not there", name)
		return
	case err != nil:
		e.noticeAt(CodeBadValue, at, "<property name=%.200q>: %v; it is ignored", name, err)
		return
	case value != text:
		e.readAs("value", fmt.Sprintf("<property name=%.200q value=%.200q>", name, text), value)
	case isTime(name):
		e.bareTime(name, "value", value)
	}
	if l.properties == nil {
		l.properties = make(map[string]string)
	}
	l.properties[name] = value
}

// bargeInType reads the attribute of a <prompt>.
func (e *element) bargeInType() string {
	text := e.text("bargeintype")
	value := propertyValue("bargeintype", text)
	if value == "" {
		return ""
	}
	if err := checkProperty("bargeintype", value); err != nil {
		at, _ := e.value("bargeintype")
		e.noticeAt(CodeBadValue, at, "<prompt bargeintype>: %v; it is ignored", err)
		return ""
	}
	if value != text {
		e.readAs("bargeintype", fmt.Sprintf("<prompt bargeintype=%.200q>", text), value)
	}
	return value
}

// propertyValue gives the value that is meant by how other platforms write it.
func propertyValue(name, text string) string {
	if isTime(name) {
		return looseTime(text)
	}
	switch name {
	case "bargein":
		return truthOf(text)
	case "bargeintype":
		switch kind := strings.ToLower(text); kind {
		case "energy": // of VoiceXML's drafts, as the next
			return "speech"
		case "recognition":
			return "hotword"
		default:
			return kind
		}
	case "inputmodes":
		return strings.ToLower(strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' }), " "))
	case "confidencelevel", "sensitivity", "speedvsaccuracy":
		number := strings.Replace(text, ",", ".", 1)
		if n, err := strconv.ParseFloat(number, 64); err == nil && n > 1 && n <= 100 { // of a hundred
			return strconv.FormatFloat(n/100, 'g', -1, 64)
		}
		return number
	}
	return text
}

// defaults are the properties of the platform (VoiceXML 2.0, 6.3).
var defaults = map[string]string{
	"bargein":           "true",
	"inputmodes":        "dtmf voice",
	"timeout":           "5s",
	"interdigittimeout": "3s",
	"termtimeout":       "0s",
	"termchar":          "#",
	"bargeintype":       "speech",
	"confidencelevel":   "0.5",
	"maxnbest":          "1",
	"maxspeechtimeout":  "60s",
	"fetchaudiodelay":   "2s",
	"fetchaudiominimum": "5s",
}

// isTime tells whether a property is a time.
func isTime(name string) bool {
	switch name {
	case "timeout", "interdigittimeout", "termtimeout", "fetchtimeout", "fetchaudiodelay", "fetchaudiominimum",
		"completetimeout", "incompletetimeout", "maxspeechtimeout":
		return true
	}
	return false
}

// checkProperty finds values that a property cannot have.
func checkProperty(name, value string) error {
	if isTime(name) {
		_, err := dialog.ParseTime(value)
		return err
	}
	switch name {
	case "documentmaxage", "documentmaxstale", "scriptmaxage", "scriptmaxstale", "datamaxage", "datamaxstale",
		"grammarmaxage", "grammarmaxstale", "audiomaxage", "audiomaxstale":
		_, err := parseAge(value)
		return err
	case "bargein":
		if value != "true" && value != "false" {
			return fmt.Errorf("%q is neither true nor false", value)
		}
	case "bargeintype":
		if value != "speech" && value != "hotword" {
			return fmt.Errorf("%q is neither speech nor hotword", value)
		}
	case "confidencelevel", "sensitivity", "speedvsaccuracy":
		if n, err := strconv.ParseFloat(value, 64); err != nil || !(n >= 0 && n <= 1) {
			return fmt.Errorf("%q is not a number from 0 to 1", value)
		}
	case "maxnbest":
		if n, err := strconv.Atoi(value); err != nil || n < 1 {
			return fmt.Errorf("%q is not a number from 1", value)
		}
	case "termchar":
		if len(value) > 1 || strings.Trim(value, dialog.Digits) != "" {
			return fmt.Errorf("%q is not a digit; it is one of %s, or empty", value, dialog.Digits)
		}
	}
	return nil
}

// property gives a property as it applies to the present item.
func (x *execution) property(name string) string {
	for _, l := range x.levels() {
		if value, ok := l.properties[name]; ok {
			return value
		}
	}
	return defaults[name]
}

// interval gives a property that is a time.
func (x *execution) interval(name string) time.Duration {
	d, err := dialog.ParseTime(x.property(name))
	if err != nil { // An empty one: the compiler has checked the others.
		return 0
	}
	return d
}
