-- Delete finished jobs whose time is over.
--
-- source       zset    id, scored by the second that counts
-- task_prefix  string  what a job's hash is called but for the id
-- attempts_prefix  string  the same for the list of its failed attempts
-- cutoff       int     those scored until this second are deleted
-- limit        int     how many at most, up to 1000
--
-- Returns how many it deleted.  Their locks, if they still hold any, are released.
local source = unpack(KEYS)
local task_prefix, attempts_prefix, cutoff, limit = unpack(ARGV)

-- with release

local ids = redis.call("ZRANGEBYSCORE", source, "-inf", cutoff, "LIMIT", 0, limit)
for _, id in ipairs(ids) do
    local task = task_prefix .. id
    release(redis.call("HGET", task, "unique_key") or "", id)
    redis.call("DEL", task, attempts_prefix .. id)
end
if #ids > 0 then redis.call("ZREM", source, unpack(ids)) end
return #ids
