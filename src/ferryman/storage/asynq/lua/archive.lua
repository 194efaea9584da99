-- Put jobs aside that are not tried again, and delete the oldest of those there.
--
-- active           list    ids being worked on, the newest at the left
-- lease            zset    id, scored by the second at which its lease runs out
-- archived         zset    id, scored by the second at which it was put aside
-- processed_today  int     jobs worked today
-- failed_today     int     of these, failures
-- processed        int     jobs worked in all
-- failed           int     of these, failures
-- task_prefix      string  what a job's hash is called but for the id
-- attempts_prefix  string  the same for the list of its failed attempts
-- expire_at        int     the second at which today's counters are forgotten
-- expired_by       int     the second by which the leases must have run out, or ""
-- now              int     the time, in seconds
-- cutoff           int     what was put aside until this second is deleted
-- most             int     how many may stay
-- then for each job: its id, the message with which it was taken, the message to keep,
-- its result or "", the key of its unique lock when that is to be released, or "", what to
-- remember of this attempt or ""
--
-- Returns for each job 1, or 0 where it was not ours any more.
local active, lease, archived, processed_today, failed_today, processed, failed = unpack(KEYS)
local task_prefix, attempts_prefix, expire_at, expired_by, now, cutoff, most = unpack(ARGV, 1, 7)

redis.call("ZCARD", archived)
-- with take_back
-- with release
-- with count
-- with trim
-- with remember

local answers, ours = take_back(8, 6), 0
for n, is_ours in ipairs(answers) do
    if is_ours == 1 then
        local i = 8 + (n - 1) * 6
        local id, _, kept, result, lock, attempt = unpack(ARGV, i, i + 5)
        redis.call("ZADD", archived, now, id)
        redis.call("HSET", task_prefix .. id, "msg", kept, "state", "archived")
        if result ~= "" then redis.call("HSET", task_prefix .. id, "result", result) end
        release(lock, id)
        remember(id, attempt, now + KEPT)
        ours = ours + 1
    end
end
if ours > 0 then trim() end
count(ours, true)
return answers
