-- Read one task, and where it stands in the collection of its state.
--
-- task          hash    the task
-- id            string  the task's
-- queue_prefix  string  what a collection is called but for its state
--
-- Returns message, state, result, pending_since, its score in its state's zset, and the
-- second at which its lease runs out; nil for what there is not, and for all when there
-- is no task.
local task = unpack(KEYS)
local id, queue_prefix = unpack(ARGV)

local found = redis.call("HMGET", task, "msg", "state", "result", "pending_since", "group")
local message, state, result, pending_since, group = unpack(found)
if not state then return nil end

local score, lease = false, false
if state == "active" then
    lease = redis.call("ZSCORE", queue_prefix .. "lease", id)
elseif state == "aggregating" then
    score = redis.call("ZSCORE", queue_prefix .. "g:" .. (group or ""), id)
elseif state ~= "pending" then
    score = redis.call("ZSCORE", queue_prefix .. state, id)
end
return { message, state, result, pending_since, score, lease }
