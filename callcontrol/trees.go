package callcontrol

import (
	"fmt"
	"strings"
	"time"

	"golang.org/x/time/rate"
)

// origin says by whom a session comes to be, for what is bounded of it.
type origin struct {
	call   bool   // an incoming call
	tree   string // what it counts for; "" for what begins a tree itself
	parent string // the session that creates it; "" for none
}

// addressTree names the tree of the sessions that an address creates over HTTP.
func addressTree(address string) string { return "address " + address }

// tree counts the sessions that descend from one session, or were created by one
// address. Sessions that end let others have their places; the pace stays.
type tree struct {
	sessions int
	children map[string]int // by parent
	pace     *rate.Limiter
}

// pacedSeconds is how many seconds' worth of sessions a tree may create at once.
const pacedSeconds = 5

// manyTrees is when trees without sessions are looked through for those whose pace
// need not be remembered.
const manyTrees = 1000

// treeFull says which bound of a tree is reached. Another controller has bounds of
// its own, but is not to be filled by what is too much here.
type treeFull struct{ text string }

func (e *treeFull) Error() string { return e.text }

// OutOfSessions lets HTTP tell this error from others.
func (*treeFull) OutOfSessions() bool { return true }

// admit counts a session in its tree, or tells which bound is reached. c.mu is held.
func (c *Controller) admit(a origin) error {
	if a.tree == "" {
		return nil
	}
	t := c.treeOf(a.tree)
	switch l := c.limits(); {
	case a.parent != "" && l.Children > 0 && t.children[a.parent] >= l.Children:
		return &treeFull{fmt.Sprintf("%d sessions that this session created run here already; wait for the ccxml.exit of one, or raise limits.children_per_session", l.Children)}
	case l.TreeSessions > 0 && t.sessions >= l.TreeSessions:
		return &treeFull{fmt.Sprintf("%d sessions that %s and its children created run here already; wait until some end, or raise limits.children_per_tree", l.TreeSessions, nameOfTree(a.tree))}
	case !t.pace.AllowN(c.options.Clock.Now(), 1):
		return &treeFull{fmt.Sprintf("%s and its children create more than %d sessions a second; create the others later, or raise limits.children_per_second", nameOfTree(a.tree), l.ChildrenPerSecond)}
	}
	c.count(a)
	return nil
}

// count counts a session in its tree. c.mu is held.
func (c *Controller) count(a origin) {
	if a.tree == "" {
		return
	}
	t := c.treeOf(a.tree)
	t.sessions++
	if a.parent != "" {
		t.children[a.parent]++
	}
}

func nameOfTree(tree string) string {
	if strings.HasPrefix(tree, addressTree("")) {
		return "the " + tree
	}
	return "session " + tree
}

// treeOf finds a tree, or begins to count it. c.mu is held.
func (c *Controller) treeOf(name string) *tree {
	t := c.trees[name]
	if t != nil {
		return t
	}
	if len(c.trees) >= manyTrees {
		c.forgetTrees()
	}
	pace := rate.Inf
	if c.limits().ChildrenPerSecond > 0 {
		pace = rate.Limit(c.limits().ChildrenPerSecond)
	}
	t = &tree{children: make(map[string]int), pace: rate.NewLimiter(pace, pacedSeconds*c.limits().ChildrenPerSecond)}
	if c.trees == nil {
		c.trees = make(map[string]*tree)
	}
	c.trees[name] = t
	return t
}

// leave gives a session's place in its tree back. c.mu is held.
func (c *Controller) leave(a origin) {
	t := c.trees[a.tree]
	if t == nil {
		return
	}
	t.sessions--
	if t.children[a.parent]--; t.children[a.parent] <= 0 {
		delete(t.children, a.parent)
	}
	c.forgetTree(a.tree, c.options.Clock.Now())
}

// forgetTree forgets a tree in which no session is left and whose pace is as that of
// a new one. c.mu is held.
func (c *Controller) forgetTree(name string, now time.Time) {
	if t := c.trees[name]; t.sessions == 0 && t.pace.TokensAt(now) >= float64(t.pace.Burst()) {
		delete(c.trees, name)
	}
}

func (c *Controller) forgetTrees() {
	now := c.options.Clock.Now()
	for name := range c.trees {
		c.forgetTree(name, now)
	}
}
