package switchsim

import (
	"strconv"
	"strings"
)

// setting is a variable that a step of a call sets, in the recordings' order.
// A value with a $ is filled in for each leg; the others are shared by all.
type setting struct {
	variable
	varies bool
}

// template is what one step of a call sets.
type template []setting

func newTemplate(lines string) template {
	var t template
	for line := range strings.SplitSeq(strings.TrimSpace(lines), "\n") {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		value = strings.ReplaceAll(value, `\r\n`, "\r\n")
		t = append(t, setting{newVariable(name, value), strings.Contains(value, "$")})
	}
	return t
}

// placeholders fill in a template.
type placeholders struct {
	session              int
	from, name, to, host string
	toTag, fromTag       string
	callID               string
	localPort, farPort   int
	sequence             int
}

func (sw *Switch) newPlaceholders(from, name, to, host string) placeholders {
	sw.sessions++
	n := sw.random.Uint64()
	return placeholders{
		session: sw.sessions, from: from, name: name, to: to, host: host,
		toTag: tag(n), fromTag: tag(sw.random.Uint64()), callID: sw.newUUID(),
		localPort: 16384 + int(n>>8%8192)*2, farPort: 16384 + int(n>>24%8192)*2, sequence: 123060000 + sw.sessions,
	}
}

func tag(n uint64) string { return strings.ToUpper(strconv.FormatUint(n|1<<62, 36)) }

// apply sets what a template says.
func (c *channel) apply(t template) {
	for i := range t {
		s := &t[i]
		switch {
		case !s.varies:
			c.vars.put(s.variable)
		default:
			c.vars.set(s.name, c.fill(s.value))
		}
	}
}

func (c *channel) fill(value string) string {
	var out strings.Builder
	p := &c.placeholder
	for {
		before, rest, found := strings.Cut(value, "$")
		out.WriteString(before)
		if !found {
			return out.String()
		}
		switch rest[0] {
		case 'u':
			out.WriteString(c.uuid)
		case 'c':
			out.WriteString(c.name)
		case 'f':
			out.WriteString(p.from)
		case 'n':
			out.WriteString(p.name)
		case 'q':
			if p.name != "" {
				out.WriteString(`"` + p.name + `" `)
			}
		case 't':
			out.WriteString(p.to)
		case 'h':
			out.WriteString(p.host)
		case 's':
			out.WriteString(strconv.Itoa(p.session))
		case 'T':
			out.WriteString(p.toTag)
		case 'F':
			out.WriteString(p.fromTag)
		case 'i':
			out.WriteString(p.callID)
		case 'l':
			out.WriteString(strconv.Itoa(p.localPort))
		case 'r':
			out.WriteString(strconv.Itoa(p.farPort))
		case 'C':
			out.WriteString(strconv.Itoa(p.sequence))
		case 'm':
			out.WriteString(strconv.FormatInt(micros(c.profile.channelCreated), 10))
		}
		value = rest[1:]
	}
}

// The steps of an incoming leg.
var (
	inboundCreate = newTemplate(`
direction=inbound
uuid=$u
call_uuid=$u
session_id=$s
sip_from_user=$f
sip_from_uri=$f@127.0.0.1
sip_from_host=127.0.0.1
video_media_flow=disabled
audio_media_flow=disabled
text_media_flow=disabled
channel_name=$c
sip_call_id=$i
sip_local_network_addr=127.0.0.1
sip_network_ip=127.0.0.1
sip_network_port=5060
sip_invite_stamp=$m
sip_received_ip=127.0.0.1
sip_received_port=5060
sip_via_protocol=udp
sip_from_user_stripped=$f
sip_from_tag=$F
sofia_profile_name=internal
sofia_profile_url=sip:mod_sofia@127.0.0.1:5060
recovery_profile_name=internal
sip_Remote-Party-ID=$q<sip:$f@127.0.0.1>;party=calling;screen=yes;privacy=off
sip_cid_type=rpid
sip_full_via=SIP/2.0/UDP 127.0.0.1;rport=5060;branch=z9hG4bK$F
sip_from_display=$n
sip_full_from=$q<sip:$f@127.0.0.1>;tag=$F
sip_full_to=<sip:$t@127.0.0.1:5060>
sip_allow=INVITE, ACK, BYE, CANCEL, OPTIONS, MESSAGE, INFO, UPDATE, REGISTER, REFER, NOTIFY
sip_req_user=$t
sip_req_port=5060
sip_req_uri=$t@127.0.0.1:5060
sip_req_host=127.0.0.1
sip_to_user=$t
sip_to_port=5060
sip_to_uri=$t@127.0.0.1:5060
sip_to_host=127.0.0.1
sip_contact_user=mod_sofia
sip_contact_port=5060
sip_contact_uri=mod_sofia@127.0.0.1:5060
sip_contact_host=127.0.0.1
rtp_use_codec_string=PCMU,PCMA
sip_user_agent=FreeSWITCH-internal
sip_via_host=127.0.0.1
sip_via_rport=5060
max_forwards=70
switch_r_sdp=v=0\r\no=FreeSWITCH 1795209769 1795209770 IN IP4 127.0.0.1\r\ns=FreeSWITCH\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio $r RTP/AVP 0 8 101 13\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=rtpmap:13 CN/8000\r\na=ptime:20\r\n
ep_codec_string=CORE_PCM_MODULE.PCMU@8000h@20i@64000b,CORE_PCM_MODULE.PCMA@8000h@20i@64000b
endpoint_disposition=DELAYED NEGOTIATION`)
	inboundRouted = newTemplate(`
DP_MATCH=ARRAY::$t|:$t
call_uuid=$u`)
	inboundMedia = newTemplate(mediaLines + `
endpoint_disposition=EARLY MEDIA`)
	inboundAnswer = newTemplate(`
rtp_local_sdp_str=v=0\r\no=FreeSWITCH 1795206501 1795206502 IN IP4 127.0.0.1\r\ns=FreeSWITCH\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio $l RTP/AVP 0 101 13\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=rtpmap:13 CN/8000\r\na=ptime:20\r\na=sendrecv\r\n`)
	inboundAck = newTemplate(`
sip_to_tag=$T
sip_from_tag=$F
sip_cseq=$C
sip_call_id=$i
sip_full_via=SIP/2.0/UDP 127.0.0.1;rport=5060;branch=z9hG4bK$T
sip_from_display=$n
sip_full_from=$q<sip:$f@127.0.0.1>;tag=$F
sip_full_to=<sip:$t@127.0.0.1:5060>;tag=$T`)
)

// mediaLines are set when a leg's media are agreed on.
const mediaLines = `
rtp_use_codec_string=PCMU,PCMA
remote_video_media_flow=inactive
remote_text_media_flow=inactive
remote_audio_media_flow=sendrecv
audio_media_flow=sendrecv
rtp_audio_recv_pt=0
rtp_use_codec_name=PCMU
rtp_use_codec_rate=8000
rtp_use_codec_ptime=20
rtp_use_codec_channels=1
rtp_last_audio_codec_string=PCMU@8000h@20i@1c
read_codec=PCMU
original_read_codec=PCMU
read_rate=8000
original_read_rate=8000
write_codec=PCMU
write_rate=8000
dtmf_type=rfc2833
local_media_ip=127.0.0.1
local_media_port=$l
advertised_media_ip=127.0.0.1
rtp_use_timer_name=soft
rtp_use_pt=0
rtp_use_ssrc=$C
rtp_2833_send_payload=101
rtp_2833_recv_payload=101
remote_media_ip=127.0.0.1
remote_media_port=$r`

// The steps of an outgoing leg.
var (
	outboundCreate = newTemplate(`
direction=outbound
is_outbound=true
uuid=$u
call_uuid=$u
session_id=$s
sip_local_network_addr=127.0.0.1
sip_profile_name=internal
video_media_flow=disabled
text_media_flow=disabled
channel_name=$c
sip_destination_url=sip:$t@$h`)
	outboundInvite = newTemplate(`
rtp_use_codec_string=PCMU,PCMA
local_media_ip=127.0.0.1
local_media_port=$l
advertised_media_ip=127.0.0.1
audio_media_flow=sendrecv
rtp_local_sdp_str=v=0\r\no=FreeSWITCH 1795209769 1795209770 IN IP4 127.0.0.1\r\ns=FreeSWITCH\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio $l RTP/AVP 0 8 101 13\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=rtpmap:13 CN/8000\r\na=ptime:20\r\na=sendrecv\r\n
sip_outgoing_contact_uri=<sip:mod_sofia@127.0.0.1:5060>
sip_req_uri=$t@$h
sip_to_host=$h
sip_from_host=127.0.0.1
sofia_profile_name=internal
recovery_profile_name=internal
sofia_profile_url=sip:mod_sofia@127.0.0.1:5060`)
	outboundReply = newTemplate(`
sip_local_network_addr=127.0.0.1
sip_reply_host=127.0.0.1
sip_reply_port=5060
sip_network_ip=127.0.0.1
sip_network_port=5060`)
	outboundPeer = newTemplate(`
sip_user_agent=FreeSWITCH-internal
sip_allow=INVITE, ACK, BYE, CANCEL, OPTIONS, MESSAGE, INFO, UPDATE, REGISTER, REFER, NOTIFY
sip_recover_contact=<sip:$t@127.0.0.1:5060;transport=udp>
sip_full_via=SIP/2.0/UDP 127.0.0.1;rport=5060;branch=z9hG4bK$F
sip_recover_via=SIP/2.0/UDP 127.0.0.1;rport=5060;branch=z9hG4bK$F
sip_from_display=$n
sip_full_from=$q<sip:$f@127.0.0.1>;tag=$F
sip_full_to=<sip:$t@127.0.0.1:5060>;tag=$T
sip_from_user=$f
sip_from_uri=$f@127.0.0.1
sip_from_host=127.0.0.1
sip_to_user=$t
sip_to_port=5060
sip_to_uri=$t@127.0.0.1:5060
sip_to_host=127.0.0.1
sip_contact_params=transport=udp
sip_contact_user=$t
sip_contact_port=5060
sip_contact_uri=$t@127.0.0.1:5060
sip_contact_host=127.0.0.1
sip_to_tag=$T
sip_from_tag=$F
sip_cseq=$C
sip_call_id=$i`)
	outboundOffer = newTemplate(`
switch_r_sdp=v=0\r\no=FreeSWITCH 1795211738 1795211739 IN IP4 127.0.0.1\r\ns=FreeSWITCH\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio $r RTP/AVP 0 101 13\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=rtpmap:13 CN/8000\r\na=ptime:20\r\n
ep_codec_string=CORE_PCM_MODULE.PCMU@8000h@20i@64000b`)
	outboundMedia   = newTemplate(mediaLines)
	outboundUnheard = newTemplate(`
sip_call_id=$i
sip_local_network_addr=127.0.0.1
sip_reply_port=0
sip_network_port=0`)
)

// mediaStatistics close the call detail of a leg that had media.
var mediaStatistics = newStatistics(`
in_raw_bytes=0 in_media_bytes=0 in_packet_count=0 in_media_packet_count=0 in_skip_packet_count=0
in_jitter_packet_count=0 in_dtmf_packet_count=0 in_cng_packet_count=0 in_flush_packet_count=0
in_largest_jb_size=0 in_jitter_min_variance=0.00 in_jitter_max_variance=0.00 in_jitter_loss_rate=0.00
in_jitter_burst_rate=0.00 in_mean_interval=0.00 in_flaw_total=0 in_quality_percentage=100.00 in_mos=4.50
out_raw_bytes=0 out_media_bytes=0 out_packet_count=0 out_media_packet_count=0 out_skip_packet_count=0
out_dtmf_packet_count=0 out_cng_packet_count=0`)

func newStatistics(words string) []variable {
	var list []variable
	for word := range strings.FieldsSeq(words) {
		name, value, _ := strings.Cut(word, "=")
		list = append(list, newVariable("rtp_audio_"+name, value))
	}
	return append(list, newVariable("rtp_audio_rtcp_packet_count", "0"), newVariable("rtp_audio_rtcp_octet_count", "0"))
}
