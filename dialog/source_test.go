package dialog

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestParseSource(t *testing.T) {
	tests := []struct {
		src, uri, text string
		controls       controls
	}{
		{"a.wav", "a.wav", "", controls{}},
		{"a.wav?text=Hello", "a.wav", "Hello", controls{}},
		{"http://h/a?id=1&x=2&text=Hi", "http://h/a?id=1&x=2", "Hi", controls{}},
		{"null://?text=Tom & Jerry? Yes, 100%.", "null://", "Tom & Jerry? Yes, 100%.", controls{}},
		{"null://?text=a=b&c=d e", "null://", "a=b&c=d e", controls{}},
		{"null://?text=One & two&maxdigits=3", "null://", "One & two", controls{listen: true, maxDigits: 3}},
		{"null://?maxdigits=3&text=One & two", "null://", "One & two", controls{listen: true, maxDigits: 3}},
		{"null://?text=50%&termdigits=#", "null://", "50%", controls{listen: true, termDigits: "#"}},
		{"null://?text=Wait. The timeout & more", "null://", "Wait. The timeout & more", controls{}},
		{"a?TermDigits=*&Timeout=2s&interDigitTimeout=.5s&maxtime=+9s&beep=1&bargein=no", "a", "", controls{
			listen: true, termDigits: "*", timeout: 2 * time.Second, hasTimeout: true,
			interDigit: 500 * time.Millisecond, maxTime: 9 * time.Second, beep: true, noBargeIn: true,
		}},
		{"a?", "a", "", controls{}},
	}
	for _, test := range tests {
		s, err := parseSource(test.src)
		if want := (source{test.uri, test.text, test.controls}); err != nil || s != want {
			t.Errorf("%s: %+v, %v; want %+v", test.src, s, err, want)
		}
	}
	for _, src := range []string{"a?termdigits=x", "a?maxdigits=-1", "a?maxdigits=101", "a?timeout=1h", "a?timeout=999999999s", "a?beep=maybe"} {
		if s, err := parseSource(src); err == nil {
			t.Errorf("%s: %+v, want an error", src, s)
		}
	}
}

func FuzzParseSource(f *testing.F) {
	for _, src := range []string{"a.wav?text=Hello, world&maxdigits=4", "null://?text=%", "?&=&text&text=", "a?timeout=1.5s&beep"} {
		f.Add(src)
	}
	f.Fuzz(func(t *testing.T, src string) {
		s, err := parseSource(src)
		if err != nil {
			return
		}
		if s.maxDigits < 0 || s.maxDigits > maxDigits || strings.Trim(s.termDigits, Digits) != "" ||
			s.timeout < 0 || s.timeout > longestTime || s.interDigit < 0 || s.maxTime < 0 {
			t.Errorf("%q: %+v is out of bounds", src, s)
		}
		if _, raw, ok := strings.Cut(src, "?text="); ok && !strings.ContainsAny(raw, "&?%+") && s.text != raw {
			t.Errorf("%q: the text is %q", src, s.text)
		}
	})
}

func FuzzStripTags(f *testing.F) {
	for _, text := range []string{"<speak>Hi</speak>", "a<b", "<!-- <x> -->y", "<![CDATA[<b>]]>", "&lt;&amp;lt;"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if stripped := stripTags(text); utf8.ValidString(text) && !utf8.ValidString(stripped) {
			t.Errorf("%q: %q is not UTF-8", text, stripped)
		}
	})
}

// FuzzArgument: whatever the text is, what FreeSWITCH's speak is given has no
// line ends, and begins with engine and voice.
func FuzzArgument(f *testing.F) {
	for _, text := range []string{"Hello", "${system ls}", "{a=b}", "a\r\nb\x00", `\${x}`, "it's | fine"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		argument, problem := voice{"flite", "kal"}.argument(text)
		if problem != "" {
			return
		}
		if !strings.HasPrefix(argument, "flite|kal|") || strings.ContainsAny(argument, "\r\n\x00") || strings.HasPrefix(argument, "flite|kal|{") {
			t.Errorf("%q became %q", text, argument)
		}
	})
}
