-- Take one of the tokens of a semaphore; those whose time is up are free again.
--
-- tokens  zset    holders, scored by the second until which each may hold its token
-- most    int     how many tokens there are
-- now     int     the time, in seconds
-- ends    int     the second until which this holder may hold one
-- holder  string  who wants one
--
-- Returns 1 when the holder has one, and 0 when none is free.
local tokens = unpack(KEYS)
local most, now, ends, holder = unpack(ARGV)

redis.call("ZREMRANGEBYSCORE", tokens, "-inf", now - 1)
local has_one = redis.call("ZSCORE", tokens, holder)
if not has_one and redis.call("ZCARD", tokens) >= tonumber(most) then return 0 end
redis.call("ZADD", tokens, ends, holder)
return 1
