-- Set the tasks of a group aside to be made into one, if it is time for that.
--
-- waiting           zset    ids that wait in the group, scored by the second they came
-- staged            zset    the set they are put into, which does not exist yet
-- aggregation_sets  zset    keys of such sets, scored by the second at which they are given back
-- groups            set     groups in which tasks wait
-- group             string  the group's name
-- task_prefix       string  what a task's hash is called but for the id
-- most              int     how many go into one set, 0 for any number; so many are due at once
-- waited_since      int     the group is due when its oldest came until this second, or "" for never
-- quiet_since       int     the group is due when its newest came until this second
-- give_back_at      int     the second at which the set is given back
--
-- Returns the messages of the new set, none when it is not time.  An id whose hash has
-- vanished is dropped: there is no task.
local waiting, staged, aggregation_sets, groups = unpack(KEYS)
local group, task_prefix, most, waited_since, quiet_since, give_back_at = unpack(ARGV)

local size = redis.call("ZCARD", waiting)
most = tonumber(most)
if size == 0 then return {} end

local function score(rank) return tonumber(redis.call("ZRANGE", waiting, rank, rank, "WITHSCORES")[2]) end

local is_full = most > 0 and size >= most
local is_late = waited_since ~= "" and score(0) <= tonumber(waited_since)
if not is_full and not is_late and score(-1) > tonumber(quiet_since) then return {} end

redis.call("ZCARD", aggregation_sets) -- whatever is of a wrong type must say so before the first write
redis.call("SCARD", groups)
local taken = most > 0 and math.min(most, size) or size
local found = {}
local oldest = redis.call("ZRANGE", waiting, 0, taken - 1, "WITHSCORES")
for i = 1, #oldest, 2 do
    local message = redis.call("HGET", task_prefix .. oldest[i], "msg")
    if message then
        redis.call("ZADD", staged, oldest[i + 1], oldest[i])
        found[#found + 1] = message
    end
end
redis.call("ZREMRANGEBYRANK", waiting, 0, taken - 1)
if #found > 0 then redis.call("ZADD", aggregation_sets, give_back_at, staged) end
if taken == size then redis.call("SREM", groups, group) end
return found
