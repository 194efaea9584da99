-- Move jobs that are due to where they run from: the queue, or the group they belong to.
--
-- scheduled     zset    id, scored by the second at which it is due
-- retry         zset    the same for jobs that failed
-- pending       list    ids waiting to run, the next one at the right
-- groups        set     groups in which jobs wait
-- task_prefix   string  what a job's hash is called but for the id
-- group_prefix  string  what a group's zset is called but for its name
-- now           int     the time, in seconds
-- now_ns        int     the same, in nanoseconds
-- limit         int     how many at most, up to 1000
--
-- Returns how many it moved.
local scheduled, retry, pending, groups = unpack(KEYS)
local task_prefix, group_prefix, now, now_ns, limit = unpack(ARGV)

-- with move_due

return move_due(tonumber(limit))
