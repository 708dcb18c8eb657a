"""Blobs: whole or not at all, by content, apart between tenants."""

from __future__ import annotations

import hashlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from twin.errors import InvalidInput, NotFound
from twin.store.arrays import Label, insert_arrays, store_arrays
from twin.store.blobs import Blobs, digest_of
from twin.store.collect import collect
from twin.store.workspace import Workspace


async def chunks(data: bytes, size: int = 1 << 20) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


def files(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file()]


async def test_received_as_announced(tmp_path: Path) -> None:
    data = os.urandom(7_000_001)
    blobs = Blobs.local(tmp_path)
    digest = "sha256:" + hashlib.sha256(data).hexdigest()
    blob = await blobs.receive("default", chunks(data), size=len(data), digest=digest)
    assert (blob.digest, blob.size) == (digest, len(data))
    assert blobs.read("default", digest, 5, 10) == data[5:15]
    blobs.download("default", digest, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == data


@pytest.mark.parametrize(
    ("size", "digest"), [(10, None), (5_000_000, None), (None, "sha256:" + "0" * 64), (6_000_001, None)]
)
async def test_what_is_not_as_announced_leaves_nothing(
    tmp_path: Path, size: int | None, digest: str | None
) -> None:
    blobs = Blobs.local(tmp_path)
    with pytest.raises(InvalidInput, match="send it again"):
        await blobs.receive("default", chunks(bytes(6_000_000)), size=size, digest=digest)
    assert files(tmp_path) == []


def test_tenants_do_not_meet(tmp_path: Path) -> None:
    blobs = Blobs.local(tmp_path)
    blob = blobs.put("ours", b"secret")
    assert blobs.size("ours", blob.digest) == 6
    assert blobs.size("theirs", blob.digest) is None
    assert blobs.missing("theirs", [blob.digest]) == [blob.digest]
    with pytest.raises(NotFound):
        blobs.read("theirs", blob.digest, 0, 1)


@pytest.mark.parametrize("digest", ["sha256:../../etc/passwd", "", "sha256:" + "A" * 64])
def test_a_digest_is_never_a_path(tmp_path: Path, digest: str) -> None:
    with pytest.raises(InvalidInput):
        Blobs.local(tmp_path).size("default", digest)


def test_damage_is_noticed(tmp_path: Path) -> None:
    blobs = Blobs.local(tmp_path / "blobs")
    blob = blobs.put("default", b"0123456789")
    (stored,) = files(tmp_path / "blobs")
    stored.write_bytes(b"012345678X")
    with pytest.raises(NotFound, match="damaged"):
        blobs.download("default", blob.digest, tmp_path / "copy")


@pytest.mark.parametrize("dtype", ["<f8", ">f8", "<f4", "<i4", "<i8", "u1"])
def test_arrays_come_back_little_endian(tmp_path: Path, dtype: str) -> None:
    workspace = Workspace.open(tmp_path)
    values = np.arange(12).reshape(4, 3).astype(dtype)
    stored = store_arrays(workspace.blobs, "default", "runs/a", {"x": values}, {"x": Label("m", "node")})
    with workspace.database.write() as connection:
        insert_arrays(connection, "default", stored)
    array = workspace.arrays.get("default", "runs/a", "x")
    assert (array.rows, array.row_bytes, array.unit) == (4, 3 * values.itemsize, "m")
    assert not array.dtype.startswith(">")
    np.testing.assert_array_equal(workspace.arrays.read("default", array), values)
    with pytest.raises(NotFound):
        workspace.arrays.get("other", "runs/a", "x")


def test_only_old_blobs_that_nobody_needs_are_collected(tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path)
    stored = store_arrays(workspace.blobs, "default", "runs/a", {"x": np.arange(3)}, {})
    with workspace.database.write() as connection:
        insert_arrays(connection, "default", stored)
    stray = workspace.blobs.put("default", b"stray")
    same_bytes_of_another_tenant = workspace.blobs.put("other", np.arange(3).tobytes())
    assert same_bytes_of_another_tenant.digest == stored[0].digest == digest_of(np.arange(3).tobytes())
    assert collect(workspace.database, workspace.blobs) == 0
    assert collect(workspace.database, workspace.blobs, spared_age=-1.0) == 2
    assert workspace.blobs.size("default", stray.digest) is None
    assert workspace.blobs.size("other", stored[0].digest) is None
    assert workspace.blobs.size("default", stored[0].digest) is not None
