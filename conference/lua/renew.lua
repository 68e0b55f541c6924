-- ARGV 1 controller, 2 lease, 3 keep, 4 room.
-- Returns epoch and owner, or nothing if the controller must tell again what it holds.
if redis.call('HGET', KEYS[1], 'room') ~= ARGV[4] then return {} end
if not redis.call('ZSCORE', KEYS[4], ARGV[1]) then return {} end
renew(ARGV[1], ARGV[2], ARGV[3])
return redis.call('HMGET', KEYS[1], 'epoch', 'owner')
