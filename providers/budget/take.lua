-- Take one call from every limit, or from none.
-- KEYS: the epoch, then for each limit its calls (a sorted set: ticket -> counts from) and its park.
-- ARGV: the caller's generation, the ticket, the longest that a call may take (us), a JSON list of
-- [[calls, window us], ...] per limit, and "1" for background work, which parks of its own hold back.
-- Answers {"taken"}, {"moved", generation} or {"refused", limit, window (0: parked), free at (us), why}.
if generation == "" or generation ~= ARGV[1] then return {"moved", generation} end
local limits, background, refused = cjson.decode(ARGV[4]), ARGV[5] == "1", nil

local function refuse(limit, window, free_at, why)
  if not refused or free_at > refused[4] then refused = {"refused", limit, window, free_at, why} end
end

for i, windows in ipairs(limits) do
  local calls, park = KEYS[2 * i], KEYS[2 * i + 1]
  local parked = redis.call("HMGET", park, "until", "why", "background_until", "background_why")
  if parked[1] and tonumber(parked[1]) > now then refuse(i, 0, tonumber(parked[1]), parked[2]) end
  if background and parked[3] and tonumber(parked[3]) > now then refuse(i, 0, tonumber(parked[3]), parked[4]) end
  for j, window in ipairs(windows) do
    local limit, span = window[1], window[2]
    -- the window has room when the limit-th newest call has left it
    local newest = tonumber(redis.call("ZRANGE", calls, -limit, -limit, "WITHSCORES")[2])
    -- one in flight may be answered at once: that is the earliest moment at which it can leave
    if newest and newest >= now - span then refuse(i, j, math.min(newest, now) + span + 1, "") end
  end
end
if refused then return refused end

for i, windows in ipairs(limits) do
  local calls, longest = KEYS[2 * i], 0
  for _, window in ipairs(windows) do longest = math.max(longest, window[2]) end
  if longest > 0 then
    redis.call("ZREMRANGEBYSCORE", calls, "-inf", now - longest - 1)
    redis.call("ZADD", calls, now + ARGV[3], ARGV[2])
    redis.call("PEXPIRE", calls, math.ceil((longest + ARGV[3]) / 1000) + 1000)
  end
end
return {"taken"}
