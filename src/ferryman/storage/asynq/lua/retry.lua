-- Let jobs that failed wait for their next attempt.
--
-- active           list    ids being worked on, the newest at the left
-- lease            zset    id, scored by the second at which its lease runs out
-- retry            zset    id, scored by the second of its next attempt
-- processed_today  int     jobs worked today
-- failed_today     int     of these, failures
-- processed        int     jobs worked in all
-- failed           int     of these, failures
-- task_prefix      string  what a job's hash is called but for the id
-- attempts_prefix  string  the same for the list of its failed attempts
-- now              int     the time, in seconds
-- expire_at        int     the second at which today's counters are forgotten
-- expired_by       int     the second by which the leases must have run out, or ""
-- counted          int     1 if this is a failure that asynq's counters are to show, else 0
-- then for each job: its id, the message with which it was taken, the message to keep,
-- the second of its next attempt, its result or "", what to remember of this attempt or ""
--
-- Returns for each job 1, or 0 where it was not ours any more.
local active, lease, retry, processed_today, failed_today, processed, failed = unpack(KEYS)
local task_prefix, attempts_prefix, now, expire_at, expired_by, counted = unpack(ARGV, 1, 6)

redis.call("ZCARD", retry)
-- with take_back
-- with count
-- with remember

local answers, ours = take_back(7, 6), 0
for n, is_ours in ipairs(answers) do
    if is_ours == 1 then
        local i = 7 + (n - 1) * 6
        local id, _, kept, at, result, attempt = unpack(ARGV, i, i + 5)
        redis.call("ZADD", retry, at, id)
        redis.call("HSET", task_prefix .. id, "msg", kept, "state", "retry")
        if result ~= "" then redis.call("HSET", task_prefix .. id, "result", result) end
        remember(id, attempt, tonumber(at))
        ours = ours + 1
    end
end
if counted == "1" then count(ours, true) end
return answers
