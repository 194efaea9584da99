-- Count what a queue holds.
--
-- pending, active                        list    ids
-- scheduled, retry, archived, completed  zset    ids
-- groups                                 set     groups in which tasks wait
-- aggregation_sets                       zset    keys of sets that are being made into one task
-- paused                                 string  the second at which the queue was paused
-- group_prefix                           string  what a group's zset is called but for its name
-- task_prefix                            string  what a task's hash is called but for the id
--
-- Returns the numbers of pending, active, scheduled, retry, archived, completed and
-- aggregating tasks, then paused, and since which nanosecond the next one waits.
local pending, active, scheduled, retry, archived, completed, groups, aggregation_sets, paused = unpack(KEYS)
local group_prefix, task_prefix = unpack(ARGV)

local aggregating = 0
for _, group in ipairs(redis.call("SMEMBERS", groups)) do
    aggregating = aggregating + redis.call("ZCARD", group_prefix .. group)
end
for _, staged in ipairs(redis.call("ZRANGE", aggregation_sets, 0, -1)) do
    aggregating = aggregating + redis.call("ZCARD", staged)
end

local oldest = redis.call("LINDEX", pending, -1)
return {
    redis.call("LLEN", pending),
    redis.call("LLEN", active),
    redis.call("ZCARD", scheduled),
    redis.call("ZCARD", retry),
    redis.call("ZCARD", archived),
    redis.call("ZCARD", completed),
    aggregating,
    redis.call("GET", paused),
    oldest and redis.call("HGET", task_prefix .. oldest, "pending_since"),
}
