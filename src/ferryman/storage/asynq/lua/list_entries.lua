-- Read some tasks of a zset, the highest score first, and of one score the greatest id first.
--
-- tasks        zset    ids
-- task_prefix  string  what a task's hash is called but for the id
-- after        string  the last id of the page before, or ""
-- score        string  the score that it had: we go on behind that place, wherever the id is by now
-- count        int     how many at most
--
-- Returns the place of the first, and for each {id, score, message, result, pending_since}.
local tasks = unpack(KEYS)
local task_prefix, after, score, count = unpack(ARGV)

-- Byte by byte, as the server orders ids: < goes by the server's language.
local function less(id, other)
    for i = 1, math.min(#id, #other) do
        local byte, its = id:byte(i), other:byte(i)
        if byte ~= its then return byte < its end
    end
    return #id < #other
end

-- Whole batches have the same score.  Its ids are in order, so halving finds the place among any number.
local function place_behind()
    local first = redis.call("ZCOUNT", tasks, "(" .. score, "+inf")
    local last = redis.call("ZCOUNT", tasks, score, "+inf")
    while first < last do
        local middle = math.floor((first + last) / 2)
        if less(redis.call("ZREVRANGE", tasks, middle, middle)[1], after) then
            last = middle
        else
            first = middle + 1
        end
    end
    return first
end

local first = after == "" and 0 or place_behind()
local found = {}
local entries = redis.call("ZREVRANGE", tasks, first, first + count - 1, "WITHSCORES")
for i = 1, #entries, 2 do
    local task = redis.call("HMGET", task_prefix .. entries[i], "msg", "result", "pending_since")
    found[#found + 1] = { entries[i], entries[i + 1], task[1], task[2], task[3] }
end
return { first, found }
