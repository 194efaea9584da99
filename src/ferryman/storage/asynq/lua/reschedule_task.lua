-- Let a task that waits wait until another time.
--
-- task          hash    the task
-- groups        set     groups in which tasks wait
-- id            string  the task's
-- queue_prefix  string  what a collection is called but for its state
-- due           int     the second at which it is due
--
-- Returns 1, or without having changed anything 0 when there is no task, -1 when it is active,
-- -2 when its state knows no time, and -3 when it is not where its state says.
local task, groups = unpack(KEYS)
local id, queue_prefix, due = unpack(ARGV)

-- with leave

local state = redis.call("HGET", task, "state")
if not state then return 0 end
if state == "active" then return -1 end
if state ~= "pending" and state ~= "scheduled" and state ~= "retry" then return -2 end

local into = state == "retry" and "retry" or "scheduled"
redis.call("ZCARD", queue_prefix .. into) -- whatever is of a wrong type must say so before the first write
if not leave(state) then return -3 end
redis.call("ZADD", queue_prefix .. into, due, id)
redis.call("HDEL", task, "pending_since")
redis.call("HSET", task, "state", into)
return 1
