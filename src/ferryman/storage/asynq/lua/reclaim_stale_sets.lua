-- Give tasks back to their groups that somebody set aside and did nothing with for too long.
--
-- aggregation_sets  zset    keys of sets of such tasks, scored by the second at which they are given back
-- groups            set     groups in which tasks wait
-- group_prefix      string  what a group's zset is called but for its name
-- now               int     the time, in seconds
local aggregation_sets, groups = unpack(KEYS)
local group_prefix, now = unpack(ARGV)

redis.call("SCARD", groups) -- whatever is of a wrong type must say so before the first write
for _, staged in ipairs(redis.call("ZRANGEBYSCORE", aggregation_sets, "-inf", now)) do
    local waiting = string.match(staged, "^(.*):[^:]*$")
    local tasks = redis.call("ZRANGE", staged, 0, -1, "WITHSCORES")
    for i = 1, #tasks, 2 do redis.call("ZADD", waiting, tasks[i + 1], tasks[i]) end
    -- Or nobody would look for them there.
    if #tasks > 0 then redis.call("SADD", groups, string.sub(waiting, #group_prefix + 1)) end
    redis.call("DEL", staged)
    redis.call("ZREM", aggregation_sets, staged)
end
