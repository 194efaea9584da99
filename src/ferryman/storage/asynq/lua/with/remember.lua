-- Remembers a failed attempt beside its job, which keeps the latest error only: the newest 20,
-- until the job has been over for a week, or for as long as asynq keeps what was given up.
-- Uses attempts_prefix and now.
local WEEK, KEPT = 604800, 7776000

local function remember(id, attempt, until_second)
    if attempt == "" then return end
    local attempts = attempts_prefix .. id
    redis.call("LPUSH", attempts, attempt)
    redis.call("LTRIM", attempts, 0, 19)
    redis.call("EXPIRE", attempts, math.min(math.max(until_second - now, 0) + WEEK, KEPT))
end
