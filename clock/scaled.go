package clock

import "time"

// Scaled returns a clock that runs factor times as fast as the one on the wall,
// whose time it has now.
func Scaled(factor float64) Clock { return scaled{start: time.Now(), factor: factor} }

type scaled struct {
	start  time.Time
	factor float64
}

func (c scaled) Now() time.Time {
	return c.start.Add(time.Duration(float64(time.Since(c.start)) * c.factor))
}

func (c scaled) AfterFunc(d time.Duration, f func()) (stop func() bool) {
	return time.AfterFunc(time.Duration(float64(d)/c.factor), f).Stop
}
