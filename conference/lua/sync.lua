-- ARGV 1 controller, 2 lease, 3 keep, 4 room ('' if unknown), 5 epoch, 6 number of
-- hash fields and values, 7 of sessions, 8 of members, 9 of cascades; then these: fields
-- and values, sessions, connections and members, nodes and cascades.
-- Makes what the controller holds so, restoring the conference if Redis lost it.
-- Returns 'ok', 'gone', 'ended' if it has ended for all, or 'yield' and the hash of the newer conference.
local fields, sessions, members, cascades = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
local room = redis.call('HGET', KEYS[1], 'room')
if room and ARGV[4] ~= '' and room ~= ARGV[4] then
  if tonumber(redis.call('HGET', KEYS[1], 'epoch')) > tonumber(ARGV[5]) then
    drop(ARGV[1]) -- it holds nothing of the newer one as far as it knows
    if isempty() then destroy() else handover() end
    return {'yield', redis.call('HGETALL', KEYS[1])}
  end
  destroy() -- the older epoch yields
  room = false
end
if not room and ARGV[4] ~= '' and redis.call('GET', KEYS[7]) == ARGV[4] then return {'ended'} end
if not room and sessions + members == 0 then return {'gone'} end
if not room then
  destroy()
  for i = 10, 9 + fields, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
end
local had = drop(ARGV[1])
local at = 10 + fields
for i = at, at + sessions - 1 do redis.call('HSET', KEYS[2], ARGV[i], ARGV[1]) end
at = at + sessions
for i = at, at + 2 * members - 1, 2 do redis.call('HSET', KEYS[3], ARGV[i], ARGV[i + 1]) end
at = at + 2 * members
for i = at, at + 2 * cascades - 1, 2 do redis.call('HSETNX', KEYS[6], ARGV[i], ARGV[i + 1]) end
if isempty() or (had > 0 and redis.call('HLEN', KEYS[2]) == 0) then
  destroy()
  return {'gone'}
end
if sessions + members > 0 then renew(ARGV[1], ARGV[2], ARGV[3]) end
handover()
tidy()
return {'ok'}
