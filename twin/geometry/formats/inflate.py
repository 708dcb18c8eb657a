"""Compressed bytes, inflated within a limit: 400 KB may hold gigabytes of nothing."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from twin.errors import GeometryError

MAGIC = b"\x1f\x8b"

_MOST = 1 << 30
_HARMLESS = 64 << 20
_RATIO = 200  # meshes shrink to a third or a twentieth; zeros to a thousandth


def inflated_limit(compressed: int) -> int:
    """How many bytes may come out of `compressed` bytes."""
    return min(_MOST, max(_HARMLESS, _RATIO * compressed))


def too_large(limit: int) -> GeometryError:
    """For what inflates beyond the limit."""
    return GeometryError(
        f"The compressed file holds more than {limit >> 20} MB, which no part needs: it is damaged or "
        f"malicious. Send the part uncompressed, or export it coarser."
    )


def gunzip(data: bytes) -> bytes:
    """The content of a gzip file. Raises GeometryError if it is damaged or too large."""
    return b"".join(_members(data))


def _members(data: bytes) -> Iterator[bytes]:
    left = inflated_limit(len(data))
    while data[:2] == MAGIC:  # several may follow each other; other bytes are padding
        stream = zlib.decompressobj(wbits=31)
        try:
            inflated = stream.decompress(data, left + 1)
        except zlib.error as error:
            raise GeometryError(
                "The gzip file is damaged: its content can't be inflated. Compress or send the part again."
            ) from error
        if len(inflated) > left:
            raise too_large(inflated_limit(len(data)))
        if not stream.eof:
            raise GeometryError("The gzip file was cut off. Compress or send the part again.")
        left -= len(inflated)
        data = stream.unused_data
        yield inflated
