-- ARGV 1 room, 2 settings. Returns 1 if the conference is still that of the room.
if redis.call('HGET', KEYS[1], 'room') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'settings', ARGV[2])
return 1
