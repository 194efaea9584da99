-- Give jobs back that were not worked to their end: they are the next to run.
--
-- active       list    ids being worked on, the newest at the left
-- lease        zset    id, scored by the second at which its lease runs out
-- pending      list    ids waiting to run, the next one at the right
-- task_prefix  string  what a job's hash is called but for the id
-- expired_by   int     the second by which the leases must have run out, or ""
-- now_ns       int     the time, in nanoseconds
-- then for each job: its id, the message with which it was taken
--
-- Returns for each job 1, or 0 where it was not ours any more.
local active, lease, pending = unpack(KEYS)
local task_prefix, expired_by, now_ns = unpack(ARGV, 1, 3)

redis.call("LLEN", pending)
-- with take_back

local answers = take_back(4, 2)
for n, is_ours in ipairs(answers) do
    if is_ours == 1 then
        local id = ARGV[4 + (n - 1) * 2]
        redis.call("RPUSH", pending, id)
        redis.call("HSET", task_prefix .. id, "state", "pending", "pending_since", now_ns)
    end
end
return answers
