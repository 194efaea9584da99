-- Delete jobs that worked and are not kept.
--
-- active           list    ids being worked on, the newest at the left
-- lease            zset    id, scored by the second at which its lease runs out
-- processed_today  int     jobs worked today
-- processed        int     jobs worked in all
-- task_prefix      string  what a job's hash is called but for the id
-- expire_at        int     the second at which today's counters are forgotten
-- expired_by       int     the second by which the leases must have run out, or ""
-- then for each job: its id, the message with which it was taken or "", its lock or ""
--
-- Returns for each job 1, or 0 where it was not ours any more.
local active, lease, processed_today, processed = unpack(KEYS)
local task_prefix, expire_at, expired_by = unpack(ARGV, 1, 3)

-- with take_back
-- with release
-- with count

local answers, gone = take_back(4, 3), {}
for n, is_ours in ipairs(answers) do
    if is_ours == 1 then
        local i = 4 + (n - 1) * 3
        local id, lock = ARGV[i], ARGV[i + 2]
        gone[#gone + 1] = task_prefix .. id
        release(lock, id)
    end
end
if #gone > 0 then redis.call("DEL", unpack(gone)) end
count(#gone)
return answers
