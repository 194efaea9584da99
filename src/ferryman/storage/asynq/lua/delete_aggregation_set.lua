-- Delete a set of tasks that were made into one, and release their unique locks.
--
-- staged            zset    ids of the tasks
-- aggregation_sets  zset    keys of such sets, scored by the second at which they are given back
-- task_prefix       string  what a task's hash is called but for the id
-- then for each task that is unique: its id, and the key of its lock
--
-- Returns 1, or 0 when the set was given back meanwhile: then its tasks wait again.
local staged, aggregation_sets = unpack(KEYS)
local task_prefix = unpack(ARGV, 1, 1)

-- with release

if redis.call("ZREM", aggregation_sets, staged) == 0 then return 0 end
for _, id in ipairs(redis.call("ZRANGE", staged, 0, -1)) do redis.call("DEL", task_prefix .. id) end
redis.call("DEL", staged)
for i = 2, #ARGV, 2 do release(ARGV[i + 1], ARGV[i]) end
return 1
