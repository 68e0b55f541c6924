-- Only what all scripts begin with. Returns whether the conference exists, or 'ended' with
-- the room and the nodes of one that has just ended with the last of its controllers, or
-- 'unneeded' with its room, and the node and id of each cascade that nobody needs any more.
if destroyed then return {'ended', unpack(destroyed)} end
local unneeded = {}
local cascades = redis.call('HGETALL', KEYS[6])
for i = 1, #cascades, 2 do
  local cascade = cjson.decode(cascades[i + 1])
  if cascade.over then
    table.insert(unneeded, cascades[i])
    table.insert(unneeded, cascade.id)
    redis.call('HDEL', KEYS[6], cascades[i])
  end
end
if #unneeded > 0 then return {'unneeded', redis.call('HGET', KEYS[1], 'room') or '', unpack(unneeded)} end
return redis.call('EXISTS', KEYS[1])
