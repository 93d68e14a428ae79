"""Call budgets: exact sliding windows shared by all workers, in Redis or Valkey.

Guarantee: a call is taken from every window that applies or from none, and no sliding window of the
platform ever holds more calls than its limit, for a call counts from its take until its answer plus
the window. Limits are arguments, so they may change at any time; nothing about them is stored.
"""

from providers.budget.gate import BudgetGate, CallLedger
from providers.budget.heard import Heard, Outcomes
from providers.budget.limits import Limit, Window
from providers.budget.memory import PastCall
from providers.budget.store import BudgetStore, Meter

__all__ = [
    "BudgetGate",
    "BudgetStore",
    "CallLedger",
    "Heard",
    "Limit",
    "Meter",
    "Outcomes",
    "PastCall",
    "Window",
]
