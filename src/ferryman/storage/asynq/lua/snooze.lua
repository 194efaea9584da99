-- Let jobs wait that asked to be run later; the attempt is not counted.
--
-- active       list    ids being worked on, the newest at the left
-- lease        zset    id, scored by the second at which its lease runs out
-- scheduled    zset    id, scored by the second at which it is due
-- task_prefix  string  what a job's hash is called but for the id
-- expired_by   int     the second by which the leases must have run out, or ""
-- then for each job: its id, the message with which it was taken, the second at which it is due
--
-- Returns for each job 1, or 0 where it was not ours any more.
local active, lease, scheduled = unpack(KEYS)
local task_prefix, expired_by = unpack(ARGV, 1, 2)

redis.call("ZCARD", scheduled)
-- with take_back

local answers = take_back(3, 3)
for n, is_ours in ipairs(answers) do
    if is_ours == 1 then
        local i = 3 + (n - 1) * 3
        local id, _, due = unpack(ARGV, i, i + 2)
        redis.call("ZADD", scheduled, due, id)
        redis.call("HSET", task_prefix .. id, "state", "scheduled")
    end
end
return answers
