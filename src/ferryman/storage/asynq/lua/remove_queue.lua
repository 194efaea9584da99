-- Remove what is kept of a queue, if it holds no task.
--
-- pending, active                        list    ids
-- scheduled, retry, archived, completed  zset    ids
-- groups                                 set     groups in which tasks wait
-- aggregation_sets                       zset    keys of sets that are being made into one task
-- lease                                  zset    ids being worked on
-- paused                                 string  the second at which the queue was paused
-- processed, failed                      int     jobs worked and failed, ever
--
-- Returns 1, or 0 when there is a task.
local pending, active, scheduled, retry, archived, completed, groups, aggregation_sets, lease, paused, processed, failed = unpack(KEYS)

-- Redis keeps no empty collection: a key that is there holds something.
if redis.call("EXISTS", pending, active, scheduled, retry, archived, completed, groups, aggregation_sets) > 0 then
    return 0
end
redis.call("DEL", lease, paused, processed, failed)
return 1
