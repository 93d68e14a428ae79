-- Open a memory that was refilled; it stays shut when another was opened meanwhile, or when the refill lost
-- its claim: the server forgot it, or gave it to somebody else. After a restart nobody believes the run id.
-- KEYS: the epoch, the claim. ARGV: "<run id> <generation>" of the refill.
if redis.call("GET", KEYS[2]) == ARGV[1] then
  if generation == "" then redis.call("SET", KEYS[1], ARGV[1]) end
  redis.call("DEL", KEYS[2])
end
