-- Read some tasks of a zset, the highest score first.
--
-- tasks        zset    ids
-- task_prefix  string  what a task's hash is called but for the id
-- after        string  the last id of the page before, or ""
-- score        string  its score: we go on there when it is gone
-- count        int     how many at most
--
-- Returns the place of the first, and for each {id, score, message, result, pending_since}.
local tasks = unpack(KEYS)
local task_prefix, after, score, count = unpack(ARGV)

local first = 0
if after ~= "" then
    local place = redis.call("ZREVRANK", tasks, after)
    first = place and place + 1 or redis.call("ZCOUNT", tasks, "(" .. score, "+inf")
end

local found = {}
local entries = redis.call("ZREVRANGE", tasks, first, first + count - 1, "WITHSCORES")
for i = 1, #entries, 2 do
    local task = redis.call("HMGET", task_prefix .. entries[i], "msg", "result", "pending_since")
    found[#found + 1] = { entries[i], entries[i + 1], task[1], task[2], task[3] }
end
return { first, found }
