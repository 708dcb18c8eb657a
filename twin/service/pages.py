"""Pages of lists (AIP-158)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, TypeVar

from google.protobuf.message import Message

M = TypeVar("M", bound=Message)

_LARGEST: Final = 1000
_BYTES: Final = (
    1 << 20
)  # after which a page ends; the last message may be 0.1 MB, and no answer is over 2 MiB


def page_size(asked: int, default: int) -> int:
    """How many a page holds where `asked` were asked for; 0 leaves it to us."""
    return min(asked, _LARGEST) if asked else default


def fitting(messages: Iterable[M]) -> list[M]:
    """The first ones, as many as go into an answer."""
    page, room = [], _BYTES
    for message in messages:
        page.append(message)
        room -= message.ByteSize()
        if room < 0:
            break
    return page
