"""Damaged bytes of every format give a finite surface or a sentence, never another exception."""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.twin.geometry.scenes import Gltf, mesh_xml, model_xml, threemf
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
from tests.twin.geometry.step_files import write_step_files
from twin.errors import GeometryError
from twin.geometry.parse import parse
from twin.geometry.reader import read
from twin.sandbox.child import Limits

QUADS = [[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]]


def document() -> Gltf:
    made = Gltf()
    made.node(mesh=made.mesh(made.triangles(CUBE_VERTICES, CUBE_TRIANGLES)), name="cube", scale=[1, 2, 3])
    return made


CUBE = f'<object id="1" name="cube">{mesh_xml(CUBE_VERTICES, CUBE_TRIANGLES)}</object>'
MODEL = model_xml([CUBE], ['<item objectid="1"/>'])

SOUND = {
    "part.stl": stl_binary(CUBE_VERTICES, CUBE_TRIANGLES),
    "ascii.stl": stl_ascii(CUBE_VERTICES, CUBE_TRIANGLES),
    "part.obj": obj(CUBE_VERTICES, QUADS),
    "part.ply": ply(CUBE_VERTICES, QUADS),
    "ascii.ply": ply(CUBE_VERTICES, QUADS, ""),
    "part.off": off(CUBE_VERTICES, QUADS),
    "binary.off": off_binary(CUBE_VERTICES, QUADS),
    "part.glb": document().glb(),
    "part.gltf": document().embedded(),
    "part.3mf": threemf(MODEL),
    "part.stl.gz": gzip.compress(stl_binary(CUBE_VERTICES, CUBE_TRIANGLES)),
}

Damage = list[tuple[str, float, bytes]]
KINDS = st.sampled_from(["replace", "insert", "cut", "drop"])
DAMAGE = st.lists(
    st.tuples(KINDS, st.floats(0, 1), st.binary(min_size=1, max_size=4)), min_size=1, max_size=4
)


def damaged(data: bytes, damage: Damage) -> bytes:
    for kind, share, content in damage:
        place = int(share * len(data))
        match kind:
            case "replace":
                data = data[:place] + content + data[place + len(content) :]
            case "insert":
                data = data[:place] + content + data[place:]
            case "cut":
                data = data[:place]
            case _:
                data = data[:place] + data[place + len(content) :]
    return data


def read_or_refuse(data: bytes, name: str) -> None:
    try:
        surface, report = read(data, "m", name)
    except GeometryError as error:
        assert len(str(error)) > 30  # noqa: PT017 - a sentence
        return
    assert np.isfinite(surface.vertices).all()
    assert np.isfinite([report.volume, report.area, *report.bounds[0], *report.bounds[1]]).all()
    assert report.watertight or report.warnings


@pytest.mark.parametrize("name", SOUND)
@settings(max_examples=80, deadline=5000, suppress_health_check=[HealthCheck.too_slow])
@given(damage=DAMAGE)
def test_damaged_bytes(name: str, damage: Damage) -> None:
    read_or_refuse(damaged(SOUND[name], damage), name)


@settings(max_examples=80, deadline=5000)
@given(damage=DAMAGE)
def test_damaged_xml(damage: Damage) -> None:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        archive.writestr("3D/main.model", damaged(MODEL.encode(), damage))
    read_or_refuse(written.getvalue(), "part.3mf")


@settings(max_examples=80, deadline=5000)
@given(
    vertices=st.lists(st.tuples(*[st.integers(0, 2)] * 3), min_size=3, max_size=9),
    triangles=st.lists(st.tuples(*[st.integers(0, 8)] * 3), min_size=1, max_size=24),
)
def test_any_triangles_on_a_small_lattice(
    vertices: list[tuple[int, int, int]], triangles: list[tuple[int, int, int]]
) -> None:
    """Everything touches, doubles and crosses there: the worst that repair can meet."""
    used = np.array(triangles) % len(vertices)
    read_or_refuse(stl_binary(np.array(vertices, dtype=np.float64), used), "part.stl")


def test_damaged_step_files_end_in_words(tmp_path: Path) -> None:
    """Open CASCADE may crash on these: in the child, never here."""
    sound = write_step_files(tmp_path)["bored"].read_bytes()
    random = np.random.default_rng(7)
    limits = Limits(seconds=30.0, memory=4 << 30, file_size=1 << 28)
    data_begins, data_ends = sound.index(b"DATA;"), sound.rindex(b"ENDSEC;")
    for _ in range(12):
        data = bytearray(sound)
        for place in random.integers(data_begins, data_ends, 6):
            data[place] = int(random.choice(list(b"0123456789#,()$*'.;")))
        (tmp_path / "damaged.step").write_bytes(bytes(data))
        try:
            surface, report = parse(tmp_path / "damaged.step", "mm", "damaged.step", limits=limits)
        except GeometryError as error:
            assert len(str(error)) > 30  # noqa: PT017
        else:
            assert np.isfinite(surface.vertices).all()
            assert report.watertight or report.warnings
