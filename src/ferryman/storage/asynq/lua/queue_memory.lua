-- Work out about how much memory a queue takes, as asynq's inspector does: of each collection
-- the tasks at its head stand for all.
--
-- active, pending                        list  ids
-- scheduled, retry, archived, completed  zset  ids
-- groups                                 set   groups in which tasks wait
-- task_prefix   string  what a task's hash is called but for the id
-- group_prefix  string  what a group's zset is called but for its name
--
-- Returns the number of bytes.
local active, pending, scheduled, retry, archived, completed, groups = unpack(KEYS)
local task_prefix, group_prefix = unpack(ARGV)

local TASKS, GROUPS = 20, 5

local function bytes(key) return redis.call("MEMORY", "USAGE", key) or 0 end

local function of_tasks(sample, number)
    if #sample == 0 then return 0 end
    local sum = 0
    for _, id in ipairs(sample) do sum = sum + bytes(task_prefix .. id) end
    return sum / #sample * number
end

local total = 0
for _, list in ipairs({ active, pending }) do
    total = total + of_tasks(redis.call("LRANGE", list, 0, TASKS - 1), redis.call("LLEN", list)) + bytes(list)
end
for _, zset in ipairs({ scheduled, retry, archived, completed }) do
    total = total + of_tasks(redis.call("ZRANGE", zset, 0, TASKS - 1), redis.call("ZCARD", zset)) + bytes(zset)
end

local waiting, sample = 0, {}
for n, group in ipairs(redis.call("SMEMBERS", groups)) do
    waiting = waiting + redis.call("ZCARD", group_prefix .. group)
    if n <= GROUPS then
        for _, id in ipairs(redis.call("ZRANGE", group_prefix .. group, 0, TASKS - 1)) do sample[#sample + 1] = id end
    end
end
return math.floor(total + of_tasks(sample, waiting))
