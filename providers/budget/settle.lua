-- A call was answered: from now on it counts from this moment.
-- KEYS: the calls of each limit that it was taken from. ARGV: ticket.
local time = redis.call("TIME")
local now = string.format("%.0f", time[1] * 1000000 + time[2])
for _, calls in ipairs(KEYS) do redis.call("ZADD", calls, "XX", now, ARGV[1]) end
