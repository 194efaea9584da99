-- Counts jobs as asynq's tools read it: by day, for 90 days, and in all.  A total that
-- has no room left begins anew.
-- Uses processed_today, processed, expire_at, and for failures failed_today and failed.
local MOST = 9223372036854775807

local function count_one(today, total, jobs, full)
    if redis.call("INCRBY", today, jobs) == jobs then redis.call("EXPIREAT", today, expire_at) end
    if full then redis.call("SET", total, jobs) else redis.call("INCRBY", total, jobs) end
end

local function count(jobs, are_failures)
    if jobs == 0 then return end
    local full = tonumber(redis.call("GET", processed) or 0) + jobs >= MOST
    count_one(processed_today, processed, jobs, full)
    if are_failures then count_one(failed_today, failed, jobs, full) end
end
