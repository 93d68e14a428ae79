"""What a CSV must not tell a spreadsheet: formulas, in the names that people gave their campaigns.

A spreadsheet may take other separators than commas: where a semicolon or a tab ends a cell, quotes hold
nothing together, and a line break within a name begins a row.
"""

import re

FORMULA = re.compile(r"^(?=[=+\-@\t\r\n＝＋－＠])|(?<=[;\t\r\n])(?=[=+\-@＝＋－＠])")  # noqa: RUF001  (wide ones count, too)


def harmless(text: str) -> str:
    """Text that a spreadsheet does not take for a formula: an apostrophe stands before each."""
    return FORMULA.sub("'", text)
