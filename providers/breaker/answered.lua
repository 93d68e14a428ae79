-- The platform answered: that ends a row of failures, and closes the circuit where it was a probe's answer, or
-- another ad account's than the one for which it is open. What began before it opened says nothing of now.
-- KEYS: the circuit, the open ones. ARGV: the call's ticket, its ad account, the circuit's name. Answers 1 when
-- it closed.
local state = redis.call("HMGET", KEYS[1], "until", "probe", "who")
local is_other = state[3] and state[3] ~= "" and state[3] ~= ARGV[2]
if state[1] and state[2] ~= ARGV[1] and not is_other then return 0 end
redis.call("DEL", KEYS[1])
return redis.call("SREM", KEYS[2], ARGV[3])
