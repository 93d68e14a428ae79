-- A probe that was not sent after all: the next one who asks is it.
-- KEYS: the circuit. ARGV: the call's ticket.
if redis.call("HGET", KEYS[1], "probe") == ARGV[1] then redis.call("HDEL", KEYS[1], "probe", "probe_until") end
