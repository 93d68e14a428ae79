"""The queue: a table of runs in PostgreSQL.

Guarantees: a request that was answered ends in exactly one terminal state; one running run per
connection; exact order and concurrency over all machines; a worker that lost its lease writes nothing.
A message of the broker is only a hint that there may be work.
"""
