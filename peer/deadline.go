package peer

import "time"

const (
	// sendTimeout bounds how long one mail may take to be in Redis.
	sendTimeout = 30 * time.Second
	// claimTimeout is how long a session whose controller does not have it, or has died, is
	// waited for at whoever claims it: a survivor's first choice, and then any.
	claimTimeout = 5 * time.Second
	// createTimeout is how long another controller may take to create a session,
	// beyond the time that its document may take to be fetched.
	createTimeout = 30 * time.Second
	// operateTimeout is how long another controller may take to do what an operator asks.
	operateTimeout = 5 * time.Second
	// ArrivalTimeout is how long a leg may take to come to the controller that it is
	// sent to.
	ArrivalTimeout = 5 * time.Second
	// moveTimeout is how long the controller that sends a leg waits for word of it,
	// each time.
	moveTimeout = 2 * ArrivalTimeout
)
