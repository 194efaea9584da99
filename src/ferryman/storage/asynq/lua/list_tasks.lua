-- Read some tasks of a list, from its left, which is where new ones come in.
--
-- tasks        list    ids
-- lease        zset    id, scored by the second at which its lease runs out
-- task_prefix  string  what a task's hash is called but for the id
-- after        string  the last id of the page before, or ""
-- start        int     where the page before began: we go on there when its last task is gone
-- count        int     how many at most
--
-- Returns the place of the first, and for each {id, score, message, result, pending_since,
-- lease}; a list has no scores, and only what is worked on has leases.
local tasks, lease = unpack(KEYS)
local task_prefix, after, start, count = unpack(ARGV)

local first = tonumber(start)
local place = after ~= "" and redis.call("LPOS", tasks, after)
if place then first = place + 1 end

local found = {}
for _, id in ipairs(redis.call("LRANGE", tasks, first, first + count - 1)) do
    local task = redis.call("HMGET", task_prefix .. id, "msg", "result", "pending_since")
    found[#found + 1] = { id, false, task[1], task[2], task[3], redis.call("ZSCORE", lease, id) }
end
return { first, found }
