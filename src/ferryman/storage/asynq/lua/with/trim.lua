-- Deletes the oldest of what is archived, tasks and all: what was put aside until `cutoff`,
-- and what is more than `most`.
-- Uses archived, task_prefix, attempts_prefix, cutoff and most.
local function forget(ids)
    for _, id in ipairs(ids) do redis.call("DEL", task_prefix .. id, attempts_prefix .. id) end
    if #ids > 0 then redis.call("ZREM", archived, unpack(ids)) end
    return #ids
end

-- In thousands: more than Lua's stack holds may have become old at once.
local function trim()
    while forget(redis.call("ZRANGEBYSCORE", archived, "-inf", cutoff, "LIMIT", 0, 1000)) == 1000 do end
    local extra = redis.call("ZCARD", archived) - most
    while extra > 0 do
        extra = extra - forget(redis.call("ZRANGE", archived, 0, math.min(extra, 1000) - 1))
    end
end
