-- Every script begins with this: the server's time, and which generation of its memory is whole.
-- KEYS[1]: the epoch, "<run id> <generation>". One that an earlier life of the server wrote, or another
-- server before a fail-over, says nothing: the moments before that may be lost.
local time = redis.call("TIME")
local now = time[1] * 1000000 + time[2]
local run_id = string.match(redis.call("INFO", "server"), "run_id:(%x+)")
local generation = string.match(redis.call("GET", KEYS[1]) or "", "^" .. run_id .. " (.+)$") or ""
