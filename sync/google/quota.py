"""Who may use how much of the day: the rules, and when something is free again. Pure.

A day of operations has four parts. Up to `lent` everybody goes on, but nobody beyond its share with more
than what no schedule needs. From there to `most` only accounts within their share go on, so one tenant's
bulk can't take what others come for. What is above the most of background work is the reserve, for people.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from sync.models.google import DAY

LONG_AGO = datetime.min.replace(tzinfo=UTC)
LAST_PART = 0.1  # of the day's operations: lent to nobody, so that others find a tenth of it at any time
UNPLANNED = 0.05  # of them: first syncs, retries and people, before anybody has to be alarmed
ALERT = 0.7  # of them: more than is planned for; what comes now is going to be refused before long


class Counted(NamedTuple):
    """The operations that leave the day together: 24 hours after the end of their minute."""

    until: datetime
    calls: int


@dataclass(frozen=True)
class Quota:
    """What one account's work may take of a project's operations, in any 24 hours."""

    limit: int  # the project's, as the platform has it
    most: int  # for this kind of work, by all accounts together
    lent: int  # up to which also an account goes on that has used its share
    share: int  # the account's, which nobody else's work takes from it for long
    utmost: int  # of the account, with what is lent to it

    @classmethod
    def of(
        cls, limit: int, *, reserve: float, weight: int, weights: int, scheduled: int = 0, own: int = 0
    ) -> "Quota":
        """`weights`: of all accounts that use the project; an account that is not among them yet counts.

        `scheduled`: what the scheduled syncs of all accounts need; `own`: of it, the account's.
        """
        # without the summand, a product that is a whole number may be rounded off it
        most = max(1, math.floor(limit * (1 - reserve) + 1e-9))
        lent = max(1, most - math.ceil(limit * LAST_PART - 1e-9))
        share = max(1, most * weight // max(weight, weights), own)
        return cls(limit, most, lent, share, utmost=share + max(0, lent - scheduled))

    @property
    def planned(self) -> int:
        """What the schedule may plan with: so much that it never meets a limit by itself."""
        return max(1, self.lent - math.floor(self.limit * UNPLANNED))

    @property
    def alert(self) -> int:
        """From so many on, by all accounts together, people are warned."""
        return math.ceil(self.limit * ALERT - 1e-9)

    def allows(self, *, project: int, account: int) -> bool:
        """Whether one more operation is allowed after so many, of all and of the account."""
        is_lent = project < self.lent and account < self.utmost
        return project < self.most and (account < self.share or is_lent)

    def refusal(self, *, project: int) -> str:
        """Why not, as a part of a sentence."""
        allowed = f"Google's project may make {self.limit:,} operations in 24 hours"
        if project < self.most:
            return f"{allowed}; this account has used its share of {self.share:,}, the rest is for others"
        return allowed if self.most == self.limit else f"{allowed}, {self.most:,} of them in the background"

    def free_at(self, project: Iterable[Counted], account: Iterable[Counted], *, calls: int) -> datetime:
        """When so many calls are free, if nobody takes any meanwhile. Both in the order of time."""
        project, account = list(project), list(account)
        within_share = _left(account, most=self.share, calls=calls)
        lent_again = max(
            _left(project, most=self.lent, calls=calls), _left(account, most=self.utmost, calls=calls)
        )
        return max(_left(project, most=self.most, calls=calls), min(within_share, lent_again))


def _left(counted: Iterable[Counted], *, most: int, calls: int) -> datetime:
    """When enough have left the day for `calls` more; long ago where they are free already."""
    counted, free_at = list(counted), LONG_AGO
    too_many = sum(each.calls for each in counted) + min(calls, most) - most
    for each in counted:
        if too_many <= 0:
            break
        too_many -= each.calls
        free_at = each.until + DAY
    return free_at
