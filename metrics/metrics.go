package metrics

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics are those of one controller. They may be used in any goroutine.
type Metrics struct {
	registry *prometheus.Registry

	sessionsStarted *prometheus.CounterVec
	sessionsEnded   *prometheus.CounterVec
	sessionSeconds  prometheus.Histogram
	tokenStarts     *prometheus.CounterVec

	callsBegan    *prometheus.CounterVec
	callsEnded    *prometheus.CounterVec
	setupSeconds  *prometheus.HistogramVec
	answerSeconds *prometheus.HistogramVec
	talkSeconds   prometheus.Histogram

	eventsTaken    prometheus.Counter
	eventsLeft     prometheus.Counter
	eventWait      prometheus.Histogram
	eventSeconds   prometheus.Histogram
	queueLength    prometheus.Histogram
	dialogs        *prometheus.CounterVec
	digits         prometheus.Counter
	fetches        *prometheus.CounterVec
	fetchSeconds   *prometheus.HistogramVec
	commandSeconds *prometheus.HistogramVec
	redisSeconds   prometheus.Histogram
	redisFailures  prometheus.Counter
	takenOver      *prometheus.CounterVec
}

// Direction is who called whom.
type Direction string

// The directions.
const (
	In  Direction = "in"
	Out Direction = "out"
)

// Buckets in seconds: of what the machine does, and of what people and networks do.
var (
	fast  = []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5}
	slow  = []float64{.05, .1, .25, .5, 1, 2.5, 5, 10, 20, 40, 60, 120}
	calls = []float64{1, 5, 15, 30, 60, 120, 300, 600, 1800, 3600, 10800}
)

// New makes the metrics of a controller.
func New(version string, state func() State) *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry()}
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		v := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "ccxmld_" + name, Help: help}, labels)
		m.registry.MustRegister(v)
		return v
	}
	histogram := func(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
		v := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "ccxmld_" + name, Help: help, Buckets: buckets}, labels)
		m.registry.MustRegister(v)
		return v
	}
	plain := func(v *prometheus.HistogramVec) prometheus.Histogram {
		return v.WithLabelValues().(prometheus.Histogram)
	}

	m.sessionsStarted = counter("sessions_started_total", "Sessions that began, by what began them (session.startupmode).", "startup")
	m.sessionsEnded = counter("sessions_ended_total", "Sessions that ended: exit (by itself), died (an error, a kill or a limit), dropped (another controller has it).", "outcome")
	m.sessionSeconds = plain(histogram("session_duration_seconds", "How long sessions lived.", calls))
	m.tokenStarts = counter("token_starts_total", "Token starts by outcome: started, refused (no such token), full (a limit), failed (its document).", "outcome")

	m.callsBegan = counter("calls_began_total", "Calls that came in or were placed.", "direction")
	m.callsEnded = counter("calls_ended_total", "Calls that ended: answered, cancelled (by us, before the answer), or the reason of connection.failed (busy, timeout, unreachable, badnumber, unknown).", "direction", "outcome")
	m.setupSeconds = histogram("call_setup_seconds", "From placing a call to its ringing or early media.", slow, "direction")
	m.answerSeconds = histogram("call_answer_seconds", "From a call's beginning to its answer.", slow, "direction")
	m.talkSeconds = plain(histogram("call_talk_seconds", "From a call's answer to its end.", calls))

	events := counter("events_total", "Events that sessions handled, and whether a transition took them.", "transition")
	m.eventsTaken, m.eventsLeft = events.WithLabelValues("taken"), events.WithLabelValues("none")
	m.eventWait = plain(histogram("event_wait_seconds", "From an event's arrival at its session to its being handled.", fast))
	m.eventSeconds = plain(histogram("event_to_command_seconds", "From an event's arrival at its session until the commands of its transition have gone out.", fast))
	m.queueLength = plain(histogram("event_queue_length", "Events that waited behind one that was handled.", []float64{0, 1, 2, 5, 10, 50, 100, 500, 1000}))
	m.dialogs = counter("dialogs_total", "Dialogs that ended: done, early (with their connection, or for another reason that dialog.exit tells), failed (not started).", "outcome")
	m.digits = counter("digits_total", "Digits that callers pressed.").WithLabelValues()
	m.fetches = counter("fetches_total", "What was fetched by HTTP or from files, by purpose and outcome.", "purpose", "outcome")
	m.fetchSeconds = histogram("fetch_seconds", "How long fetching took.", slow, "purpose")
	m.commandSeconds = histogram("esl_command_seconds", "From a command on a node's link to its reply.", fast, "node")
	m.redisSeconds = plain(histogram("redis_command_seconds", "How long commands and pipelines to Redis took.", fast))
	m.redisFailures = counter("redis_failures_total", "Commands and pipelines to Redis that failed.").WithLabelValues()
	m.takenOver = counter("sessions_taken_over_total", "Sessions of other controllers that this one was to take over.", "outcome")

	build := prometheus.NewGauge(prometheus.GaugeOpts{Name: "ccxmld_build_info", Help: "1, with the version.", ConstLabels: prometheus.Labels{"version": version}})
	build.Set(1)
	m.registry.MustRegister(build, &current{state}, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Handler answers scrapes.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: 10 * time.Second})
}

// SessionStarted counts a session by what began it.
func (m *Metrics) SessionStarted(startup string) {
	if m != nil {
		m.sessionsStarted.WithLabelValues(startup).Inc()
	}
}

// SessionEnded counts a session's end: exit, died or dropped.
func (m *Metrics) SessionEnded(outcome string, lived time.Duration) {
	if m != nil {
		m.sessionsEnded.WithLabelValues(outcome).Inc()
		m.sessionSeconds.Observe(lived.Seconds())
	}
}

// TokenStart counts a token start: started, refused, full or failed.
func (m *Metrics) TokenStart(outcome string) {
	if m != nil {
		m.tokenStarts.WithLabelValues(outcome).Inc()
	}
}

// CallBegan counts a call.
func (m *Metrics) CallBegan(d Direction) {
	if m != nil {
		m.callsBegan.WithLabelValues(string(d)).Inc()
	}
}

// CallRang notes how long after its beginning a call rang.
func (m *Metrics) CallRang(d Direction, after time.Duration) {
	if m != nil {
		m.setupSeconds.WithLabelValues(string(d)).Observe(after.Seconds())
	}
}

// CallAnswered notes how long after its beginning a call was answered.
func (m *Metrics) CallAnswered(d Direction, after time.Duration) {
	if m != nil {
		m.answerSeconds.WithLabelValues(string(d)).Observe(after.Seconds())
	}
}

// CallEnded counts a call's end; talked is 0 for one that was not answered.
func (m *Metrics) CallEnded(d Direction, outcome string, talked time.Duration) {
	if m != nil {
		m.callsEnded.WithLabelValues(string(d), outcome).Inc()
		if talked > 0 {
			m.talkSeconds.Observe(talked.Seconds())
		}
	}
}

// EventHandled notes an event: how long after its arrival at its session it was handled, and
// the commands of its transition were out; how many waited behind it; and whether a
// transition took it.
func (m *Metrics) EventHandled(wait, all time.Duration, behind int, taken bool) {
	if m == nil {
		return
	}
	if taken {
		m.eventsTaken.Inc()
	} else {
		m.eventsLeft.Inc()
	}
	m.eventWait.Observe(wait.Seconds())
	m.eventSeconds.Observe(all.Seconds())
	m.queueLength.Observe(float64(behind))
}

// DialogEnded counts a dialog: done, early or failed.
func (m *Metrics) DialogEnded(outcome string) {
	if m != nil {
		m.dialogs.WithLabelValues(outcome).Inc()
	}
}

// Digit counts a digit.
func (m *Metrics) Digit() {
	if m != nil {
		m.digits.Inc()
	}
}

// Fetched notes what was fetched, for what and with what outcome: ok, cached or failed.
func (m *Metrics) Fetched(purpose, outcome string, took time.Duration) {
	if m != nil {
		m.fetches.WithLabelValues(purpose, outcome).Inc()
		m.fetchSeconds.WithLabelValues(purpose).Observe(took.Seconds())
	}
}

// CommandAnswered notes how long a node took to reply to a command.
func (m *Metrics) CommandAnswered(node string, took time.Duration) {
	if m != nil {
		m.commandSeconds.WithLabelValues(node).Observe(took.Seconds())
	}
}

// RedisAnswered notes how long Redis took, and whether it failed.
func (m *Metrics) RedisAnswered(took time.Duration, failed bool) {
	if m == nil {
		return
	}
	m.redisSeconds.Observe(took.Seconds())
	if failed {
		m.redisFailures.Inc()
	}
}

// TookOver counts sessions that were taken over from another controller, and those that could
// not be.
func (m *Metrics) TookOver(sessions, missed int) {
	if m != nil {
		m.takenOver.WithLabelValues("taken").Add(float64(sessions))
		m.takenOver.WithLabelValues("missed").Add(float64(missed))
	}
}
