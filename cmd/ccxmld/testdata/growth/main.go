// Growth compiles and checks documents, and tells for each how many blocks of the program
// that took: it is built with -cover -covermode=atomic. TestGrowth calls it.
package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"log"
	"os"
	"runtime/coverage"

	"github.com/antchfx/xmlquery"

	"ccxmld/dialog/srgs"
	"ccxmld/dialog/vxml"
	"ccxmld/fetch"
	"ccxmld/interpreter"
	"ccxmld/interpreter/lint"
)

func main() {
	for _, name := range os.Args[1:] {
		text, err := os.ReadFile(name)
		if err != nil {
			log.Fatal(err)
		}
		before := steps()
		check(text, "file://"+name)
		fmt.Println(steps() - before)
	}
}

// check compiles a document of any kind, and checks it where that is more. What is wrong
// with it is nothing to us.
func check(text []byte, uri string) {
	ctx := context.Background()
	if srgs.IsABNF(string(text)) {
		_, _ = srgs.Compile(srgs.Source{URI: uri, Text: string(text)}, nil)
		return
	}
	root, places, err := fetch.ParsePlacedXML(text, uri, fetch.XMLLimits{})
	if err != nil {
		return
	}
	switch element := xmlquery.FindOne(root, "*").Data; element {
	case "vxml":
		_, _ = vxml.NewCompiler().CompilePlaced(root, uri, places)
	case "grammar":
		_, _ = srgs.Compile(srgs.Source{URI: uri, Root: root, Places: places}, nil)
	default:
		source := interpreter.Source{Root: root, URI: uri, Places: places, Load: func(interpreter.ScriptRequest) (string, string, error) {
			return "", "", os.ErrNotExist
		}}
		lint.Document(ctx, interpreter.NewCompiler(), source)
		lint.Dialogs(ctx, interpreter.NewCompiler(), source)
	}
}

// steps counts the blocks that have run so far (internal/coverage: CounterFileHeader,
// CounterSegmentHeader, and then for each function the number of its blocks, its package,
// its number and what was counted).
func steps() (sum int64) {
	var b bytes.Buffer
	if err := coverage.WriteCounters(&b); err != nil {
		log.Fatal(err)
	}
	const header, segment = 32, 16
	data := b.Bytes()
	functions := binary.LittleEndian.Uint64(data[header:])
	texts := int(binary.LittleEndian.Uint32(data[header+8:])) + int(binary.LittleEndian.Uint32(data[header+12:]))
	data = data[(header+segment+texts+3)/4*4:]
	next := func() uint64 {
		v, n := binary.Uvarint(data)
		data = data[n:]
		return v
	}
	for range functions {
		blocks := next()
		_, _ = next(), next()
		for range blocks {
			sum += int64(next())
		}
	}
	return sum
}
