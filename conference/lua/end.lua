-- ARGV 1 room. Ends the conference for all, if it is still that of the room. Who holds it
-- still is told so by sync.
if redis.call('HGET', KEYS[1], 'room') == ARGV[1] then
  destroy()
  redis.call('SET', KEYS[7], ARGV[1], 'PX', 60000)
end
return 1
