"""The same cube in every format is the same cube; what is damaged is refused with words."""

from __future__ import annotations

import gzip

import numpy as np
import pytest

from tests.twin.geometry.shapes import (
    CUBE_TRIANGLES,
    CUBE_VERTICES,
    obj,
    off,
    off_binary,
    ply,
    stl_ascii,
    stl_binary,
)
from twin.errors import GeometryError, UnitError
from twin.geometry.reader import read

QUADS = [[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]]
TRIANGLES = CUBE_TRIANGLES.tolist()

FILES = {
    "binary.stl": stl_binary(CUBE_VERTICES, CUBE_TRIANGLES),
    "solid-in-header.stl": stl_binary(CUBE_VERTICES, CUBE_TRIANGLES, header=b"solid facet normal"),
    "ascii.stl": stl_ascii(CUBE_VERTICES, CUBE_TRIANGLES),
    "upper-case.STL": stl_ascii(CUBE_VERTICES, CUBE_TRIANGLES).upper(),
    "utf16.stl": b"\xff\xfe" + stl_ascii(CUBE_VERTICES, CUBE_TRIANGLES).decode().encode("utf-16-le"),
    "triangles.obj": obj(CUBE_VERTICES, TRIANGLES),
    "quads.obj": obj(CUBE_VERTICES, QUADS),
    "little.ply": ply(CUBE_VERTICES, TRIANGLES),
    "big.ply": ply(CUBE_VERTICES, TRIANGLES, ">"),
    "ascii.ply": ply(CUBE_VERTICES, TRIANGLES, ""),
    "quads.ply": ply(CUBE_VERTICES, QUADS),
    "quads-ascii.ply": ply(CUBE_VERTICES, QUADS, ""),
    "triangles.off": off(CUBE_VERTICES, TRIANGLES),
    "quads.off": off(CUBE_VERTICES, QUADS),
    "coloured.off": off(CUBE_VERTICES, QUADS, header="COFF", colour=" 255 0 0 255"),
    "one-line.off": off(CUBE_VERTICES, TRIANGLES).replace(b"OFF\n", b"# by hand\nOFF ", 1),
    "binary.off": off_binary(CUBE_VERTICES, QUADS),
    "binary.stl.gz": gzip.compress(stl_binary(CUBE_VERTICES, CUBE_TRIANGLES)),
    "quads.obj.GZ": gzip.compress(obj(CUBE_VERTICES, QUADS)),
    "in-two.ply.gz": gzip.compress(ply(CUBE_VERTICES, QUADS)[:99])
    + gzip.compress(ply(CUBE_VERTICES, QUADS)[99:]),
    "no-suffix": off(CUBE_VERTICES, TRIANGLES),
}


@pytest.mark.parametrize("name", FILES)
def test_a_cube_is_a_cube(name: str) -> None:
    surface, report = read(FILES[name], "cm", name)
    assert report.watertight
    assert report.bodies == 1
    assert report.volume == pytest.approx(1e-6, rel=1e-12)
    assert report.area == pytest.approx(6e-4, rel=1e-12)
    assert report.bounds == ((0, 0, 0), (0.01, 0.01, 0.01))
    assert [patch.kind for patch in report.patches] == ["plane"] * 6
    assert not report.repairs
    assert len(surface.vertices) == 8


@pytest.mark.parametrize(
    ("unit", "metres"), [("um", 1e-6), ("mm", 1e-3), ("in", 0.0254), ("inch", 0.0254), ("ft", 0.3048)]
)
def test_declared_unit(unit: str, metres: float) -> None:
    _, report = read(FILES["binary.stl"], unit, "cube.stl")
    assert report.volume == pytest.approx(metres**3, rel=1e-12)


def test_unit_must_be_known_and_given() -> None:
    with pytest.raises(GeometryError, match="unit='mm'"):
        read(FILES["binary.stl"], None, "cube.stl")
    with pytest.raises(UnitError):
        read(FILES["binary.stl"], "furlong", "cube.stl")


@pytest.mark.parametrize(
    ("data", "name", "words"),
    [
        (b"", "a.stl", "empty"),
        (FILES["binary.stl"][:-50], "a.stl", "damaged"),
        (FILES["binary.stl"] + b"more", "a.stl", "damaged"),
        (stl_binary(CUBE_VERTICES, CUBE_TRIANGLES[:0]), "a.stl", "no triangles"),
        (FILES["ascii.stl"][:-100], "a.stl", "cut off"),
        (FILES["ascii.stl"].replace(b"1 ", b"1,0 "), "a.stl", "decimal"),
        (b"\x00" * 83, "a.stl", "not an STL"),
        (b"v 0 0 0\nf 0 1 2\n", "a.obj", "counting begins at 1"),
        (b"v 0 0 0\nf 1 2 3\n", "a.obj", "names vertex 3"),
        (b"v 0 0\nf 1 1 1\n", "a.obj", "Line 1"),
        (b"v 0 0 0\n", "a.obj", "no faces"),
        (FILES["little.ply"].replace(b"vertex 8", b"vertex -8"), "a.ply", "damaged"),
        (FILES["little.ply"].replace(b"face 12", b"face 999999999"), "a.ply", "more than its bytes"),
        (FILES["ascii.ply"].replace(b"3 0 1 3", b"3 0 1 8"), "a.ply", "outside of the 8"),
        (b"ISO-10303-21;\nHEADER;", "a.step", "cut off"),
        (b"\x89PNG", "a.png", "STEP, STL, OBJ, PLY"),
        (b"OFF\n8 12", "a.off", "ends too early|more than its lines"),
        (b"OFF\n-8 12 0\n", "a.off", "more than its lines"),
        (b"OFF\n99999999999 12 0\n", "a.off", "more than its lines"),
        (b"OFF\n1 1 0\n0 0 0\n3 0 0 1\n", "a.off", "outside of the 1"),
        (b"OFF\n1 1 0\n0 0 0\n3 0 0\n", "a.off", "fewer corners"),
        (b"OFF\n1 1 0\n0 0\n3 0 0 0\n", "a.off", "three coordinates"),
        (b"OFF\n1 1 0\n0 0 x\n3 0 0 0\n", "a.off", "not made of numbers"),
        (b"OFF\n1 0 0\n0 0 0\n", "a.off", "no faces"),
        (b"4OFF\n1 0 0\n0 0 0 0\n", "a.off", "three dimensions"),
        (FILES["binary.off"][:-20], "a.off", "bytes can't|impossible length"),
        (gzip.compress(FILES["binary.stl"])[:-9], "a.stl.gz", "cut off"),
        (b"\x1f\x8b" + b"nonsense" * 9, "a.stl.gz", "can't be inflated"),
        (gzip.compress(b"\0" * (100 << 20)), "a.stl.gz", "more than 64 MB"),
        (gzip.compress(b""), "a.stl.gz", "empty"),
        (gzip.compress(gzip.compress(FILES["binary.stl"])), "a.stl.gz.gz", "archive"),
        (b"\0" * 257 + b"ustar\0" + b"\0" * 249, "a.stl.tar", "Unpack"),
    ],
    # Not by the bytes: a gzip file holds the time, and the workers of pytest-xdist must agree on the names.
    ids=lambda value: "file" if isinstance(value, bytes) else value,
)
def test_damaged_files_are_refused_with_words(data: bytes, name: str, words: str) -> None:
    with pytest.raises(GeometryError, match=words):
        read(data, "mm", name)


def test_obj_faces_belong_to_objects_groups_and_materials() -> None:
    lines = obj(CUBE_VERTICES, QUADS).decode().splitlines()
    before = ["o the cube\nusemtl steel", "g ends low", "g ends", "g off\nusemtl paint", "g default", "g lid"]
    faces = iter(before)
    text = "\n".join(f"{next(faces)}\n{line}" if line.startswith("f ") else line for line in lines)
    surface, report = read(text.encode(), "mm", "named.obj")
    sizes = {name: len(ids) for name, ids in surface.groups.items()}
    assert sizes == {"the cube": 12, "ends": 4, "low": 2, "lid": 2, "steel": 6, "paint": 6}
    assert report.groups == tuple(surface.groups)


def test_names_in_obj_and_stl_become_groups() -> None:
    named = b"g lid\n".join(obj(CUBE_VERTICES, QUADS).rsplit(b"f 2 6 8 4", 1)) + b"f 2 6 8 4\n"
    surface, report = read(named, "mm", "named.obj")
    assert report.groups == ("lid",)
    assert np.allclose(surface.normals[surface.groups["lid"]], (0, 0, 1))
    two = stl_ascii(CUBE_VERTICES, CUBE_TRIANGLES, "one") + stl_ascii(
        CUBE_VERTICES + 2, CUBE_TRIANGLES, "two"
    )
    surface, report = read(two, "mm", "two.stl")
    assert report.groups == ("one", "two")
    assert report.bodies == 2
    assert surface.vertices[surface.triangles[surface.groups["two"]]].min() == pytest.approx(2e-3)


def test_concave_polygons_keep_their_area() -> None:
    star = np.array([[0, 0, 0], [4, 0, 0], [4, 4, 0], [2, 1, 0], [0, 4, 0]], dtype=np.float64)
    surface, _ = read(obj(star, [[0, 1, 2, 3, 4]]), "m", "star.obj")
    assert surface.area == pytest.approx(10.0)  # 16 less the notch of 4 x 3 / 2
