-- Give a task that waits for its time another message.
--
-- task     hash    the task
-- seen     string  the message that it must have still
-- message  string  the message to keep
--
-- Returns 1, or without having changed anything 0 when there is no task, -2 when it does not
-- wait for its time, and -4 when it has another message.
local task = unpack(KEYS)
local seen, message = unpack(ARGV)

local state, held = unpack(redis.call("HMGET", task, "state", "msg"))
if not state then return 0 end
if state ~= "scheduled" then return -2 end
if held ~= seen then return -4 end
redis.call("HSET", task, "msg", message)
return 1
