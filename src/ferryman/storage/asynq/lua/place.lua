-- Store jobs of any kind, each where it belongs: all of them, or none when an id is taken.
-- A unique job takes its lock, and is left out when another holds it; so is a run of a
-- schedule that somebody has stored already.
--
-- pending       list    ids waiting to run, the next one at the right
-- scheduled     zset    id, scored by the second at which it is due
-- groups        set     groups in which jobs wait
-- task_prefix   string  what a job's hash is called but for the id
-- group_prefix  string  what a group's zset is called but for its name
-- now           int     the time, in seconds
-- now_ns        int     the same, in nanoseconds
-- then for each job: its id, its message, the second at which it is due or "", its group
-- or "", the key of its lock or "", for how many seconds the lock is valid, and the key of
-- its run or ""
--
-- Returns for each job 1, or {holder's id, holder's state} when its lock or its run is taken;
-- or one number alone, the place (from 1) of the first job whose id is taken.
local pending, scheduled, groups = unpack(KEYS)
local task_prefix, group_prefix, now, now_ns = unpack(ARGV, 1, 4)
local FIRST, WIDTH = 5, 7
-- Longer than two clocks are apart, or a process stands still: then each would store the run.
local RUN_SECONDS = 3600

redis.call("LLEN", pending) -- whatever is of a wrong type must say so before the first write
redis.call("ZCARD", scheduled)
redis.call("SCARD", groups)

for i = FIRST, #ARGV, WIDTH do
    if redis.call("EXISTS", task_prefix .. ARGV[i]) == 1 then return (i - FIRST) / WIDTH + 1 end
end

local function put(id, message, due, group, lock)
    local task, state = task_prefix .. id, "pending"
    if due ~= "" then
        redis.call("ZADD", scheduled, due, id)
        state = "scheduled"
    elseif group ~= "" then
        redis.call("ZADD", group_prefix .. group, now, id)
        state = "aggregating"
    else
        redis.call("LPUSH", pending, id)
        redis.call("HSET", task, "pending_since", now_ns)
    end
    redis.call("HSET", task, "msg", message, "state", state)
    if lock ~= "" then redis.call("HSET", task, "unique_key", lock) end
    if group ~= "" then
        -- Of a scheduled job too: this field is what brings it there when it is due.
        redis.call("HSET", task, "group", group)
        redis.call("SADD", groups, group)
    end
end

-- Takes what only one job may hold, or returns whose it is.
local function take(key, id, seconds)
    if key == "" or redis.call("SET", key, id, "NX", "EX", seconds) then return nil end
    return redis.call("GET", key)
end

local answers = {}
for i = FIRST, #ARGV, WIDTH do
    local id, message, due, group, lock, seconds, run = unpack(ARGV, i, i + WIDTH - 1)
    local holder = take(run, id, RUN_SECONDS) or take(lock, id, seconds)
    if holder then
        answers[#answers + 1] = {holder, redis.call("HGET", task_prefix .. holder, "state") or ""}
    else
        put(id, message, due, group, lock)
        answers[#answers + 1] = 1
    end
end
return answers
