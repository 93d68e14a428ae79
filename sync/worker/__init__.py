"""What a worker's parent does beside Celery: show its pulse, watch over itself, stop in good order."""
