-- Only what all scripts begin with. Returns whether the conference exists.
return redis.call('EXISTS', KEYS[1])
