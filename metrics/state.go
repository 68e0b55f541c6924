package metrics

import "github.com/prometheus/client_golang/prometheus"

// State is how a controller is when somebody asks.
type State struct {
	Sessions, Calls int
	// Overdue are legs whose end was asked for half a minute ago, and that FreeSWITCH has not
	// been seen to end.
	Overdue     int
	Conferences int
	Nodes       map[string]bool // whether each is up
	Redis       bool            // it answers, and takes what is written
	Unwritten   int             // sessions whose records wait to be written to Redis
	Unrecorded  uint64          // sessions that Redis has nothing of, since there were too many
	GivenUp     int64           // sessions and dialogs whose scripts did not end
	LogLost     uint64          // lines of the log that were lost
	Draining    bool
}

// current collects a State.
type current struct{ state func() State }

var _ prometheus.Collector = (*current)(nil)

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("ccxmld_"+name, help, labels, nil)
}

var (
	sessionsDesc    = describe("sessions", "Sessions that run here.")
	callsDesc       = describe("calls", "Calls, those included that are being hung up.")
	overdueDesc     = describe("calls_overdue", "Calls that FreeSWITCH was told to end half a minute ago and has not been seen to: any that stay are a leak.")
	conferencesDesc = describe("conferences", "Conferences that this controller holds something of.")
	nodeDesc        = describe("node_up", "Whether the link to a FreeSWITCH is there and calls succeed on it.", "node")
	redisDesc       = describe("redis_up", "Whether Redis answers and takes what is written.")
	unwrittenDesc   = describe("redis_sessions_waiting", "Sessions whose newest state waits to be written.")
	unrecordedDesc  = describe("redis_sessions_dropped_total", "Sessions that Redis has nothing of, since there were too many.")
	givenUpDesc     = describe("scripts_given_up_total", "Sessions and dialogs that were ended since their script did not.")
	logLostDesc     = describe("log_lines_lost_total", "Lines of the log that were lost.")
	drainingDesc    = describe("draining", "Whether it takes no new sessions.")
)

// Describe names what is collected.
func (c *current) Describe(to chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{
		sessionsDesc, callsDesc, overdueDesc, conferencesDesc, nodeDesc, redisDesc, unwrittenDesc, unrecordedDesc, givenUpDesc, logLostDesc, drainingDesc,
	} {
		to <- desc
	}
}

// Collect tells how it is now.
func (c *current) Collect(to chan<- prometheus.Metric) {
	s := c.state()
	gauge := func(desc *prometheus.Desc, value float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
	}
	counter := func(desc *prometheus.Desc, value float64) {
		to <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, value)
	}
	gauge(sessionsDesc, float64(s.Sessions))
	gauge(callsDesc, float64(s.Calls))
	gauge(overdueDesc, float64(s.Overdue))
	gauge(conferencesDesc, float64(s.Conferences))
	for node, up := range s.Nodes {
		gauge(nodeDesc, oneIf(up), node)
	}
	gauge(redisDesc, oneIf(s.Redis))
	gauge(unwrittenDesc, float64(s.Unwritten))
	counter(unrecordedDesc, float64(s.Unrecorded))
	counter(givenUpDesc, float64(s.GivenUp))
	counter(logLostDesc, float64(s.LogLost))
	gauge(drainingDesc, oneIf(s.Draining))
}

func oneIf(is bool) float64 {
	if is {
		return 1
	}
	return 0
}
