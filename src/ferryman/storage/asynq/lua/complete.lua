-- Keep jobs that worked, for as long as they said.
--
-- active           list    ids being worked on, the newest at the left
-- lease            zset    id, scored by the second at which its lease runs out
-- completed        zset    id, scored by the second from which it may be deleted
-- processed_today  int     jobs worked today
-- processed        int     jobs worked in all
-- task_prefix      string  what a job's hash is called but for the id
-- expire_at        int     the second at which today's counters are forgotten
-- expired_by       int     the second by which the leases must have run out, or ""
-- then for each job: its id, the message with which it was taken, the message to keep,
-- the second from which it may be deleted, its lock or "", its result or ""
--
-- Returns for each job 1, or 0 where it was not ours any more.
local active, lease, completed, processed_today, processed = unpack(KEYS)
local task_prefix, expire_at, expired_by = unpack(ARGV, 1, 3)

redis.call("ZCARD", completed)
-- with take_back
-- with release
-- with count

local answers, ours = take_back(4, 6), 0
for n, is_ours in ipairs(answers) do
    if is_ours == 1 then
        local i = 4 + (n - 1) * 6
        local id, _, kept, until_second, lock, result = unpack(ARGV, i, i + 5)
        redis.call("ZADD", completed, until_second, id)
        redis.call("HSET", task_prefix .. id, "msg", kept, "state", "completed")
        if result ~= "" then redis.call("HSET", task_prefix .. id, "result", result) end
        release(lock, id)
        ours = ours + 1
    end
end
count(ours)
return answers
