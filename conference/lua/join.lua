-- ARGV 1 controller, 2 lease, 3 keep, 4 room, 5 connection, 6 member.
-- Returns the number of members, -1 if the conference is no more, -2 if it is full.
if redis.call('HGET', KEYS[1], 'room') ~= ARGV[4] then return -1 end
local max = tonumber(redis.call('HGET', KEYS[1], 'max') or '0')
if max > 0 and redis.call('HEXISTS', KEYS[3], ARGV[5]) == 0 and redis.call('HLEN', KEYS[3]) >= max then
  return -2
end
redis.call('HSET', KEYS[3], ARGV[5], ARGV[6])
renew(ARGV[1], ARGV[2], ARGV[3])
return redis.call('HLEN', KEYS[3])
