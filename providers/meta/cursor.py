"""Where a walk through an edge stands; safe to store, for it holds no token."""

from typing import NamedTuple


class Cursor(NamedTuple):
    """The slice of selected campaigns, and Meta's own cursor within it."""

    slice: int = 0
    after: str | None = None

    @classmethod
    def decode(cls, text: str | None) -> "Cursor":
        """From the text of `encode`; None is the beginning."""
        if text is None:
            return cls()
        number, _, after = text.partition(":")
        return cls(int(number), after or None)

    def encode(self) -> str:
        """`<slice>:<after>`"""
        return f"{self.slice}:{self.after or ''}"

    def following(self, after: str | None, *, slices: int) -> "Cursor | None":
        """The next page's cursor: in this slice, in the next one, or None at the end."""
        if after is not None:
            return Cursor(self.slice, after)
        return Cursor(self.slice + 1) if self.slice + 1 < slices else None
