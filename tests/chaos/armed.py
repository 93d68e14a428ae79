"""Imported by the workers of chaos as they start: from then on the traps are laid."""

from tests.chaos.traps import lay

lay()
