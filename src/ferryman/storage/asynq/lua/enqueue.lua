-- Store jobs that may run at once: all of them, or none when an id is taken.
--
-- pending      list    ids waiting to run, the next one at the right
-- task_prefix  string  what a job's hash is called but for the id
-- now_ns       int     the time, in nanoseconds
-- then for each job: its id, its message
--
-- Returns 0, or the place (from 1) of the first job whose id is taken.
local pending = unpack(KEYS)
local task_prefix, now_ns = unpack(ARGV, 1, 2)

redis.call("LLEN", pending) -- whatever is of a wrong type must say so before the first write

local ids, tasks = {}, {}
for i = 3, #ARGV, 2 do
    ids[#ids + 1] = ARGV[i]
    tasks[#tasks + 1] = task_prefix .. ARGV[i]
end
if redis.call("EXISTS", unpack(tasks)) > 0 then
    for n, task in ipairs(tasks) do
        if redis.call("EXISTS", task) == 1 then return n end
    end
end
for n, task in ipairs(tasks) do
    redis.call("HSET", task, "msg", ARGV[2 + 2 * n], "state", "pending", "pending_since", now_ns)
end
redis.call("LPUSH", pending, unpack(ids))
return 0
