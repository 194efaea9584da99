-- Moves up to `most` jobs of a queue that are due, new ones and failed ones, to where they
-- run from: the queue, or the group they belong to.  Returns how many.  An id whose hash
-- has vanished is dropped: there is no job.
-- Uses scheduled, retry, pending, groups, task_prefix, group_prefix, now and now_ns.
local function move_from(source, most)
    local ids = redis.call("ZRANGEBYSCORE", source, "-inf", now, "LIMIT", 0, most)
    if #ids == 0 then return 0 end

    -- Whatever is of a wrong type, or has moved to another node, must say so before the first write.
    redis.call("LLEN", pending)
    redis.call("SCARD", groups)
    local states, joins = {}, {}
    for n, id in ipairs(ids) do
        local state, group = unpack(redis.call("HMGET", task_prefix .. id, "state", "group"))
        states[n] = state
        if state and group and group ~= "" then
            redis.call("ZCARD", group_prefix .. group)
            joins[n] = group
        end
    end

    redis.call("ZREM", source, unpack(ids))
    local ready = {}
    for n, id in ipairs(ids) do
        local task, group = task_prefix .. id, joins[n]
        if group then
            redis.call("ZADD", group_prefix .. group, now, id)
            redis.call("SADD", groups, group) -- or nobody would look for it there
            redis.call("HSET", task, "state", "aggregating")
        elseif states[n] then
            redis.call("HSET", task, "state", "pending", "pending_since", now_ns)
            ready[#ready + 1] = id
        end
    end
    if #ready > 0 then redis.call("LPUSH", pending, unpack(ready)) end
    return #ids
end

local function move_due(most)
    local moved = move_from(scheduled, most)
    return moved == most and moved or moved + move_from(retry, most - moved)
end
