"""Files on their way to the server."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, final

from twin.errors import GeometryError

CHUNK: Final = 1 << 20


@final
@dataclass(frozen=True)
class LocalFile:
    """A file to send. digest: "sha256:" and 64 hex digits of its content."""

    path: Path
    digest: str
    size: int

    @classmethod
    async def of(cls, path: Path) -> LocalFile:
        """Reads it once. Raises GeometryError where it can't be read or is empty."""
        return await asyncio.to_thread(cls._of, path)

    @classmethod
    def _of(cls, path: Path) -> LocalFile:
        try:
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
                size = file.tell()
        except FileNotFoundError:
            raise GeometryError(f"there is no file {path} (looked in {Path.cwd()})") from None
        except OSError as error:
            raise GeometryError(f"{path} can't be read: {error.strerror}") from None
        if size == 0:
            raise GeometryError(f"{path} is empty")
        return cls(path, f"sha256:{digest}", size)

    async def chunks(self) -> AsyncIterator[bytes]:
        """Its content in pieces of at most 1 MiB."""
        with await asyncio.to_thread(self.path.open, "rb") as file:
            while chunk := await asyncio.to_thread(file.read, CHUNK):
                yield chunk
