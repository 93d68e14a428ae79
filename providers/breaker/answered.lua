-- The platform answered: that ends a row of failures, and a probe's answer closes the circuit. What began
-- before it opened says nothing of now.
-- KEYS: the circuit, the open ones. ARGV: the call's ticket, the circuit's name. Answers 1 when it closed.
local state = redis.call("HMGET", KEYS[1], "until", "probe")
if state[1] and state[2] ~= ARGV[1] then return 0 end
redis.call("DEL", KEYS[1])
return redis.call("SREM", KEYS[2], ARGV[2])
