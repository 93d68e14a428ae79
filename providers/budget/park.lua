-- Let nothing be taken for some time, or nothing by background work; a longer such park that is there stays.
-- KEYS: the epoch, the park. ARGV: for how long (us), why, and what stands before its fields ("" or
-- "background_").
local until_field, ends = ARGV[3] .. "until", now + ARGV[1]
if ends > tonumber(redis.call("HGET", KEYS[2], until_field) or 0) then
  redis.call("HSET", KEYS[2], until_field, ends, ARGV[3] .. "why", ARGV[2])
  local kept = math.ceil(ARGV[1] / 1000) + 1000
  if kept > redis.call("PTTL", KEYS[2]) then redis.call("PEXPIRE", KEYS[2], kept) end
end
