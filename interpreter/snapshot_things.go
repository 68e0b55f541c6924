package interpreter

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strings"
)

// connectionData is a connection.
type connectionData struct {
	ID         string          `json:"id"`
	State      ConnectionState `json:"state,omitempty"`
	Local      string          `json:"local,omitempty"`
	Remote     string          `json:"remote,omitempty"`
	Originator string          `json:"originator,omitempty"`
	Protocol   string          `json:"protocol,omitempty"`
	Version    string          `json:"version,omitempty"`
	Headers    []string        `json:"headers,omitempty"` // names and values
	Redirects  []Redirect      `json:"redirects,omitempty"`
	AAI        string          `json:"aai,omitempty"`
	MovingTo   string          `json:"movingto,omitempty"`
	Gone       bool            `json:"gone,omitempty"` // the session has it no more; an event or a variable shows it
}

func connectionOf(c *Connection, gone bool) connectionData {
	return connectionData{c.ID, c.State, c.Local, c.Remote, c.Originator, c.Protocol.Name, c.Protocol.Version, flat(c.Protocol.Headers),
		c.Redirects, c.AAI, c.movingTo, gone}
}

func (d *connectionData) connection() *Connection {
	return &Connection{ID: d.ID, State: d.State, Local: d.Local, Remote: d.Remote, Originator: d.Originator,
		Protocol: Protocol{d.Protocol, d.Version, pairsOf(d.Headers)}, Redirects: d.Redirects, AAI: d.AAI, movingTo: d.MovingTo}
}

// flat writes pairs as names and values in turn; pairsOf reads them.
func flat(pairs []Pair) (texts []string) {
	for _, p := range pairs {
		texts = append(texts, p.Name, p.Value)
	}
	return texts
}

func pairsOf(texts []string) (pairs []Pair) {
	for ; len(texts) > 1; texts = texts[2:] {
		pairs = append(pairs, Pair{texts[0], texts[1]})
	}
	return pairs
}

// dialogData is a dialog.
type dialogData struct {
	ID             string      `json:"id"`
	State          DialogState `json:"state"`
	ConnectionID   string      `json:"connection,omitempty"`
	ConferenceID   string      `json:"conference,omitempty"`
	Source         string      `json:"src,omitempty"`
	Type           string      `json:"type,omitempty"`
	MediaDirection string      `json:"direction,omitempty"`
	Namelist       string      `json:"namelist,omitempty"`
	Parameters     string      `json:"parameters,omitempty"`
	Likely         string      `json:"likely,omitempty"`
	Beside         bool        `json:"beside,omitempty"`
	Gone           bool        `json:"gone,omitempty"`
}

func dialogOf(d *Dialog, gone bool) dialogData {
	return dialogData{d.ID, d.State, d.ConnectionID, d.ConferenceID, d.Source, d.Type, d.MediaDirection, names(d.namelist), names(d.parameters),
		d.likely, d.beside, gone}
}

func (d *dialogData) dialog() *Dialog {
	return &Dialog{ID: d.ID, State: d.State, ConnectionID: d.ConnectionID, ConferenceID: d.ConferenceID, Source: d.Source, Type: d.Type,
		MediaDirection: d.MediaDirection, namelist: namesOnly(d.Namelist), parameters: namesOnly(d.Parameters), likely: d.Likely, beside: d.Beside}
}

// namesOnly reads a list of variables as names wrote it: their values have been evaluated
// long since.
func namesOnly(text string) (list []namedValue) {
	for name := range strings.FieldsSeq(text) {
		list = append(list, namedValue{name: name})
	}
	return list
}

// conferenceData is a conference.
type conferenceData struct {
	ID       string `json:"id"`
	Name     string `json:"name,omitempty"`
	Attached bool   `json:"attached,omitempty"`
	Gone     bool   `json:"gone,omitempty"`
}

// edgeData is an Edge.
type edgeData struct {
	From     string `json:"from"`
	To       string `json:"to"`
	Explicit bool   `json:"explicit,omitempty"`
}

// fieldData is the value of an event's field, or another one of that kind (Field), as
// JSON. What JSON has nothing for stands in an object with an empty name: {"": "NaN"} is a
// number, {"": [["a.b","c"]]} are pairs, and {"": {…}} is an object that has an empty name
// itself.
type fieldData struct{ value any }

// IsZero tells whether there is no value.
func (d fieldData) IsZero() bool { return d.value == nil }

// MarshalJSON writes the value.
func (d fieldData) MarshalJSON() ([]byte, error) { return json.Marshal(d.value) }

// deepestField bounds how deep a field's value may be.
const deepestField = 200

// field makes data of a value; what cannot be is undefined, and noted.
func (w *snapshotWriter) field(path string, v any) fieldData {
	data, err := fieldJSON(v, 0)
	w.bytes += textsIn(data)
	if err != nil {
		w.lose(path, err.Error())
	}
	return fieldData{data}
}

// textsIn is how much of a field are texts, in bytes, about.
func textsIn(data any) (bytes int) {
	switch data := data.(type) {
	case string:
		return len(data)
	case []any:
		for _, v := range data {
			bytes += 1 + textsIn(v)
		}
	case map[string]any:
		for name, v := range data {
			bytes += len(name) + textsIn(v)
		}
	case [][2]string:
		for _, pair := range data {
			bytes += len(pair[0]) + len(pair[1])
		}
	}
	return bytes
}

// fieldJSON gives what encoding/json writes a value as.
func fieldJSON(v any, depth int) (any, error) {
	if depth > deepestField {
		return nil, fmt.Errorf("it is nested more than %d deep", deepestField)
	}
	switch v := v.(type) {
	case nil, string, bool, int, int64, int32, uint, uint32, uint64, json.Number:
		return v, nil
	case float32:
		return fieldJSON(float64(v), depth)
	case float64:
		switch {
		case math.IsNaN(v), math.IsInf(v, 0), v == 0 && math.Signbit(v):
			return map[string]any{"": fmt.Sprint(v)}, nil
		case v == math.Trunc(v): // else it is read as an int64
			return json.Number(fmt.Sprintf("%e", v)), nil
		}
		return v, nil
	case []Pair:
		pairs := make([][2]string, len(v))
		for i, p := range v {
			pairs[i] = [2]string{p.Name, p.Value}
		}
		return map[string]any{"": pairs}, nil
	case []any:
		list := make([]any, len(v))
		for i := range v {
			var err error
			if list[i], err = fieldJSON(v[i], depth+1); err != nil {
				return nil, err
			}
		}
		return list, nil
	case map[string]any:
		object := make(map[string]any, len(v))
		for name, value := range v {
			var err error
			if object[name], err = fieldJSON(value, depth+1); err != nil {
				return nil, err
			}
		}
		if _, ambiguous := v[""]; ambiguous {
			return map[string]any{"": object}, nil
		}
		return object, nil
	}
	return otherJSON(reflect.ValueOf(v), depth)
}

// otherJSON is fieldJSON for values of other types than Field names.
func otherJSON(v reflect.Value, depth int) (any, error) {
	switch v.Kind() {
	case reflect.Int8, reflect.Int16, reflect.Uint8, reflect.Uint16:
		return v.Interface(), nil
	case reflect.String:
		return v.String(), nil
	case reflect.Slice:
		list := make([]any, v.Len())
		for i := range list {
			list[i] = v.Index(i).Interface()
		}
		return fieldJSON(list, depth)
	case reflect.Map:
		if v.Type().Key().Kind() != reflect.String {
			break
		}
		object := make(map[string]any, v.Len())
		for i := v.MapRange(); i.Next(); {
			object[i.Key().String()] = i.Value().Interface()
		}
		return fieldJSON(object, depth)
	}
	return nil, fmt.Errorf("it is a %v", v.Type())
}

// UnmarshalJSON reads the value.
func (d *fieldData) UnmarshalJSON(text []byte) (err error) {
	var v any
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	decoder.UseNumber()
	if err := decoder.Decode(&v); err != nil {
		return err
	}
	d.value, err = fieldValue(v)
	return err
}

func fieldValue(v any) (any, error) {
	switch v := v.(type) {
	case json.Number:
		if !strings.ContainsAny(string(v), ".eE") {
			if n, err := v.Int64(); err == nil {
				return n, nil
			}
		}
		return v.Float64()
	case []any:
		for i := range v {
			var err error
			if v[i], err = fieldValue(v[i]); err != nil {
				return nil, err
			}
		}
	case map[string]any:
		if special, ok := v[""]; ok {
			return specialField(special)
		}
		return fieldObject(v)
	}
	return v, nil
}

func fieldObject(v map[string]any) (any, error) {
	for name := range v {
		var err error
		if v[name], err = fieldValue(v[name]); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// specialField reads what stands under an empty name.
func specialField(v any) (any, error) {
	switch v := v.(type) {
	case string:
		for _, x := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), math.Copysign(0, -1)} {
			if fmt.Sprint(x) == v {
				return x, nil
			}
		}
	case map[string]any:
		return fieldObject(v)
	case []any:
		pairs := make([]Pair, len(v))
		for i := range v {
			pair, _ := v[i].([]any)
			if len(pair) != 2 {
				return nil, fmt.Errorf("a field has a pair of %d", len(pair))
			}
			pairs[i].Name, _ = pair[0].(string)
			pairs[i].Value, _ = pair[1].(string)
		}
		return pairs, nil
	}
	return nil, fmt.Errorf("a field has a value of an unknown kind")
}
