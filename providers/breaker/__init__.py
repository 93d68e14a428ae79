"""Circuit breakers: one per provider and endpoint, shared by all workers, in Redis or Valkey.

Guarantee: while an endpoint is down, nothing is sent to it but one probe at a time, and nobody's
attempt is used; a probe whose worker dies is given to another. Only a platform that is down counts,
never a limit or a refusal. Without the store everything passes: the budget beside it refuses then.
"""

from providers.breaker.breaker import EndpointBreaker
from providers.breaker.circuits import Circuit, Circuits

__all__ = ["Circuit", "Circuits", "EndpointBreaker"]
