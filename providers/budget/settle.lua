-- A call was answered, or failed: it counts from now, also where it took longer than it may. What the answer
-- said is kept, and whether it was an error: in a ring of bits behind a counter of 32 bits.
-- KEYS: the epoch, what was heard last, the outcomes, then the calls of each limit. ARGV: the caller's
-- generation, the ticket, what was heard ("" for nothing), its life (s), "1" for an error, "0" for none or ""
-- without an answer, the ring's size and its life (s), and for each limit how long its calls are kept (ms).
-- Answers {"settled"} or {"moved", generation}.
if generation == "" or generation ~= ARGV[1] then return {"moved", generation} end
if ARGV[3] ~= "" then redis.call("SET", KEYS[2], ARGV[3], "EX", ARGV[4]) end
if ARGV[5] ~= "" then
  local count = redis.call("BITFIELD", KEYS[3], "OVERFLOW", "WRAP", "INCRBY", "u32", 0, 1)[1]
  redis.call("SETBIT", KEYS[3], 32 + count % ARGV[6], ARGV[5])
  redis.call("EXPIRE", KEYS[3], ARGV[7])
end
for i = 4, #KEYS do
  redis.call("ZADD", KEYS[i], now, ARGV[2])
  redis.call("PEXPIRE", KEYS[i], ARGV[i + 4])
end
return {"settled"}
