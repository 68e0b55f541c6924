-- ARGV 1 room, 2 node, 3 id, 4 '1' if the cascade is up, else it was not made.
-- Returns 1 if it is still wanted.
if redis.call('HGET', KEYS[1], 'room') ~= ARGV[1] then return 0 end
local text = redis.call('HGET', KEYS[6], ARGV[2])
local cascade = text and cjson.decode(text)
if not cascade or cascade.id ~= ARGV[3] then return 0 end
if ARGV[4] == '1' then
  cascade.up = true
  redis.call('HSET', KEYS[6], ARGV[2], cjson.encode(cascade))
  return 1
end
redis.call('HDEL', KEYS[6], ARGV[2])
return 0
