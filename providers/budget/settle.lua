-- A call was answered, or failed: it counts from now, also where it took longer than it may.
-- KEYS: the epoch, then the calls of each limit. ARGV: the caller's generation, the ticket, and for each
-- limit how long its calls are kept (ms). Answers {"settled"} or {"moved", generation}.
if generation == "" or generation ~= ARGV[1] then return {"moved", generation} end
for i = 2, #KEYS do
  redis.call("ZADD", KEYS[i], now, ARGV[2])
  redis.call("PEXPIRE", KEYS[i], ARGV[i + 1])
end
return {"settled"}
