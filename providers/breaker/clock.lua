-- Every script begins with this: the server's time in microseconds, which all workers share.
local time = redis.call("TIME")
local now = time[1] * 1000000 + time[2]
