-- Only what all scripts begin with. Returns whether the conference exists, or the
-- room and node of one that has just ended with the last of its controllers.
if destroyed then return destroyed end
return redis.call('EXISTS', KEYS[1])
