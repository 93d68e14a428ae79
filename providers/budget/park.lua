-- Let nothing be taken for some time; a longer park that is there stays.
-- KEYS: the park. ARGV: for how long (us), why.
local time = redis.call("TIME")
local ends = time[1] * 1000000 + time[2] + ARGV[1]
local parked = tonumber(redis.call("HGET", KEYS[1], "until") or "0")
if ends > parked then
  redis.call("HSET", KEYS[1], "until", string.format("%.0f", ends), "why", ARGV[2])
  redis.call("PEXPIRE", KEYS[1], math.ceil(ARGV[1] / 1000) + 1000)
end
