-- Say what a scheduler will enqueue.
--
-- entries  list  the SchedulerEntry of each schedule
-- ttl      int   for how many seconds that is true
-- then the entries
local entries = unpack(KEYS)
local ttl = unpack(ARGV, 1, 1)

redis.call("DEL", entries)
for i = 2, #ARGV do redis.call("LPUSH", entries, ARGV[i]) end
redis.call("EXPIRE", entries, ttl)
