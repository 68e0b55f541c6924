// Package remote says for whom connections and requests count, where their number is
// bounded.
package remote

import "net/netip"

// Counted is the address for which what comes from an IP address and port counts; for
// IPv6 the network of 64 bits, in which one machine may have any number. What is none
// counts for itself.
func Counted(addressAndPort string) string {
	from, err := netip.ParseAddrPort(addressAndPort)
	if err != nil {
		return addressAndPort
	}
	address := from.Addr().Unmap().WithZone("")
	if address.Is6() {
		if network, err := address.Prefix(64); err == nil {
			return network.String()
		}
	}
	return address.String()
}
