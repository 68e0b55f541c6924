package httpapi

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"sync"
	"time"

	"ccxmld/conf"
)

// tokens finds a token in a time that says nothing about the tokens there are:
// what is looked up and compared is a hash under a key that only this process
// knows.
type tokens struct {
	key []byte
	now func() time.Time

	mutex  sync.Mutex
	byHash map[[sha256.Size]byte]*token
}

func newTokens(configured map[string]conf.Token, now func() time.Time) *tokens {
	ts := &tokens{key: make([]byte, 32), now: now}
	_, _ = rand.Read(ts.key) // never fails: see crypto/rand
	ts.set(configured)
	return ts
}

// set replaces the tokens. One that there was keeps what is in use of its limits.
func (ts *tokens) set(configured map[string]conf.Token) {
	ts.mutex.Lock()
	defer ts.mutex.Unlock()
	byHash := make(map[[sha256.Size]byte]*token, len(configured))
	for text, c := range configured {
		hash := ts.hash(text)
		t := &token{Token: c, use: &use{}}
		if before := ts.byHash[hash]; before != nil {
			t.use = before.use
		}
		t.use.pace(c.Rate, ts.now)
		byHash[hash] = t
	}
	ts.byHash = byHash
}

func (ts *tokens) hash(text string) [sha256.Size]byte {
	mac := hmac.New(sha256.New, ts.key)
	mac.Write([]byte(text))
	return [sha256.Size]byte(mac.Sum(nil))
}

// find is the token of that text, or nil.
func (ts *tokens) find(text string) *token {
	hash := ts.hash(text)
	ts.mutex.Lock()
	defer ts.mutex.Unlock()
	return ts.byHash[hash]
}

// token is a configured token.
type token struct {
	conf.Token
	*use
}

// use is what is in use of a token's limits.
type use struct {
	mutex     sync.Mutex
	live      int
	perSecond float64
	rate      *rate
}

// pace sets how many starts a second there may be.
func (u *use) pace(perSecond float64, now func() time.Time) {
	u.mutex.Lock()
	defer u.mutex.Unlock()
	if u.perSecond != perSecond {
		u.perSecond, u.rate = perSecond, newRate(perSecond, now)
	}
}

// enter takes one of the token's sessions, or says which limit is reached. Each
// enter is followed by one leave.
func (t *token) enter() (limit string) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	switch {
	case t.Sessions > 0 && t.live >= t.Sessions:
		return "the token's sessions"
	case !t.rate.take():
		return "the token's rate"
	}
	t.live++
	return ""
}

func (t *token) leave() {
	t.mutex.Lock()
	t.live--
	t.mutex.Unlock()
}

// rate lets so many starts a second through: after a pause up to a second's
// worth at once, but always one.
type rate struct {
	perSecond float64
	burst     float64
	now       func() time.Time
	left      float64
	at        time.Time
}

// newRate is nil, which lets everything through, for 0.
func newRate(perSecond float64, now func() time.Time) *rate {
	if perSecond <= 0 {
		return nil
	}
	burst := max(perSecond, 1)
	return &rate{perSecond: perSecond, burst: burst, now: now, left: burst, at: now()}
}

func (r *rate) take() bool {
	if r == nil {
		return true
	}
	now := r.now()
	r.left = min(r.burst, r.left+r.perSecond*max(0, now.Sub(r.at).Seconds()))
	r.at = now
	if r.left < 1 {
		return false
	}
	r.left--
	return true
}
