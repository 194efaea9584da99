-- Takes a task out of the collection of its state, and says whether it was there.  A group
-- that is empty then is no group any more.
-- Uses id, task, groups and queue_prefix.
local function leave(state)
    if state == "pending" then return redis.call("LREM", queue_prefix .. "pending", 1, id) == 1 end
    if state ~= "aggregating" then return redis.call("ZREM", queue_prefix .. state, id) == 1 end

    local group = redis.call("HGET", task, "group") or ""
    local waiting = queue_prefix .. "g:" .. group
    if redis.call("ZREM", waiting, id) == 0 then return false end
    if redis.call("EXISTS", waiting) == 0 then redis.call("SREM", groups, group) end
    return true
end
