-- ARGV 1 controller, 2 lease, 3 keep, 4 room, 5 connection, 6 member, 7 node,
-- 8 '1' if the node reaches that of the conference.
-- Returns the number of members, -1 if the conference is no more, -2 if it is full,
-- -3 if the places that are left are reserved for the other kind of member, -4 if
-- it is on another node.
if redis.call('HGET', KEYS[1], 'room') ~= ARGV[4] then return -1 end
local node = redis.call('HGET', KEYS[1], 'node') or ''
if node ~= '' and ARGV[7] ~= '' and node ~= ARGV[7] and ARGV[8] ~= '1' then return -4 end
local function get(field) return tonumber(redis.call('HGET', KEYS[1], field) or '0') end
local max, talkers, listeners = get('max'), get('talkers'), get('listeners')
local listens = cjson.decode(ARGV[6]).listens or false
local before = redis.call('HGET', KEYS[3], ARGV[5])
if max > 0 and not (before and (cjson.decode(before).listens or false) == listens) then
  if not before and redis.call('HLEN', KEYS[3]) >= max then return -2 end
  if talkers + listeners > 0 then
    local t, l = listens and 0 or 1, listens and 1 or 0
    local members = redis.call('HGETALL', KEYS[3])
    for i = 1, #members, 2 do
      if members[i] ~= ARGV[5] then
        if cjson.decode(members[i + 1]).listens then l = l + 1 else t = t + 1 end
      end
    end
    if math.max(t, talkers) + math.max(l, listeners) > max then return -3 end
  end
end
if node == '' and ARGV[7] ~= '' then redis.call('HSET', KEYS[1], 'node', ARGV[7]) end
if redis.call('HLEN', KEYS[3]) == 0 then redis.call('HDEL', KEYS[1], 'moderated') end
if cjson.decode(ARGV[6]).moderator then redis.call('HSET', KEYS[1], 'moderated', '1') end
redis.call('HSET', KEYS[3], ARGV[5], ARGV[6])
renew(ARGV[1], ARGV[2], ARGV[3])
return redis.call('HLEN', KEYS[3])
