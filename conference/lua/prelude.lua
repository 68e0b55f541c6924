-- What all scripts begin with. All work on one conference:
-- KEYS 1 conference, 2 sessions, 3 members, 4 leases, 5 last epoch, 6 cascades,
-- 7 the room of one that has ended for all.
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

local function integer(n) return string.format('%.0f', n) end

-- destroy frees the name. The last epoch stays a while: the next one is greater
-- even when the clock is not.
local destroyed -- the room, the node and the other nodes of what this call has destroyed
local function destroy()
  local epoch = redis.call('HGET', KEYS[1], 'epoch')
  destroyed = {redis.call('HGET', KEYS[1], 'room') or '', redis.call('HGET', KEYS[1], 'node') or ''}
  for _, node in ipairs(redis.call('HKEYS', KEYS[6])) do table.insert(destroyed, node) end
  if epoch then redis.call('SET', KEYS[5], epoch, 'PX', 60000) end
  redis.call('DEL', KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[6])
end

local function nextepoch()
  local last = tonumber(redis.call('HGET', KEYS[1], 'epoch') or redis.call('GET', KEYS[5]) or '0')
  return integer(math.max(now, last + 1))
end

local function isempty()
  return redis.call('HLEN', KEYS[2]) == 0 and redis.call('HLEN', KEYS[3]) == 0
end

-- holders tells of each node on which there are members a controller that has one of
-- them.
local function holders()
  local found = {}
  for _, text in ipairs(redis.call('HVALS', KEYS[3])) do
    local member = cjson.decode(text)
    if member.node then found[member.node] = member.controller end
  end
  return found
end

-- tidy marks the cascades of nodes on which nobody is any more, and gives those of dead
-- controllers to others that have members there.
local function tidy()
  local cascades = redis.call('HGETALL', KEYS[6])
  if #cascades == 0 then return end
  local found = holders()
  for i = 1, #cascades, 2 do
    local cascade = cjson.decode(cascades[i + 1])
    local holder = found[cascades[i]]
    if not holder then
      cascade.over = true
    elseif cascade.up and not redis.call('ZSCORE', KEYS[4], cascade.controller) then
      cascade.controller = holder
    end
    redis.call('HSET', KEYS[6], cascades[i], cjson.encode(cascade))
  end
end

-- drop removes what a controller holds and returns how many sessions that were.
local function drop(controller)
  local n = 0
  local sessions = redis.call('HGETALL', KEYS[2])
  for i = 1, #sessions, 2 do
    if sessions[i + 1] == controller then n = n + redis.call('HDEL', KEYS[2], sessions[i]) end
  end
  local members = redis.call('HGETALL', KEYS[3])
  for i = 1, #members, 2 do
    if cjson.decode(members[i + 1]).controller == controller then redis.call('HDEL', KEYS[3], members[i]) end
  end
  redis.call('ZREM', KEYS[4], controller)
  return n
end

-- handover gives the conference to another of its controllers if its owner is gone.
local function handover()
  local owner = redis.call('HGET', KEYS[1], 'owner')
  if not owner or redis.call('ZSCORE', KEYS[4], owner) then return end
  local heir = redis.call('ZREVRANGE', KEYS[4], 0, 0)[1]
  if heir then redis.call('HSET', KEYS[1], 'owner', heir, 'epoch', nextepoch()) end
end

-- purge cleans up after controllers whose leases ended.
local function purge()
  local dead = redis.call('ZRANGEBYSCORE', KEYS[4], '-inf', integer(now))
  if #dead == 0 then return end
  for i = 1, #dead do drop(dead[i]) end
  if isempty() then
    destroy()
  else
    handover()
    tidy()
  end
end

local function renew(controller, lease, keep)
  redis.call('ZADD', KEYS[4], integer(now + tonumber(lease)), controller)
  for _, i in ipairs({1, 2, 3, 4, 6}) do redis.call('PEXPIRE', KEYS[i], keep) end
end

purge()
