"""Who works at the command line: what the record of interventions names."""

import argparse
import getpass
import os

from django.core.management.base import CommandParser

LONGEST_REASON = 200  # characters that are kept of it


def operator() -> str:
    """The machine's user, told apart from a user of the site who may have the same name."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # a container may run under a number that no name belongs to
        name = f"user {os.getuid()}"
    return f"{name} at the command line"


def add_reason(parser: CommandParser) -> None:
    """The option of every command that leaves a record."""
    parser.add_argument("--reason", type=_reason, default="", help="why, for whoever wonders later")


def _reason(text: str) -> str:
    if len(text) > LONGEST_REASON:
        raise argparse.ArgumentTypeError(f"must be at most {LONGEST_REASON} characters, not {len(text)}")
    return text.strip()
