"""Bytes addressed by their content: {tenant}/{first two digits}/{sha256}.

An object store through obstore: a local folder here, S3 by another store later. A blob appears whole or not
at all. Writing one that exists writes it again, which renews its age: collect.py spares what is young.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import uuid
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, final

import obstore
from obstore.store import LocalStore

from twin.errors import InvalidInput, NotFound

_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
_STAGING: Final = ".staging"
_PART: Final = 4 << 20  # bytes at a time where a blob is copied to a file


@final
@dataclass(frozen=True)
class Blob:
    """digest: "sha256:" and 64 hexadecimal digits; size in bytes."""

    digest: str
    size: int


@final
@dataclass(frozen=True)
class Stored:
    """A blob as a listing shows it; modified: seconds since the epoch."""

    key: str
    tenant: str
    digest: str | None  # None: an upload that never ended
    modified: float


def digest_of(data: bytes | memoryview) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


@final
class Blobs:
    """The blobs of all tenants in one object store.

    root: the folder, where the store is a local one; it is synchronised to the disk, which obstore leaves
    to the system, so that a record never outlives the bytes it speaks of.
    """

    def __init__(self, store: Any, root: Path | None = None) -> None:
        self._store = store
        self._root = root

    @staticmethod
    def local(root: Path) -> Blobs:
        return Blobs(LocalStore(root, mkdir=True), root)

    def put(self, tenant: str, data: bytes | memoryview) -> Blob:
        blob = Blob(digest_of(data), len(data))
        key = _key(tenant, blob.digest)
        obstore.put(self._store, key, data)
        self._synchronise(key)
        return blob

    async def receive(
        self, tenant: str, chunks: AsyncIterator[bytes], *, size: int | None, digest: str | None
    ) -> Blob:
        """Store a stream without ever holding it whole. Refuses (InvalidInput) what is not as announced."""
        staging = f"{_STAGING}/{tenant}/{uuid.uuid4().hex}"
        checked = _Checked(chunks, size, digest)
        await obstore.put_async(self._store, staging, checked.stream())
        blob = checked.blob()
        key = _key(tenant, blob.digest)
        await asyncio.to_thread(self._synchronise, staging)
        await obstore.rename_async(self._store, staging, key)
        await asyncio.to_thread(self._synchronise_folder, key)
        return blob

    def size(self, tenant: str, digest: str) -> int | None:
        """Bytes, or None where there is no such blob."""
        try:
            return int(obstore.head(self._store, _key(tenant, digest))["size"])
        except FileNotFoundError:
            return None

    def missing(self, tenant: str, digests: Iterable[str]) -> list[str]:
        return [digest for digest in digests if self.size(tenant, digest) is None]

    def read(self, tenant: str, digest: str, start: int, length: int) -> bytes:
        """`length` bytes from `start`."""
        if length == 0:
            return b""
        try:
            return bytes(obstore.get_range(self._store, _key(tenant, digest), start=start, length=length))
        except FileNotFoundError as error:
            raise _absent(digest) from error

    def download(self, tenant: str, digest: str, path: Path) -> None:
        """Copy a blob to a file, checking it against its digest on the way."""
        try:
            parts = obstore.get(self._store, _key(tenant, digest)).stream(min_chunk_size=_PART)
        except FileNotFoundError as error:
            raise _absent(digest) from error
        seen = hashlib.sha256()
        with path.open("wb") as file:
            for part in parts:
                seen.update(part)
                file.write(part)
        if f"sha256:{seen.hexdigest()}" != digest:
            raise NotFound(
                f"the stored bytes of {digest} are damaged: upload the file again",
                facts={"digest": digest},
            )

    def listing(self) -> Iterator[Stored]:
        for page in obstore.list(self._store, chunk_size=1000):
            for meta in page:
                key = str(meta["path"])
                tenant, digest = _parse(key)
                yield Stored(key, tenant, digest, meta["last_modified"].timestamp())

    def remove(self, stored: Stored) -> bool:
        """Remove it unless it was written again since it was listed; was it removed?"""
        if obstore.head(self._store, stored.key)["last_modified"].timestamp() != stored.modified:
            return False
        obstore.delete(self._store, stored.key)
        return True

    def _synchronise(self, key: str) -> None:
        if self._root is not None:
            _fsync(self._root / key)
            self._synchronise_folder(key)

    def _synchronise_folder(self, key: str) -> None:
        if self._root is not None:
            _fsync((self._root / key).parent)


@final
class _Checked:
    """Counts and hashes a stream on its way, and breaks it off where it isn't what was announced."""

    def __init__(self, chunks: AsyncIterator[bytes], size: int | None, digest: str | None) -> None:
        self._chunks = chunks
        self._size = size
        self._digest = digest
        self._hash = hashlib.sha256()
        self._count = 0

    async def stream(self) -> AsyncIterator[bytes]:
        async for chunk in self._chunks:
            self._count += len(chunk)
            if self._size is not None and self._count > self._size:
                raise self._refusal(f"more than the announced {self._size} bytes")
            self._hash.update(chunk)
            yield chunk
        if self._size is not None and self._count < self._size:
            raise self._refusal(f"{self._count} bytes instead of the announced {self._size}")
        if self._digest is not None and self.blob().digest != self._digest:
            raise self._refusal(f"bytes with the digest {self.blob().digest} instead of {self._digest}")

    def blob(self) -> Blob:
        return Blob(f"sha256:{self._hash.hexdigest()}", self._count)

    def _refusal(self, what: str) -> InvalidInput:
        return InvalidInput(
            f"the upload has {what}: it was damaged or broken off on the way, send it again",
            facts={"received_bytes": str(self._count)},
        )


def _key(tenant: str, digest: str) -> str:
    if not _DIGEST.fullmatch(digest):
        raise InvalidInput(
            f"{digest!r} is not a digest; expected sha256: and 64 hexadecimal digits",
            facts={"digest": digest},
        )
    name = digest.removeprefix("sha256:")
    return f"{tenant}/{name[:2]}/{name}"


def _parse(key: str) -> tuple[str, str | None]:
    first, second, name = key.split("/", 2)
    return (second, None) if first == _STAGING else (first, f"sha256:{name}")


def _absent(digest: str) -> NotFound:
    return NotFound(f"no blob {digest} is stored: upload it", facts={"digest": digest})


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
