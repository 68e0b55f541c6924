package dialog

import (
	"strings"
	"testing"
)

func TestSayArgument(t *testing.T) {
	for source, want := range map[string]string{
		"say:number/42":                             "en number pronounced 42",
		"say://number/42":                           "en number pronounced 42",
		"say:digits/0815?lang=de":                   "de number iterated 0815",
		"say:ordinal/3?lang=fr&gender=feminine":     "fr items counted feminine 3",
		"say:money/12.50":                           "en currency pronounced 12.50",
		"say:money/-1":                              "en currency pronounced -1",
		"say:phone/%2B4930123":                      "en telephone_number pronounced +4930123",
		"say:spell/ab-12":                           "en name_spelled pronounced ab-12",
		"say:date/2026-11-21":                       "en current_date pronounced 1795262400",
		"say:time/17:05":                            "en current_time pronounced 17:05:00",
		"say:telephone_extension/iterated/1234":     "en telephone_extension iterated 1234",
		"say:number/4%202":                          "!4 2",
		"say:number/forty":                          "!a whole number",
		"say:money/1,50":                            "!12.50",
		"say:date/2026-13-01":                       "!cannot be said as date",
		"say:time/25:00":                            "!cannot be said as time",
		"say:number":                                "!say:number/42",
		"say:poem/x":                                "!is no way to say something",
		"say:a b/c/d":                               "!is no way to say something",
		"say:number/1?lang=en%20number":             "!expected a word",
		"say:number/1?voice=x":                      "!takes lang and gender",
		"say:telephone_extension/iterated/1${x}":    "!expected a text without spaces",
		"say:telephone_extension/iterated/1\nx":     "!expected a text without spaces",
		"say:telephone_extension/it${erated}/12345": "!is no way to say something",
	} {
		got, err := sayArgument(source)
		if part, bad := strings.CutPrefix(want, "!"); bad {
			if err == nil || !strings.Contains(err.Error(), part) {
				t.Errorf("%s: %q, %v; expected an error with %q", source, got, err, part)
			}
			continue
		}
		if err != nil || got != want {
			t.Errorf("%s: %q, %v; expected %q", source, got, err, want)
		}
	}
}
