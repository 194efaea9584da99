-- Moves up to `most` jobs of a queue that are due, new ones and failed ones, to where they
-- run from: the queue, or the group they belong to.  Returns how many.  An id whose hash
-- has vanished is dropped: there is no job.
-- Uses scheduled, retry, pending, groups, task_prefix, group_prefix, now and now_ns.
local function move_from(source, most)
    local ids = redis.call("ZRANGEBYSCORE", source, "-inf", now, "LIMIT", 0, most)
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
end

local function move_due(most)
    local moved = move_from(scheduled, most)
    return moved == most and moved or moved + move_from(retry, most - moved)
end
