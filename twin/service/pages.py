"""Pages of lists (AIP-158)."""

from __future__ import annotations

from typing import Final

_LARGEST: Final = 1000


def page_size(asked: int, default: int) -> int:
    """How many a page holds where `asked` were asked for; 0 leaves it to us."""
    return min(asked, _LARGEST) if asked else default
