-- Let nothing be taken for some time; a longer park that is there stays.
-- KEYS: the epoch, the park. ARGV: for how long (us), why.
local ends = now + ARGV[1]
if ends > tonumber(redis.call("HGET", KEYS[2], "until") or 0) then
  redis.call("HSET", KEYS[2], "until", ends, "why", ARGV[2])
  redis.call("PEXPIRE", KEYS[2], math.ceil(ARGV[1] / 1000) + 1000)
end
