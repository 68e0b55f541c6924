-- ARGV 1 controller, 2 lease, 3 keep, 4 session, 5 'create' or 'attach',
-- 6 id, 7 name, 8 room, 9 node, 10 created, 11 most members, 12 talkers, 13 listeners,
-- 14 settings.
-- Returns created (0, 1) and the hash, or nothing where there is none to attach to.
local created = 0
if redis.call('EXISTS', KEYS[1]) == 0 then
  if ARGV[5] == 'attach' then return {} end
  destroy() -- what an expired conference may have left
  local epoch = nextepoch()
  redis.call('HSET', KEYS[1], 'id', ARGV[6], 'name', ARGV[7], 'room', ARGV[8] .. epoch,
    'node', ARGV[9], 'owner', ARGV[1], 'epoch', epoch, 'created', ARGV[10],
    'max', ARGV[11], 'talkers', ARGV[12], 'listeners', ARGV[13],
    'settings', ARGV[14])
  created = 1
end
redis.call('HSET', KEYS[2], ARGV[4], ARGV[1])
renew(ARGV[1], ARGV[2], ARGV[3])
return {created, redis.call('HGETALL', KEYS[1])}
