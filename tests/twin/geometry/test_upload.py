"""Files of the formats go up through the service, and their groups come back."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest

import twin
from tests.twin.geometry.scenes import Gltf, mesh_xml, model_xml, threemf
from tests.twin.geometry.shapes import CUBE_TRIANGLES, CUBE_VERTICES, off, stl_ascii, stl_binary
from twin.sdk.client import Client


def glb() -> bytes:
    document = Gltf()
    for name, height in (("lid", 3), ("base", 0)):
        mesh = document.mesh(document.triangles(CUBE_VERTICES, CUBE_TRIANGLES))
        document.node(mesh=mesh, name=name, translation=[0, 0, height])
    return document.glb()


CUBE = f'<object id="1" name="clevis">{mesh_xml(CUBE_VERTICES, CUBE_TRIANGLES)}</object>'
FILES = {
    "two.glb": (glb(), {"lid", "base"}, 2.0),
    "part.3mf": (threemf(model_xml([CUBE], ['<item objectid="1"/>'])), {"clevis"}, 1e-9),
    "part.off": (off(CUBE_VERTICES, CUBE_TRIANGLES.tolist()), set(), 1e-9),
    "part.stl.gz": (gzip.compress(stl_binary(CUBE_VERTICES, CUBE_TRIANGLES)), set(), 1e-9),
    "two.stl": (
        stl_ascii(CUBE_VERTICES, CUBE_TRIANGLES, "one") + stl_ascii(CUBE_VERTICES + 3, CUBE_TRIANGLES, "two"),
        {"one", "two"},
        2e-9,
    ),
}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with twin.local(home=tmp_path_factory.mktemp("home")) as client:
        yield client


@pytest.mark.parametrize("name", FILES)
def test_upload(client: Client, tmp_path: Path, name: str) -> None:
    content, groups, volume = FILES[name]
    (tmp_path / name).write_bytes(content)
    report = client.upload(tmp_path / name, unit="mm").report
    assert set(report.groups) == groups
    assert report.watertight
    assert report.bodies == max(len(groups), 1)
    assert report.volume == pytest.approx(volume)


def test_a_file_beside_the_upload_is_not_read(client: Client, tmp_path: Path) -> None:
    document = Gltf()
    document.node(mesh=document.mesh(document.triangles(CUBE_VERTICES, CUBE_TRIANGLES)))
    (tmp_path / "part.bin").write_bytes(document.binary)
    text = document.embedded().decode()
    start, end = text.index("data:"), text.index('"', text.index("data:"))
    (tmp_path / "part.gltf").write_text(text[:start] + "part.bin" + text[end:])
    with pytest.raises(twin.TwinError, match=r"only what is uploaded is read.*\.glb"):
        client.upload(tmp_path / "part.gltf")
