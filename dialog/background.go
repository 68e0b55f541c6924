package dialog

import (
	"context"
	"errors"
	"fmt"
)

// background is a dialog whose audio is mixed under all that the party hears,
// again and again until it is terminated.
type background struct {
	service      *Service
	request      Request
	events       Events
	on           Channel
	conversation *Conversation
	file         string
	state        mediaState
}

// InBackground tells whether hints ask for a dialog in the background.
func InBackground(hints map[string]any) bool {
	switch wanted := hints["background"].(type) {
	case bool:
		return wanted
	case string:
		return wanted == "true"
	}
	return false
}

func (s *Service) startBackground(r Request, on Channel, do func(func()) bool, e Events) Dialog {
	b := &background{service: s, request: r, events: e, on: on}
	b.conversation = s.Converse(on, do, append(r.LogAttributes(), "src", shorten(r.Source))...)
	do(b.begin)
	return b
}

// begin finds the audio, which is fetched if it comes by HTTP.
func (b *background) begin() {
	if b.state == mediaEnded {
		return
	}
	file, remote, err := b.service.locate(b.request.Source, b.request.Base)
	switch {
	case err != nil:
		b.notStarted(err)
	case remote == "":
		b.mix(file)
	case b.service.spool == nil:
		b.notStarted(noSpool(remote))
	default:
		b.conversation.background(func(ctx context.Context) func() {
			file, err := b.service.fetchAudio(ctx, remote, nil)
			return func() {
				if err != nil {
					b.notStarted(err)
					return
				}
				b.mix(file)
			}
		}, b.notStarted)
	}
}

func (b *background) mix(file string) {
	if b.state == mediaEnded {
		return
	}
	b.file = file
	b.conversation.hold(file)
	b.on.Background(file, true, func(err error) {
		switch {
		case b.state == mediaEnded: // terminated while it began
			if err == nil {
				b.on.Background(file, false, func(error) {})
			}
		case err != nil:
			b.notStarted(fmt.Errorf("%s cannot be played in the background: %w", b.request.Source, err))
		default:
			b.state = mediaStarted
			b.events.Started()
		}
	})
}

func (b *background) notStarted(err error) {
	if b.state != mediaEnded {
		b.state = mediaEnded
		b.conversation.Close()
		b.events.NotStarted(err.Error())
	}
}

// Digit implements Dialog: music takes no digits.
func (b *background) Digit(string) bool { return false }

// Terminate implements Dialog.
func (b *background) Terminate(bool) {
	if b.state == mediaStarted {
		b.on.Background(b.file, false, func(error) {})
	}
	b.exit()
}

func (b *background) exit() {
	switch b.state {
	case mediaEnded:
		return
	case mediaStarting:
		b.events.Started()
	}
	b.state = mediaEnded
	b.conversation.Close()
	b.events.Exited(Result{})
}

// Send implements Dialog.
func (b *background) Send(Message) error {
	return errors.New("audio in the background takes no events; only VoiceXML dialogs do")
}

// Detached implements Dialog: it plays wherever the leg is.
func (b *background) Detached(string) bool { return false }

// HungUp implements Dialog.
func (b *background) HungUp() {
	if b.state == mediaStarting {
		b.notStarted(errors.New("the call has ended"))
		return
	}
	b.exit()
}
