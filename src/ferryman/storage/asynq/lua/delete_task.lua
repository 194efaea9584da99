-- Delete a task that nobody works on, and release its unique lock.
--
-- task          hash    the task
-- attempts      list    what is remembered of its failed attempts
-- groups        set     groups in which tasks wait
-- id            string  the task's
-- queue_prefix  string  what a collection is called but for its state
-- lock          string  the key of its unique lock, or ""
--
-- Returns 1, or without having changed anything 0 when there is no task, -1 when it is active,
-- and -3 when it is being made into another with the rest of its group.
local task, attempts, groups = unpack(KEYS)
local id, queue_prefix, lock = unpack(ARGV)

-- with leave
-- with release

local state = redis.call("HGET", task, "state")
if not state then return 0 end
if state == "active" then return -1 end
-- A task of another state that is not in its collection is an orphan: deleting it is what helps.
if not leave(state) and state == "aggregating" then return -3 end
release(lock, id)
redis.call("DEL", task, attempts)
return 1
