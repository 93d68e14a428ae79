"""What the web server takes; gunicorn reads this by itself, wherever in this folder it is started."""

limit_request_line = 8190  # bytes, the most that it can limit to: 200 of our ids behind one name fit
