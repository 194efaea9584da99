-- List jobs whose lease ran out, in the order in which it did.
--
-- lease        zset    id, scored by the second at which its lease runs out
-- active       list    ids being worked on
-- task_prefix  string  what a job's hash is called but for the id
-- cutoff       int     leases that ran out until this second
-- after        string  the id after which to go on, or ""
-- limit        int     how many at most
--
-- Returns their messages.  An id whose hash has vanished is dropped: nobody could take it back.
local lease, active = unpack(KEYS)
local task_prefix, cutoff, after, limit = unpack(ARGV)

local rank = after ~= "" and redis.call("ZRANK", lease, after)
local first = rank and rank + 1 or 0
local found = redis.call("ZRANGE", lease, first, first + limit - 1, "WITHSCORES")

local messages = {}
for i = 1, #found, 2 do
    local id, expires = found[i], found[i + 1]
    if tonumber(expires) > tonumber(cutoff) then break end
    local message = redis.call("HGET", task_prefix .. id, "msg")
    if message then
        messages[#messages + 1] = message
    else
        redis.call("ZREM", lease, id)
        redis.call("LREM", active, 0, id)
    end
end
return messages
