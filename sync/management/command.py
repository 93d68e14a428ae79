"""What all commands share: examples in their help, and exit codes that a script can rely on.

0: fine. 1: something failed. 2: wrong use, as argparse has it for its own errors.
"""

import argparse
from typing import Any, ClassVar

from django.core.management.base import (
    BaseCommand,
    CommandError,
    CommandParser,
    DjangoHelpFormatter,
)

EXAMPLES = "Examples:"
LARGEST = 1_000_000  # of a number: no date, LIMIT or time-out of it overflows, and nobody means more


class WrongUse(CommandError):
    """The command can't be meant so; the message names the option and says what to do."""

    def __init__(self, message: str) -> None:
        super().__init__(message, returncode=2)


class AdTigerCommand(BaseCommand):
    """A command whose help ends with lines that can be copied."""

    examples: ClassVar[tuple[str, ...]] = ()

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Django's, with the examples below the options."""
        lines = [EXAMPLES, *(f"  manage.py {example}" for example in self.examples)]
        kwargs |= {"epilog": "\n".join(lines), "formatter_class": _Formatter}
        return super().create_parser(prog_name, subcommand, **kwargs)


class _Formatter(DjangoHelpFormatter):
    """Folds the description, but leaves the examples as they are."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return text if text.startswith(EXAMPLES) else super()._fill_text(text, width, indent)


def count(text: str) -> int:
    """An option's type: a whole number of at least 1."""
    number = int(text)
    if not 1 <= number <= LARGEST:
        raise argparse.ArgumentTypeError(f"must be from 1 to {LARGEST:,}")
    return number


def seconds(text: str) -> float:
    """An option's type: a time that passes."""
    number = float(text)
    if not 0 < number <= LARGEST:
        raise argparse.ArgumentTypeError(f"must be more than 0, and at most {LARGEST:,}")
    return number
