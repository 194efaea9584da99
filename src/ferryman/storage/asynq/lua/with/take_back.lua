-- Takes jobs from those being worked on, each if it still is the attempt that was meant:
-- it is leased, and has the very message with which it was taken, which every retry
-- changes.  A job whose hash has vanished is let go of, and is nobody's.
-- Uses active, lease, task_prefix, and expired_by: "", or the second by which the lease
-- must have run out.
redis.call("LLEN", active) -- whatever is of a wrong type must say so before the first write

-- Takes those of `left` ids that stand within `depth` of one end of the list, all at once,
-- if that is where most of them are.  Returns how many are left.
local function take_end(at_head, depth, ids, left)
    local there = redis.call("LRANGE", active, at_head and 0 or -depth, at_head and depth - 1 or -1)
    local others, found, reach, passed = {}, 0, 0, 0
    for n = 1, #there do
        local id = there[at_head and n or #there + 1 - n]
        if ids[id] then
            found, reach, passed = found + 1, n, #others
            if found == left then break end
        else
            others[#others + 1] = id
        end
    end
    if found * 2 < left then return left end
    redis.call("LTRIM", active, at_head and reach or 0, at_head and -1 or -reach - 1)
    local back = {}
    for n = passed, 1, -1 do back[#back + 1] = others[n] end
    if passed > 0 then redis.call(at_head and "LPUSH" or "RPUSH", active, unpack(back)) end
    return left - found
end

-- Ids enter at the head, so what finishes in order is found at the tail, and where the tail
-- runs for long near the head.  Only what is elsewhere is searched for one by one.
local function take_from_active(list, ids)
    local at_head = not ids[redis.call("LINDEX", active, -1)]
    local left = take_end(at_head, 3 * #list + 16, ids, #list)
    if left > 4 then left = take_end(not at_head, 3 * #list + 16, ids, left) end
    if left == 0 then return end
    for _, id in ipairs(list) do redis.call("LREM", active, 1, id) end
end

-- Whether a job's message is the one that was meant ("" is any), and whether it has one at all.
local function look(id, message)
    if message == "" then return true, true end
    local held = redis.call("HGET", task_prefix .. id, "msg")
    return held == message, held
end

-- The id of the first job is ARGV[first], its message the next, that of the second `width`
-- further.  Returns for each job 1, or 0 where it is not ours any more.
local function take_back(first, width)
    local list = {}
    for i = first, #ARGV, width do list[#list + 1] = ARGV[i] end
    local leases = redis.call("ZMSCORE", lease, unpack(list))
    local answers, taken, ids = {}, {}, {}
    for n, id in ipairs(list) do
        answers[n] = 0
        local until_second = not ids[id] and leases[n]
        if until_second and (expired_by == "" or tonumber(until_second) <= tonumber(expired_by)) then
            local same, held = look(id, ARGV[first + (n - 1) * width + 1])
            if same then answers[n] = 1 end
            if same or not held then
                taken[#taken + 1] = id
                ids[id] = true
            end
        end
    end
    if #taken > 0 then
        redis.call("ZREM", lease, unpack(taken))
        take_from_active(taken, ids)
    end
    return answers
end
