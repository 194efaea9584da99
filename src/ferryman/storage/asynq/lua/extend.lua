-- Lease jobs anew, those that still are leased; no lease becomes shorter.
--
-- lease        zset    id, scored by the second at which its lease runs out
-- lease_until  int     the second until which they are leased
-- then their ids
local lease = unpack(KEYS)
local lease_until = unpack(ARGV, 1, 1)

-- Removes nothing.  But a script that has written may go on in a full memory, where a ZADD
-- is refused: jobs that run must not lose their leases then.
redis.call("ZREM", lease, "")
for i = 2, #ARGV do redis.call("ZADD", lease, "XX", "GT", lease_until, ARGV[i]) end
