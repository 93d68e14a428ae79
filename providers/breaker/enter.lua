-- May a call be made? Where the circuit is open and its time has come, the first who asks is the probe. One
-- that a single ad account opened is open for that one only.
-- KEYS: the circuit. ARGV: the call's ticket, its ad account, how long a probe may take (us), how long those
-- beside one wait. Answers {"pass", failures in a row}, {"probe", 0} or {"shut", until (us)}.
local state = redis.call("HMGET", KEYS[1], "until", "probe_until", "failures", "probe", "who")
local opens, probed = tonumber(state[1]), tonumber(state[2])
if not opens then return {"pass", tonumber(state[3] or 0)} end
if state[5] ~= "" and state[5] ~= ARGV[2] then return {"pass", 1} end
if now < opens then return {"shut", opens} end
-- asked twice, where the first answer was lost with its connection, it is still the probe
if probed and now < probed and state[4] ~= ARGV[1] then return {"shut", math.min(probed, now + ARGV[4])} end
redis.call("HSET", KEYS[1], "probe", ARGV[1], "probe_until", now + ARGV[3])
return {"probe", 0}
