-- Give up on a task that waits: it is put aside, and the oldest of those there are deleted.
--
-- task          hash    the task
-- archived      zset    id, scored by the second at which it was put aside
-- groups        set     groups in which tasks wait
-- id            string  the task's
-- queue_prefix  string  what a collection is called but for its state
-- task_prefix   string  what a task's hash is called but for the id
-- attempts_prefix  string  the same for the list of its failed attempts
-- seen          string  the message that it must have still, or "" for any
-- message       string  the message to keep, or "" when it stays as it is
-- lock          string  the key of its unique lock when that is to be released, or ""
-- now           int     the time, in seconds
-- cutoff        int     what was put aside until this second is deleted
-- most          int     how many may stay
--
-- Returns 1, or without having changed anything 0 when there is no task, -1 when it is active,
-- -2 when it is archived or completed, -3 when it is not where its state says, and -4 when
-- it has another message.
local task, archived, groups = unpack(KEYS)
local id, queue_prefix, task_prefix, attempts_prefix, seen, message, lock, now, cutoff, most = unpack(ARGV)

-- with leave
-- with release
-- with trim

local state = redis.call("HGET", task, "state")
if not state then return 0 end
if state == "active" then return -1 end
if state == "archived" or state == "completed" then return -2 end
if seen ~= "" and redis.call("HGET", task, "msg") ~= seen then return -4 end

redis.call("ZCARD", archived) -- whatever is of a wrong type must say so before the first write
if not leave(state) then return -3 end
redis.call("ZADD", archived, now, id)
redis.call("HSET", task, "state", "archived")
if message ~= "" then redis.call("HSET", task, "msg", message) end
release(lock, id)
trim()
return 1
