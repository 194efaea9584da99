-- Move jobs that are due to where they run from: the queue, or the group they belong to.
--
-- source        zset    id, scored by the second at which it is due
-- pending       list    ids waiting to run, the next one at the right
-- groups        set     groups in which jobs wait
-- task_prefix   string  what a job's hash is called but for the id
-- group_prefix  string  what a group's zset is called but for its name
-- now           int     the time, in seconds
-- now_ns        int     the same, in nanoseconds
-- limit         int     how many at most, up to 1000
--
-- Returns how many it moved.  An id whose hash has vanished is dropped: there is no job.
local source, pending, groups = unpack(KEYS)
local task_prefix, group_prefix, now, now_ns, limit = unpack(ARGV)

local ids = redis.call("ZRANGEBYSCORE", source, "-inf", now, "LIMIT", 0, limit)
if #ids == 0 then return 0 end

redis.call("LLEN", pending) -- whatever is of a wrong type must say so before the first write
redis.call("SCARD", groups)
redis.call("ZREM", source, unpack(ids))
local ready = {}
for _, id in ipairs(ids) do
    local task = task_prefix .. id
    local state, group = unpack(redis.call("HMGET", task, "state", "group"))
    if state and group and group ~= "" then
        redis.call("ZADD", group_prefix .. group, now, id)
        redis.call("SADD", groups, group) -- or nobody would look for it there
        redis.call("HSET", task, "state", "aggregating")
    elseif state then
        redis.call("HSET", task, "state", "pending", "pending_since", now_ns)
        ready[#ready + 1] = id
    end
end
if #ready > 0 then redis.call("LPUSH", pending, unpack(ready)) end
return #ids
