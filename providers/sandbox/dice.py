"""Dice that fall the same way again.

Guarantee: a throw depends on its seed, its name and its number alone, not on what else was thrown in
between. So each ad account meets the same fate in every run, however the calls of others interleave.
"""

from hashlib import blake2b

_BITS = 53  # as many as a float holds, so that the highest number is still below 1


def throw(seed: int | str, name: str, number: int) -> float:
    """The `number`-th throw under this name: at least 0, below 1, uniform."""
    digest = blake2b(f"{seed}/{name}/{number}".encode(), digest_size=8).digest()
    return (int.from_bytes(digest, "big") >> (64 - _BITS)) / (1 << _BITS)
