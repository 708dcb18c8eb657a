"""Files in, parts and their arrays out."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import grpc
import numpy as np
import pytest
from harness import Client, Server, children, cube, details

from protos.twin.v1 import array_pb2, geometry_pb2, material_pb2
from twin import codec
from twin.store.blobs import digest_of


async def rows(client: Client, name: str, **request: int) -> tuple[np.ndarray, list[int]]:
    """The rows, and the size of each message."""
    reader, sizes = codec.ArrayReader(), []
    async for message in client.arrays.ReadArray(array_pb2.ReadArrayRequest(name=name, **request)):
        reader.feed(message)
        sizes.append(message.ByteSize())
    return reader.rows(), sizes


async def refused(call: grpc.aio.Call) -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value


async def test_a_file_becomes_a_part(client: Client) -> None:
    part = await client.part(cube(25.0))
    assert part.report.triangles == 12
    assert part.report.watertight
    assert part.report.volume == pytest.approx(0.025**3)
    assert len(part.report.patches) == 6
    arrays = {info.field: info for info in part.arrays}
    assert set(arrays) == {"vertices", "triangles", "patch"}
    vertices, _ = await rows(client, arrays["vertices"].name)
    triangles, _ = await rows(client, arrays["triangles"].name)
    assert vertices.shape == (8, 3)
    assert vertices.max() == pytest.approx(0.025)
    assert triangles.shape == (12, 3)
    assert arrays["vertices"].checksum == digest_of(vertices.tobytes())


async def test_the_same_content_is_the_same_part(client: Client, server: Server) -> None:
    data = cube(31.0)
    missing = await client.geometries.FindMissingBlobs(
        geometry_pb2.FindMissingBlobsRequest(digests=[digest_of(data)])
    )
    assert list(missing.missing_digests) == [digest_of(data)]
    parts = await asyncio.gather(*(client.part(data) for _ in range(4)))
    assert len({part.name for part in parts}) == 1
    missing = await client.geometries.FindMissingBlobs(
        geometry_pb2.FindMissingBlobsRequest(digests=[digest_of(data)])
    )
    assert not missing.missing_digests
    assert (await client.part(data, unit="cm")).name != parts[0].name


async def test_uploads_are_checked(client: Client) -> None:
    data = os.urandom(3_000_000)
    wrong = await refused(client.upload(data, digest="sha256:" + "0" * 64))
    assert wrong.code() is grpc.StatusCode.INVALID_ARGUMENT
    short = await refused(client.upload(data, size_bytes=len(data) + 1))
    assert short.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert (await client.upload(data, digest="")).digest == digest_of(data)

    async def headless() -> object:
        yield geometry_pb2.UploadBlobRequest(chunk=b"data")

    assert (
        await refused(client.geometries.UploadBlob(headless()))
    ).code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_an_upload_is_never_held_whole(client: Client, server: Server) -> None:
    def resident() -> int:
        fields = Path(f"/proc/{server.pid}/statm").read_text().split()
        return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")

    before = resident()
    block = os.urandom(1 << 20)

    async def requests() -> object:
        yield geometry_pb2.UploadBlobRequest(
            header=geometry_pb2.UploadBlobRequest.Header(size_bytes=200 << 20)
        )
        for _ in range(200):
            yield geometry_pb2.UploadBlobRequest(chunk=block)
            assert resident() - before < 120 << 20

    blob = await client.geometries.UploadBlob(requests())
    assert blob.size_bytes == 200 << 20


async def test_a_file_that_is_none_is_refused_in_words(client: Client) -> None:
    error = await refused(client.part(b"this is no geometry at all" * 100))
    info, _ = details(error)
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert (info.domain, info.reason) == ("twin", "GEOMETRY")


async def test_nothing_of_the_readers_is_left(client: Client, server: Server) -> None:
    await client.part(cube(7.0))
    assert [path for path in (server.home / "scratch").iterdir() if path.name.startswith("read-")] == []
    assert len(children(server.pid)) <= 1  # the worker


async def test_lists_gets_deletes(client: Client) -> None:
    part = await client.part(cube(3.0))
    listed = await client.geometries.ListGeometries(geometry_pb2.ListGeometriesRequest(page_size=1))
    assert [entry.name for entry in listed.geometries] == [part.name]
    assert not listed.geometries[0].report.patches
    assert listed.next_page_token
    assert await client.geometries.GetGeometry(geometry_pb2.GetGeometryRequest(name=part.name)) == part
    await client.geometries.DeleteGeometry(geometry_pb2.DeleteGeometryRequest(name=part.name))
    gone = await refused(client.geometries.GetGeometry(geometry_pb2.GetGeometryRequest(name=part.name)))
    assert gone.code() is grpc.StatusCode.NOT_FOUND


@pytest.fixture
async def array(client: Client) -> str:
    run = await client.ended((await client.run("quick")).name)
    return f"{run.name}/arrays/quick.displacement"


@pytest.mark.parametrize("encoding", [array_pb2.ENCODING_RAW, array_pb2.ENCODING_SHUFFLE_ZSTD])
async def test_arrays_come_in_small_checked_chunks(client: Client, array: str, encoding: int) -> None:
    values, sizes = await rows(client, array, encoding=encoding)
    np.testing.assert_array_equal(values, np.arange(600_000.0).reshape(-1, 3))
    assert len(sizes) == 1 + 5
    assert max(sizes) < (1 << 20) + 1000
    if encoding == array_pb2.ENCODING_SHUFFLE_ZSTD:
        assert sum(sizes) < values.nbytes / 3


@pytest.mark.parametrize(
    ("offset", "count", "expected"),
    [(0, 5, (0, 5)), (199_998, 0, (199_998, 200_000)), (199_999, 50, (199_999, 200_000)), (200_000, 0, None)],
)
async def test_rows_are_cut_by_the_service(
    client: Client, array: str, offset: int, count: int, expected: tuple[int, int] | None
) -> None:
    values, _ = await rows(client, array, offset_rows=offset, row_count=count)
    whole = np.arange(600_000.0).reshape(-1, 3)
    np.testing.assert_array_equal(values, whole[slice(*expected)] if expected else whole[:0])


async def test_rows_past_the_end_are_refused(client: Client, array: str) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await rows(client, array, offset_rows=200_001)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_the_library_in_pages(client: Client) -> None:
    names: list[str] = []
    token = ""
    while True:
        page = await client.materials.ListMaterials(
            material_pb2.ListMaterialsRequest(page_size=10, page_token=token)
        )
        names += [entry.name for entry in page.materials]
        token = page.next_page_token
        if not token:
            break
    assert len(names) == len(set(names)) >= 25
    one = await client.materials.GetMaterial(material_pb2.GetMaterialRequest(name=names[0]))
    assert one.name == names[0]
    unknown = await refused(
        client.materials.GetMaterial(material_pb2.GetMaterialRequest(name="materials/unobtainium"))
    )
    assert unknown.code() is grpc.StatusCode.NOT_FOUND
