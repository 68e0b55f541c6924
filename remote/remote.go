// Package remote says for whom connections and requests count, where their number is
// bounded, and who is let in.
package remote

import (
	"net/netip"
	"slices"
)

// IsLoopback tells whether a host, by name or IP address, is the machine that it is named on.
func IsLoopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.IsLoopback()
}

// Counted is the address for which what comes from an IP address and port counts. Where
// one machine has any number of them they count together: the network of 64 bits for
// IPv6, and all of loopback. What is none counts for itself.
func Counted(addressAndPort string) string {
	from, err := netip.ParseAddrPort(addressAndPort)
	if err != nil {
		return addressAndPort
	}
	address := from.Addr().Unmap().WithZone("")
	if address.IsLoopback() {
		return "loopback"
	}
	if address.Is6() {
		if network, err := address.Prefix(64); err == nil {
			return network.String()
		}
	}
	return address.String()
}

// Within tells whether an IP address and port are of this machine's loopback or in one
// of networks. An address's zone does not count: a prefix has none.
func Within(addressAndPort string, networks []netip.Prefix) (loopback, listed bool) {
	from, err := netip.ParseAddrPort(addressAndPort)
	if err != nil {
		return false, false
	}
	address := from.Addr().Unmap().WithZone("")
	contains := func(network netip.Prefix) bool { return network.Contains(address) }
	return address.IsLoopback(), slices.ContainsFunc(networks, contains)
}
