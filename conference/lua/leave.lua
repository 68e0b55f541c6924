-- ARGV 1 controller, 2 connection, 3 room, 4 '1' if the controller holds nothing else.
-- Returns the number of members left, 1 if the conference is no more, and the nodes on
-- which everybody is to go, since the last who ends it has gone; then the node and the id of
-- the cascade that nobody needs any more, if there is one.
if redis.call('HGET', KEYS[1], 'room') ~= ARGV[3] then return {0, 1, {}} end
local before = redis.call('HGET', KEYS[3], ARGV[2])
redis.call('HDEL', KEYS[3], ARGV[2])
local unneeded, over = {}, {}
if before and cjson.decode(before).ends then
  over = {redis.call('HGET', KEYS[1], 'node') or '', unpack(redis.call('HKEYS', KEYS[6]))}
  for _, member in ipairs(redis.call('HVALS', KEYS[3])) do
    if cjson.decode(member).ends then over = {} end
  end
end
if before then
  local node = cjson.decode(before).node or ''
  local cascade = redis.call('HGET', KEYS[6], node)
  if cascade and not holders()[node] then
    unneeded = {node, cjson.decode(cascade).id}
    redis.call('HDEL', KEYS[6], node)
  end
end
if isempty() then
  destroy()
  return {0, 1, over, unpack(unneeded)}
end
if ARGV[4] == '1' then
  redis.call('ZREM', KEYS[4], ARGV[1])
  handover()
end
return {redis.call('HLEN', KEYS[3]), 0, over, unpack(unneeded)}
