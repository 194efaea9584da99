-- Say that a server is alive, and what it works on.
--
-- server   string  its ServerInfo
-- workers  hash    id of each task it works on → WorkerInfo
-- ours     string  what only ferryman's workers say of themselves
-- ttl      int     for how many seconds that is true
-- forgotten int    for how many seconds ours stays
-- info     string  the ServerInfo
-- more     string  the value of ours
-- then for each task: its id, its WorkerInfo
local server, workers, ours = unpack(KEYS)
local ttl, forgotten, info, more = unpack(ARGV, 1, 4)

redis.call("DEL", workers) -- first, for a script that has written may go on in a full memory
redis.call("SETEX", server, ttl, info)
redis.call("SETEX", ours, forgotten, more)
for i = 5, #ARGV, 2 do redis.call("HSET", workers, ARGV[i], ARGV[i + 1]) end
redis.call("EXPIRE", workers, ttl)
