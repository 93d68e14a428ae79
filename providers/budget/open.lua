-- Open a memory that was refilled; it stays shut when another was opened meanwhile, or when this one's
-- refill lost its claim: the server forgot it, lived on, or gave it to somebody else.
-- KEYS: the epoch, the claim. ARGV: "<run id> <generation>" of the refill. Answers the open generation.
local is_ours = redis.call("GET", KEYS[2]) == ARGV[1]
if is_ours and generation == "" and string.sub(ARGV[1], 1, #run_id) == run_id then
  redis.call("SET", KEYS[1], ARGV[1])
  generation = string.sub(ARGV[1], #run_id + 2)
end
if is_ours then redis.call("DEL", KEYS[2]) end
return generation
