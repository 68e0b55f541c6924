-- ARGV 1 controller, 2 lease, 3 keep, 4 room, 5 node, 6 id of a new cascade, 7 id of one
-- that was lost, or ''.
-- Returns the id of the cascade of the node, 1 if it is up, and 1 if the caller is to make
-- it; then the id of one that it takes the place of, if that may be there. Nothing if the
-- conference is no more.
if redis.call('HGET', KEYS[1], 'room') ~= ARGV[4] then return {} end
local text = redis.call('HGET', KEYS[6], ARGV[5])
local cascade = text and cjson.decode(text)
local lost = not cascade or cascade.id == ARGV[7]
if lost or not cascade.up and not redis.call('ZSCORE', KEYS[4], cascade.controller) then
  redis.call('HSET', KEYS[6], ARGV[5], cjson.encode({id = ARGV[6], controller = ARGV[1], up = false}))
  renew(ARGV[1], ARGV[2], ARGV[3])
  return {ARGV[6], 0, 1, not lost and cascade.id or ''}
end
if cascade.over then
  cascade.over = nil
  redis.call('HSET', KEYS[6], ARGV[5], cjson.encode(cascade))
end
return {cascade.id, cascade.up and 1 or 0, 0, ''}
