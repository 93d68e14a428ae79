-- Take one call from every limit, or from none.
-- KEYS: the epoch, then for each limit the calls (a sorted set: ticket -> counted from) and the park.
-- ARGV: ticket, the longest that a call may take (us), and a JSON list of [[calls, window us], ...] per limit.
-- Answers {"taken"}, {"cold"} or {"refused", limit, window (0: parked), free at (us), why}.
if redis.call("EXISTS", KEYS[1]) == 0 then return {"cold"} end
local time = redis.call("TIME")
local now = time[1] * 1000000 + time[2]
local limits = cjson.decode(ARGV[3])
local latest, refused = 0, nil

local function refuse(limit, window, free_at, why)
  if free_at > latest then
    latest = free_at
    refused = {"refused", limit, window, string.format("%.0f", free_at), why}
  end
end

for i, windows in ipairs(limits) do
  local calls, park = KEYS[2 * i], KEYS[2 * i + 1]
  local parked = redis.call("HMGET", park, "until", "why")
  if parked[1] and tonumber(parked[1]) > now then
    refuse(i, 0, tonumber(parked[1]), parked[2])
  end
  for j, window in ipairs(windows) do
    local limit, span = window[1], window[2]
    local from = string.format("%.0f", now - span)
    local used = redis.call("ZCOUNT", calls, from, "+inf")
    if used >= limit then
      -- the call whose leaving makes room; one in flight may be answered at once, at the earliest
      local leaving = redis.call("ZRANGEBYSCORE", calls, from, "+inf", "WITHSCORES", "LIMIT", used - limit, 1)
      refuse(i, j, math.min(tonumber(leaving[2]), now) + span + 1, "")
    end
  end
end
if refused then return refused end

for i, windows in ipairs(limits) do
  local calls, longest = KEYS[2 * i], 0
  for _, window in ipairs(windows) do longest = math.max(longest, window[2]) end
  if longest > 0 then
    redis.call("ZREMRANGEBYSCORE", calls, "-inf", "(" .. string.format("%.0f", now - longest))
    redis.call("ZADD", calls, string.format("%.0f", now + ARGV[2]), ARGV[1])
    redis.call("PEXPIRE", calls, math.ceil((longest + ARGV[2]) / 1000) + 1000)
  end
end
return {"taken"}
