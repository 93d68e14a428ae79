-- A call met a platform that is down. As many in a row open the circuit, a probe opens it for longer; one
-- that began before it opened tells nothing new, unless it is another ad account's than the one for which
-- the circuit is open: then it is open for all.
-- KEYS: the circuit, the open ones. ARGV: the call's ticket, its ad account, the circuit's name, how many in a
-- row, the first and the longest time that it is open (us), a factor of that, how long a row is kept, and an
-- open circuit that nobody asks for (ms), and the error in words.
-- Answers {"counted"} or {"open", until (us), since (us), 1 for the probe or for who opened it}.
local state = redis.call("HMGET", KEYS[1], "until", "span", "since", "probe", "who")
local opens, span, since, who = tonumber(state[1]), tonumber(state[2]), tonumber(state[3]), state[5]
if who and who ~= ARGV[2] then who = "" end
if not opens then
  who = who or ARGV[2]
  local failures = redis.call("HINCRBY", KEYS[1], "failures", 1)
  redis.call("HSET", KEYS[1], "who", who)
  redis.call("PEXPIRE", KEYS[1], ARGV[8])
  if failures < tonumber(ARGV[4]) then return {"counted"} end
  span, since = tonumber(ARGV[5]), now
elseif state[4] == ARGV[1] then
  span = math.min(2 * span, tonumber(ARGV[6]))
else
  redis.call("HSET", KEYS[1], "who", who)
  return {"open", opens, since, 0}
end
opens = now + math.floor(span * ARGV[7])
redis.call("DEL", KEYS[1])
redis.call("HSET", KEYS[1], "until", opens, "span", span, "since", since, "who", who, "why", ARGV[10])
redis.call("PEXPIRE", KEYS[1], math.ceil((opens - now) / 1000) + ARGV[9])
redis.call("SADD", KEYS[2], ARGV[3])
return {"open", opens, since, 1}
