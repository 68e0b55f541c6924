package doctor

import (
	"context"
	"encoding/xml"
	"fmt"
	"slices"
	"strings"
)

// routes looks at the dial routes by themselves.
func (x *examination) routes() {
	if len(x.config.Dial.Routes) == 0 {
		x.warning("dial routes", "routes", "dial.routes is empty: every createcall ends in connection.failed", "say under dial.routes how destinations are dialled")
	}
}

// endpoints looks for what the dial routes dial through.
func (n *node) endpoints(ctx context.Context) {
	seen := make(map[string]bool)
	for _, route := range n.config.Dial.Routes {
		endpoint, rest, found := strings.Cut(route.Beginning(), "/")
		if !found || seen[route.Beginning()] {
			continue // named by the destination
		}
		seen[route.Beginning()] = true
		if n.interfaces != nil && !slices.Contains(n.interfaces["endpoint"], endpoint) {
			n.problem(n.about, "endpoint", fmt.Sprintf("a dial route begins with %s/, which no loaded module knows", endpoint),
				"load the module, such as mod_sofia for sofia/, or change the route in dial.routes")
			continue
		}
		if gateway, named := strings.CutPrefix(rest, "gateway/"); endpoint == "sofia" && named {
			if name, _, whole := strings.Cut(gateway, "/"); whole {
				n.gateway(ctx, name)
			}
		}
	}
}

// gateway looks at a gateway that a dial route names.
func (n *node) gateway(ctx context.Context, name string) {
	text, ok := n.ask(ctx, "sofia", "xmlstatus", "gateway", name)
	// Its XML says ISO-8859-1, and is ASCII but for names that we do not read.
	_, text, isXML := strings.Cut(text, "?>")
	var gateway struct {
		State  string `xml:"state"`
		Status string `xml:"status"`
	}
	switch {
	case !ok || !isXML || xml.Unmarshal([]byte(text), &gateway) != nil:
		n.problem(n.about, "gateway", fmt.Sprintf("a dial route names the gateway %s, which is not there: calls through it end in connection.failed, unreachable", name),
			fmt.Sprintf("add sip_profiles/external/%s.xml and fs_cli -x 'sofia profile external rescan', or change the route in dial.routes", name))
	case gateway.Status != "UP":
		n.problem(n.about, "gateway", fmt.Sprintf("the gateway %s is down (%s)", name, gateway.State),
			fmt.Sprintf("fs_cli -x 'sofia status gateway %s': proxy, username and password, and whether the provider answers", name))
	case gateway.State == "UNREGED" || strings.HasPrefix(gateway.State, "FAIL") || gateway.State == "TIMEOUT":
		n.warning(n.about, "gateway", fmt.Sprintf("the gateway %s is not registered (%s)", name, gateway.State),
			fmt.Sprintf("fs_cli -x 'sofia status gateway %s': username and password, and whether the provider answers", name))
	default:
		n.ok(n.about, "gateway", "the gateway %s is up (%s)", name, gateway.State)
	}
}
