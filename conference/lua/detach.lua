-- ARGV 1 controller, 2 session, 3 room, 4 '1' if the controller holds nothing else.
-- Returns 1 if the conference is no more, or, if this has ended it, the nodes on which it
-- had members beside its own.
if redis.call('HGET', KEYS[1], 'room') ~= ARGV[3] then return 1 end
redis.call('HDEL', KEYS[2], ARGV[2])
if redis.call('HLEN', KEYS[2]) == 0 then
  destroy()
  return {unpack(destroyed, 3)}
end
if ARGV[4] == '1' then
  redis.call('ZREM', KEYS[4], ARGV[1])
  handover()
end
return 0
