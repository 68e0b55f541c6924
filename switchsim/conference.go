package switchsim

import (
	"maps"
	"slices"
	"strconv"
	"time"
)

// conference is a room of mod_conference. It exists from its first member's
// arrival until a tick after its last one left; then there may be another of
// the same name already, with another uuid.
type conference struct {
	sw        *Switch
	name      string
	profile   string
	uuid      string
	began     time.Time
	members   []*member // newest first
	floor     *member
	locked    bool
	waits     bool // for a moderator: nobody is heard before
	destroyed bool
	playing   []*conferenceSound
	recording map[string]time.Time
}

// member is a leg in a conference. A leg may be in one twice.
type member struct {
	room      *conference
	c         *channel
	id        int
	frame     *frame
	hears     bool
	speaks    bool
	moderator bool
	endsRoom  bool
	mandatory bool
	blind     bool
	unseen    bool
	talking   bool
	joined    time.Time
	place     int // of the party's sound
}

// conferenceSound is a file that plays to a conference or to a member of it.
type conferenceSound struct {
	room   *conference
	member *member // nil: to all
	path   string
	began  time.Time
	end    *appointment
	heard  map[*Party]int
}

// Member is a leg in a conference, as [Switch.Conference] tells.
type Member struct {
	ID           int
	UUID         string
	Name, Number string
	Hears        bool
	Speaks       bool
	Floor        bool
}

// Conference returns who is in a conference, in the order of their arrival;
// none if there is no such conference.
func (sw *Switch) Conference(name string) []Member {
	sw.mu.Lock()
	defer sw.mu.Unlock()
	room := sw.rooms[name]
	if room == nil {
		return nil
	}
	var members []Member
	for _, m := range slices.Backward(room.members) {
		members = append(members, Member{ID: m.id, UUID: m.c.uuid, Name: m.c.profile.callerName, Number: m.c.profile.callerNumber,
			Hears: m.hears, Speaks: m.speaks, Floor: room.floor == m})
	}
	return members
}

// Recordings returns the files that conferences are recorded to now, in order.
func (sw *Switch) Recordings() (files []string) {
	sw.mu.Lock()
	defer sw.mu.Unlock()
	for _, room := range sw.rooms {
		files = slices.AppendSeq(files, maps.Keys(room.recording))
	}
	slices.Sort(files)
	return files
}

// Locked tells whether a conference lets nobody else in.
func (sw *Switch) Locked(name string) bool {
	sw.mu.Lock()
	defer sw.mu.Unlock()
	room := sw.rooms[name]
	return room != nil && room.locked
}

func (sw *Switch) newConference(name, profile string) *conference {
	room := &conference{sw: sw, name: name, profile: profile, uuid: sw.newUUID(), began: sw.now(), recording: make(map[string]time.Time)}
	sw.rooms[name] = room
	room.fire(site{"mod_conference.c", "conference_new", 3848}, header{"Action", "conference-create"})
	return room
}

const maintenance = "conference::maintenance"

func (room *conference) headers() []header {
	return []header{
		{"Conference-Name", room.name}, {"Conference-Domain", "127.0.0.1"},
		{"Conference-Size", strconv.Itoa(len(room.members))}, {"Conference-Ghosts", "0"},
		{"Conference-Profile-Name", room.profile}, {"Conference-Unique-ID", room.uuid},
	}
}

// fire tells of something in the conference as a whole.
func (room *conference) fire(at site, after ...header) {
	room.sw.fire(&event{name: "CUSTOM", subclass: maintenance, site: at, after: append(room.headers(), after...)})
}

// fire tells of something about a member. before stands ahead of the member's
// headers.
func (m *member) fire(at site, before []header, after ...header) {
	floor := strconv.FormatBool(m.room.floor != nil && m.room.floor.id == m.id)
	head := append(before, m.room.headers()...)
	head = append(head, header{"Floor", floor})
	tail := []header{
		{"Video", "false"}, {"Hear", strconv.FormatBool(m.hears)}, {"See", strconv.FormatBool(!m.unseen)},
		{"Speak", strconv.FormatBool(m.speaks)}, {"Talking", strconv.FormatBool(m.talking)}, {"Mute-Detect", "false"}, {"Hold", "false"},
		{"Member-ID", strconv.Itoa(m.id)}, {"Member-Type", memberType(m)}, {"Member-Ghost", "false"},
		{"Energy-Level", "100"}, {"Current-Energy", "0"},
	}
	m.room.sw.fire(&event{name: "CUSTOM", subclass: maintenance, site: at, before: head, channel: m.c, brief: true, after: append(tail, after...)})
}

func memberType(m *member) string {
	if m.moderator {
		return "moderator"
	}
	return "member"
}

// add takes a member in (conference_member_add).
func (room *conference) add(m *member) {
	c := m.c
	m.joined = room.sw.now()
	if m.moderator {
		room.waits = false
	}
	room.members = append([]*member{m}, room.members...)
	c.members = append(c.members, m)
	m.place = c.party.hear(Sound{Kind: "conference", What: room.name, From: m.joined})
	c.vars.set("conference_name", room.name)
	c.vars.set("app_session_uuid", room.uuid)
	c.switchCodec(codecMixed)
	c.vars.set("conference_member_id", strconv.Itoa(m.id))
	c.vars.set("conference_moderator", strconv.FormatBool(m.moderator))
	c.vars.set("conference_ghost", "false")
	c.vars.set("conference_uuid", room.uuid)
	m.fire(site{"conference_member.c", "conference_member_add", 962}, nil, header{"Action", "add-member"})
	c.vars.set("conference_call_key", "conference_"+room.name+"_127.0.0.1_"+c.profile.callerNumber)
	if room.floor == nil {
		room.giveFloor(m)
	}
	c.pumpSoon()
}

var siteFloor = site{"conference_member.c", "conference_member_set_floor_holder", 1158}

func (room *conference) giveFloor(m *member) {
	old := "none"
	if room.floor != nil {
		old = strconv.Itoa(room.floor.id)
	}
	room.floor = m
	before := append(room.headers(), header{"Action", "floor-change"}, header{"Old-ID", old})
	m.fire(siteFloor, before, header{"New-ID", strconv.Itoa(m.id)})
}

// talk notes that a member begins or ends to talk. Who begins while the one who
// has the floor is silent gets it.
func (m *member) talk(on bool) {
	if m.talking == on {
		return
	}
	m.talking = on
	defer m.room.relayTalk()
	switch room := m.room; {
	case !m.speaks: // nobody is told of who is muted
	case !on:
		m.fire(site{"conference_loop.c", "stop_talking_handler", 783}, nil, header{"Action", "stop-talking"})
	default:
		m.fire(site{"conference_loop.c", "conference_loop_input", 1154}, nil, header{"Action", "start-talking"})
		if room.floor != m && (room.floor == nil || !room.floor.talking) {
			room.giveFloor(m)
		}
	}
}

// remove takes a member out (conference_member_del).
func (room *conference) remove(m *member) {
	i := slices.Index(room.members, m)
	c := m.c
	c.readCodec = codecMixed
	if i >= 0 {
		if room.floor != nil && room.floor.id == m.id {
			room.floor = nil
			room.fire(siteFloor, header{"Action", "floor-change"}, header{"Old-ID", "none"}, header{"New-ID", "none"})
			room.sw.atTick(1, room.passFloor)
		}
		room.members = slices.Delete(room.members, i, i+1)
		c.members = without(c.members, m)
		c.party.stopHearing(m.place, true)
		m.fire(site{"conference_member.c", "conference_member_del", 1355}, nil, header{"Action", "del-member"})
	}
	c.vars.remove("conference_call_key")
	c.switchCodec(codecWire)
	if i < 0 {
		return
	}
	if m.endsRoom || m.mandatory {
		for _, other := range room.members {
			other.out()
		}
	}
	if len(room.members) == 0 {
		room.close()
	}
}

func (room *conference) passFloor() {
	if room.floor == nil && len(room.members) > 0 {
		room.giveFloor(room.members[len(room.members)-1])
	}
}

// close ends a conference that nobody is in. Its name is free at once.
func (room *conference) close() {
	if room.sw.rooms[room.name] == room {
		delete(room.sw.rooms, room.name)
	}
	for _, s := range append([]*conferenceSound(nil), room.playing...) {
		s.stop()
	}
	for _, path := range slices.Sorted(maps.Keys(room.recording)) {
		room.stopRecording(path)
	}
	room.sw.atTick(1, func() {
		if !room.destroyed {
			room.destroyed = true
			room.fire(site{"mod_conference.c", "conference_thread_run", 863}, header{"Action", "conference-destroy"})
		}
	})
}

// play plays to all, or to one member.
func (room *conference) play(path string, kind string, lasts time.Duration, to *member) *conferenceSound {
	s := &conferenceSound{room: room, member: to, path: path, began: room.sw.now(), heard: make(map[*Party]int)}
	for _, m := range room.members {
		if (to == nil || to == m) && m.hears {
			if _, twice := s.heard[m.c.party]; !twice {
				s.heard[m.c.party] = m.c.party.hear(Sound{Kind: kind, What: path, From: s.began})
			}
		}
	}
	if to == nil {
		room.relaySound(Sound{Kind: kind, What: path}, lasts, nil)
	}
	if lasts >= 0 {
		s.end = room.sw.agenda.after(lasts, s.stop)
	}
	room.playing = append(room.playing, s)
	return s
}

// stop ends a sound; files tell of it.
func (s *conferenceSound) stop() {
	room := s.room
	room.sw.agenda.cancel(s.end)
	room.playing = without(room.playing, s)
	complete := s.end != nil && s.end.when.Compare(room.sw.now()) <= 0
	for party, place := range s.heard {
		party.stopHearing(place, complete)
	}
	if s.path == "" || soundKind(s.path) == "speech" || room.destroyed {
		return
	}
	played := (room.sw.now().Sub(s.began)/time.Second + 1) * time.Second
	at := site{"conference_file.c", "conference_file_close", 52}
	length := []header{
		{"seconds", strconv.Itoa(int(played / time.Second))}, {"milliseconds", strconv.FormatInt(played.Milliseconds(), 10)},
		{"samples", strconv.FormatInt(samples(played), 10)},
	}
	if m := s.member; m != nil {
		before := append(room.headers(), length...)
		m.fire(at, append(before, header{"Action", "play-file-member-done"}), header{"File", s.path})
		return
	}
	room.fire(at, append(length, header{"Action", "play-file-done"}, header{"File", s.path})...)
}

func (room *conference) startRecording(path string) {
	room.sw.memberIDs++ // a recording is a member of its own
	room.recording[path] = room.sw.now()
	room.fire(site{"conference_record.c", "conference_record_thread_run", 319}, header{"Action", "start-recording"}, header{"Path", path})
}

func (room *conference) stopRecording(path string) {
	took := room.sw.now().Sub(room.recording[path])
	delete(room.recording, path)
	room.sw.sounds[path] = took
	room.fire(site{"conference_record.c", "conference_record_thread_run", 427}, header{"Action", "stop-recording"}, header{"Path", path},
		header{"Other-Recordings", strconv.FormatBool(len(room.recording) > 0)}, header{"Samples-Out", strconv.FormatInt(samples(took), 10)},
		header{"Samplerate", "8000"}, header{"Milliseconds-Elapsed", strconv.FormatInt(took.Milliseconds(), 10)},
		header{"Record-File-Size", strconv.FormatInt(samples(took)*2+144, 10)})
}
