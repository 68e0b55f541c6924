package daemon

import (
	"context"
	"fmt"
)

// Roster lists the conferences of all controllers with their members, as Redis
// has them.
func (d *Daemon) Roster(ctx context.Context) (lines []string, err error) {
	for conference, err := range d.Conferences.List(ctx) {
		if err != nil {
			return nil, err
		}
		members, err := d.Conferences.Members(ctx, conference.ID)
		if err != nil {
			return nil, err
		}
		line := fmt.Sprintf("%d members in %s:", len(members), conference.ID)
		for _, member := range members {
			line += " " + member.Connection[:min(8, len(member.Connection))]
		}
		lines = append(lines, line)
	}
	return lines, nil
}
