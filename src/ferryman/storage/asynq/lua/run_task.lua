-- Make a task pending, whatever it waits for: it runs when its turn comes.
--
-- task          hash    the task
-- pending       list    ids waiting to run, the next one at the right
-- groups        set     groups in which tasks wait
-- id            string  the task's
-- queue_prefix  string  what a collection is called but for its state
-- lock          string  the key of its unique lock, or ""
-- now_ns        int     the time, in nanoseconds
--
-- Returns 1, or without having changed anything 0 when there is no task, -1 when it is active,
-- -2 when it is pending, -3 when it is not where its state says, and the id of whoever holds its lock.
local task, pending, groups = unpack(KEYS)
local id, queue_prefix, lock, now_ns = unpack(ARGV)

-- with leave

local state = redis.call("HGET", task, "state")
if not state then return 0 end
if state == "active" then return -1 end
if state == "pending" then return -2 end

local holder = lock ~= "" and redis.call("GET", lock)
if holder and holder ~= id then return holder end

redis.call("LLEN", pending) -- whatever is of a wrong type must say so before the first write
if not leave(state) then return -3 end
redis.call("LPUSH", pending, id)
redis.call("HSET", task, "state", "pending", "pending_since", now_ns)
return 1
