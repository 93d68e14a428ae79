"""What is due: the tick, the hourly syncs, the clean-up. Each may run twice at once, harmlessly."""
