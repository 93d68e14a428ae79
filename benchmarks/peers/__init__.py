"""Others, doing the same work in the same run: plain Celery, and BullMQ in Node.

Each writes one row of history per job, by whose own times its rate is told. Jobs lie in the queue
before the worker starts, and the first of them are left out: they warm it up.
"""
