-- ARGV 1 controller, 2 connection, 3 room, 4 '1' if the controller holds nothing else.
-- Returns the number of members left, and 1 if the conference is no more.
if redis.call('HGET', KEYS[1], 'room') ~= ARGV[3] then return {0, 1} end
redis.call('HDEL', KEYS[3], ARGV[2])
if isempty() then
  destroy()
  return {0, 1}
end
if ARGV[4] == '1' then
  redis.call('ZREM', KEYS[4], ARGV[1])
  handover()
end
return {redis.call('HLEN', KEYS[3]), 0}
