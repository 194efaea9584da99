-- Remember that a schedule has enqueued a task.
--
-- history  zset    SchedulerEnqueueEvents, scored by their second
-- at       int     the second
-- event    string  the SchedulerEnqueueEvent
-- most     int     how many are kept
-- ttl      int     seconds after which all are forgotten if no other comes
local history = unpack(KEYS)
local at, event, most, ttl = unpack(ARGV)

redis.call("ZREMRANGEBYRANK", history, 0, -most)
redis.call("ZADD", history, at, event)
redis.call("EXPIRE", history, ttl)
