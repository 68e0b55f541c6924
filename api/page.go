package api

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"slices"

	"ccxmld/operator"
)

// List is a part of a list.
type List[T any] struct {
	Items       []T      `json:"items"`
	Next        string   `json:"next,omitempty" doc:"Give it as the parameter after to have what comes next; absent at the end."`
	Unreachable []string `json:"unreachable,omitempty" doc:"Controllers that did not answer, of which the list has nothing."`
}

// Paging is what lists take.
type Paging struct {
	Limit int    `query:"limit" default:"100" minimum:"1" maximum:"1000" doc:"At most so many."`
	After string `query:"after" doc:"What the list before gave as next."`
}

// cursor reads the place behind which a list goes on.
func (p Paging) cursor() (c operator.Cursor, err error) {
	if p.After == "" {
		return c, nil
	}
	text, err := base64.RawURLEncoding.DecodeString(p.After)
	if err == nil {
		err = json.Unmarshal(text, &c)
	}
	if err != nil {
		return c, operator.Errorf(operator.Invalid, "the parameter after is none that a list gave as next")
	}
	return c, nil
}

func encode(c operator.Cursor) string {
	text, _ := json.Marshal(c) // a time and a text
	return base64.RawURLEncoding.EncodeToString(text)
}

// placed is something in a list, and where it stands.
type placed[T any] struct {
	item T
	at   operator.Cursor
}

// list asks all controllers for a part of a list, and puts together what they say: up to
// limit, in the order of places, and no further than where one of them had more.
func list[T any](ctx context.Context, a *API, name string, p Paging, ask operator.Sessions, place func(T) operator.Cursor) (List[T], error) {
	var err error
	l := List[T]{Items: []T{}}
	ask.Limit = p.Limit
	if ask.After, err = p.cursor(); err != nil {
		return l, err
	}
	answers, err := askAll[operator.Page[T]](ctx, a, name, ask)
	if err != nil {
		return l, err
	}
	var all []placed[T]
	var until *operator.Cursor // beyond it a controller has more that it has not told
	for _, one := range answers {
		if one.err != nil {
			l.Unreachable = append(l.Unreachable, one.controller)
			continue
		}
		for _, item := range one.result.Items {
			all = append(all, placed[T]{item, place(item)})
		}
		if last := one.result.Last; one.result.More && (until == nil || last.Before(*until)) {
			until = &last
		}
	}
	slices.SortStableFunc(all, func(x, y placed[T]) int {
		switch {
		case x.at.Before(y.at):
			return -1
		case y.at.Before(x.at):
			return 1
		}
		return 0
	})
	l.take(all, p.Limit, until)
	return l, nil
}

// take fills a list. Items of one place, as the calls of a session, stay together.
func (l *List[T]) take(all []placed[T], limit int, until *operator.Cursor) {
	var last operator.Cursor
	for i, one := range all {
		beyond := until != nil && until.Before(one.at)
		if beyond || len(l.Items) >= limit && one.at != last {
			if i > 0 {
				l.Next = encode(last)
			} else {
				l.Next = encode(*until)
			}
			return
		}
		last = one.at
		l.Items = append(l.Items, one.item)
	}
	if until != nil {
		l.Next = encode(*until)
	}
}
