"""Where a walk through an edge stands; safe to store, for it holds no token."""

from typing import NamedTuple

from providers.errors import CursorExpired


class Cursor(NamedTuple):
    """The slice of selected campaigns, and Meta's own cursor within it."""

    slice: int = 0
    after: str = ""  # empty: from the slice's beginning

    @classmethod
    def decode(cls, text: str | None, *, slices: int) -> "Cursor":
        """From the text of `encode`; None is the beginning."""
        if text is None:
            return cls()
        number, _, after = text.partition(":")
        if not number.isdigit() or int(number) >= slices:
            raise CursorExpired("The stored page cursor belongs to another selection")
        return cls(int(number), after)

    def encode(self) -> str:
        """`<slice>:<after>`"""
        return f"{self.slice}:{self.after}"

    def following(self, after: str, *, slices: int) -> "Cursor | None":
        """The next page's cursor: in this slice, in the next one, or None at the end."""
        if after:
            return Cursor(self.slice, after)
        return Cursor(self.slice + 1) if self.slice + 1 < slices else None
