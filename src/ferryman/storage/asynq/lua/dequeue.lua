-- Take up to `limit` jobs from a queue, unless it is paused.  What is due becomes available
-- first, so that an idle worker sends one command to look for both.
--
-- pending       list    ids waiting to run, the next one at the right
-- paused        string  exists while the queue is paused
-- active        list    ids being worked on, the newest at the left
-- lease         zset    id, scored by the second at which its lease runs out
-- scheduled     zset    id, scored by the second at which it is due
-- retry         zset    the same for jobs that failed
-- groups        set     groups in which jobs wait
-- task_prefix   string  what a job's hash is called but for the id
-- group_prefix  string  what a group's zset is called but for its name
-- now           int     the time, in seconds
-- now_ns        int     the same, in nanoseconds
-- lease_until   int     the second until which they are leased
-- limit         int     how many at most, up to 1000
--
-- Returns for each its message, and the nanosecond since which it was available or "".  An id
-- whose hash has vanished is dropped: there is no job.
local pending, paused, active, lease, scheduled, retry, groups = unpack(KEYS)
local task_prefix, group_prefix, now, now_ns, lease_until, limit = unpack(ARGV)

-- with move_due

if redis.call("EXISTS", paused) == 1 then return {} end

redis.call("LLEN", active) -- whatever is of a wrong type must say so before the first write
redis.call("ZCARD", lease)
move_due(tonumber(limit))
local ids = redis.call("RPOP", pending, limit)
if not ids then return {} end

local messages, taken, leases = {}, {}, {}
for _, id in ipairs(ids) do
    local task = task_prefix .. id
    local message, since = unpack(redis.call("HMGET", task, "msg", "pending_since"))
    if message then
        redis.call("HSET", task, "state", "active")
        redis.call("HDEL", task, "pending_since")
        messages[#messages + 1] = message
        messages[#messages + 1] = since or ""
        taken[#taken + 1] = id
        leases[#leases + 1] = lease_until
        leases[#leases + 1] = id
    end
end
if #taken > 0 then
    redis.call("LPUSH", active, unpack(taken))
    redis.call("ZADD", lease, unpack(leases))
end
return messages
