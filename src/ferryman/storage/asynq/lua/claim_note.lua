-- Write a note unless there is one of its name, and say what stands there.
--
-- page  hash    name → text
-- name  string  the note's
-- text  string  what it says
-- ttl   int     seconds after which the page is forgotten if nothing else is written to it
local page = unpack(KEYS)
local name, text, ttl = unpack(ARGV)

if redis.call("HSETNX", page, name, text) == 1 then redis.call("EXPIRE", page, ttl) end
return redis.call("HGET", page, name)
