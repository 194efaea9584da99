-- Releases the lock of a unique job, if it still is this job's.
local function release(lock, id)
    if lock ~= "" and redis.call("GET", lock) == id then redis.call("DEL", lock) end
end
