package interpreter_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ccxmld/interpreter"
)

var update = flag.Bool("update", false, "write what was found into testdata as what is wanted")

// TestProblems: each document under testdata/bad is refused, with all that is
// wrong with it, where, and what would be right.
func TestProblems(t *testing.T) {
	documents(t, "testdata/bad/*.ccxml", func(t *testing.T, path, uri, text string) {
		source, err := parseSource(uri, text)
		if err != nil {
			t.Fatal(err)
		}
		_, err = interpreter.NewCompiler().CompileSource(source)
		var problems interpreter.Problems
		if !errors.As(err, &problems) {
			t.Fatalf("the document compiles, or fails with %v instead of Problems", err)
		}
		golden(t, strings.TrimSuffix(path, ".ccxml")+".txt", problems.Error())
	})
}

// TestNotices: each document under testdata/lenient compiles, and its author is
// told how it was read.
func TestNotices(t *testing.T) {
	documents(t, "testdata/lenient/*.ccxml", func(t *testing.T, path, uri, text string) {
		source, err := parseSource(uri, text)
		if err != nil {
			t.Fatal(err)
		}
		d, err := interpreter.NewCompiler().CompileSource(source)
		if err != nil {
			t.Fatal(err)
		}
		golden(t, strings.TrimSuffix(path, ".ccxml")+".txt", d.Notices.Error())
	})
}

// TestMistakes: the expressions of each document under testdata/mistaken that do
// not parse are told, and keep it from nothing (GEN-3).
func TestMistakes(t *testing.T) {
	documents(t, "testdata/mistaken/*.ccxml", func(t *testing.T, path, uri, text string) {
		source, err := parseSource(uri, text)
		if err != nil {
			t.Fatal(err)
		}
		d, err := interpreter.NewCompiler().CompileSource(source)
		if err != nil {
			t.Fatal(err)
		}
		golden(t, strings.TrimSuffix(path, ".ccxml")+".txt", d.Mistakes.Error())
	})
}

// TestDeepNesting: elements in elements are bounded.
func TestDeepNesting(t *testing.T) {
	nested := func(n int) string {
		return `<ccxml version="1.0"><eventprocessor><transition event="*">` +
			strings.Repeat(`<if cond="1">`, n) + strings.Repeat(`</if>`, n) + `</transition></eventprocessor></ccxml>`
	}
	root, err := parse(nested(400))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := interpreter.NewCompiler().Compile(root, "x", nil); err != nil {
		t.Errorf("400 deep: %v", err)
	}
	root, err = parse(nested(20_000))
	if err != nil {
		t.Fatal(err)
	}
	if _, err = interpreter.NewCompiler().Compile(root, "x", nil); err == nil || err.Error() != "x:1: <if> is nested more than 500 deep" {
		t.Errorf("20000 deep: %v", err)
	}
}

func documents(t *testing.T, pattern string, test func(t *testing.T, path, uri, text string)) {
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) == 0 {
		t.Fatalf("no documents %s: %v", pattern, err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			test(t, path, filepath.Base(path), string(text))
		})
	}
}

func nothing(r interpreter.ScriptRequest) (string, string, error) {
	return "", "", fmt.Errorf("%s: not found", r.Src)
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	got += "\n"
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("found\n%s\nwant\n%s", got, want)
	}
}

// TestMistakesAreShort: what is said of a document is not many times as long as the
// document, so that a list of many mistakes takes no time that grows with its square.
func TestMistakesAreShort(t *testing.T) {
	word := strings.Repeat("a", 150) + "+ "
	list := strings.Repeat(word, 900)
	for _, element := range []string{"exit namelist", "send target='1' name='1' namelist", "log expr", "if cond", "assign name='a' expr", "foreach array='a' item"} {
		source, err := parseSource("file:///d.ccxml", `<ccxml version="1.0"><eventprocessor><transition event="*"><`+element+`="`+list+`"/></transition></eventprocessor></ccxml>`)
		if err != nil {
			t.Fatal(err)
		}
		d, err := interpreter.NewCompiler().CompileSource(source)
		var problems interpreter.Problems
		if !errors.As(err, &problems) {
			problems = d.Mistakes
		}
		said := len(problems.Error())
		if said == 0 || said > 4*len(list) {
			t.Errorf("<%s>: of a list of %d bytes %d bytes are said", element, len(list), said)
		}
	}
}
