"""What a CSV must not tell a spreadsheet: formulas, in the names that people gave their campaigns."""

BEGINNINGS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001  (wide ones count, too)


def harmless(text: str) -> str:
    """Text that a spreadsheet does not take for a formula: an apostrophe stands before one."""
    return f"'{text}" if text.startswith(BEGINNINGS) else text
