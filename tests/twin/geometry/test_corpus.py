"""Every file of the folder of real and hostile geometry gives a part with a true report, or says what is wrong.

What is true of each stands in the folder's README (triangles, watertight) and in the tables here.
"""

from __future__ import annotations

import re
import time
from pathlib import Path

import numpy as np
import pytest

from tests.twin.geometry.conftest import CORPUS
from twin import select as s
from twin.errors import GeometryError, SelectionError
from twin.geometry.parse import parse
from twin.geometry.selection import select
from twin.sandbox.child import Limits

pytestmark = pytest.mark.corpus

TIGHT = Limits(seconds=60.0, memory=4 << 30, file_size=256 << 20)

REFUSED = {
    "aero/naca0012.dat": "can't be read. Send STEP",
    "aero/naca4412.dat": "can't be read",
    "aero/rae2822.dat": "can't be read",
    "aero/s1223.dat": "can't be read",
    "aero/sc20714.dat": "can't be read",
    "nasty-crafted/ascii_comma_decimal.stl": "decimal commas",
    "nasty-crafted/ascii_no_endsolid.stl": "cut off",
    "nasty-crafted/bad_length.glb": "cut off",
    "nasty-crafted/component_cycle.3mf": "contains itself",
    "nasty-crafted/count_too_small.stl": "says that it holds 604 triangles, but has the bytes of 704",
    "nasty-crafted/count_zero.stl": "says that it holds 0 triangles, but has the bytes of 704",
    "nasty-crafted/empty.step": "empty",
    "nasty-crafted/face_oob.ply": "outside of the 3",
    "nasty-crafted/huge_1e9.stl": "declare the right unit",
    "nasty-crafted/huge_offset.stl": "Move it to the origin",
    "nasty-crafted/index_2e31.obj": "names vertex 4294967297",
    "nasty-crafted/index_oob.obj": "names vertex 999999",
    "nasty-crafted/maxfloat_vertex.stl": "damaged",
    "nasty-crafted/neg_count.ply": "count of 'vertex' is -",
    "nasty-crafted/node_cycle.gltf": "contains itself",
    "nasty-crafted/random.stl": "isn't STL",
    "nasty-crafted/self_ref.step": "Open CASCADE found no part",
    "nasty-crafted/tri_oob.3mf": "outside of the 4",
    "nasty-crafted/truncated.step": "cut off",
    "nasty-crafted/uri_http.gltf": "only what is uploaded is read",
    "nasty-crafted/uri_traversal.gltf": "only what is uploaded is read",
    "nasty-crafted/xxe.3mf": "document type",
    "nasty-crafted/zero_bytes.stl": "empty",
    "nasty-crafted/zipbomb.3mf": "malicious",
    "nasty-real/BoxWithInfinites.glb": "finite coordinates",
    "nasty-real/Mesh_PrimitiveMode_04.bin": "can't be read",
    "nasty-real/Mesh_PrimitiveMode_04.gltf": r"Export the part as \.glb",
    "nasty-real/empty.stl": "no triangles",
    "nasty-real/empty_nodes.glb": "no triangles",
    "nasty-real/fuze uv.jpg": "can't be read",
    "nasty-real/fuze.obj.mtl": "can't be read",
    "nasty-real/kinematic.tar.gz": "archive. Unpack it",
    "nasty-real/ply_empty_header.ply": "no faces",
    "nasty-real/points_emptyface.ply": "no faces",
    "nasty-real/stl_empty_ascii.stl": "no triangles",
    "nasty-real/stl_empty_bin.stl": "no triangles",
    "simjeb/README.md": "can't be read",
    "simjeb/published.csv": "can't be read",
}
"""What no part can be made of, and what has to be said of it."""

OPEN = {
    "aero/airplane.ply": "720 mm",
    "cad/bearing_occt.stl.gz": "158 mm",
    "nasty-crafted/big_ngon.obj": "2.83 mm",
    "nasty-crafted/open_one_side.stl": "1.73 mm",
    "nasty-crafted/planar.stl": "4 open edges",
    "nasty-real/Spider_ascii.stl": "not closed",
    "nasty-real/Spider_binary.stl": "not closed",
    "nasty-real/notenoughindices.obj": "fewer than three corners were left out",
    "nasty-real/polygonfaces.obj": "not closed",
    "nasty-real/soup.stl": "100 pieces",
}
"""What stays open, and what has to be said of it; everything else closes."""

BODIES = {
    "cad/box_sides.STEP": 10,
    "cad/motor_occt.stl.gz": 17,
    "prim/not_convex.obj": 8,
    "nasty-crafted/nested_same_orient.stl": 2,
    "nasty-crafted/touching_edge.stl": 2,
    "nasty-real/multibody.stl": 2,
    "nasty-real/pyramids.3mf": 12,
    "nasty-real/shared.STL": 2,
    "nasty-real/two_objects_mixed_case_names.stl": 2,
}
"""Of closed parts with more than one."""

VOLUMES = {  # [mm3], where 1 unit of the file is 1 mm
    "prim/unit_cube.STL": (1.0, 1e-9),
    "prim/unit_sphere.STL": (4 / 3 * np.pi, 0.01),
    "nasty-crafted/ascii_1e400.stl": (1.0, 1e-9),
    "nasty-crafted/tjunction.stl": (1.0, 1e-9),
    "nasty-crafted/utf16.stl": (1.0, 1e-9),
    "nasty-crafted/touching_edge.stl": (2.0, 1e-9),
    "nasty-real/two_objects_mixed_case_names.stl": (2.0, 1e-9),
    "nasty-real/box.3mf": (6000.0, 1e-9),
    "nasty-real/BoxTextured.glb": (1e9, 1e-6),
    "nasty-real/BoxBadNormals.glb": (1e9, 1e-6),
    **{
        f"nasty-crafted/{name}.stl": (1.145522, 1e-5)  # of the clean control: the damage is mended
        for name in (
            "ref_angle_block",
            "duplicate_faces",
            "mixed_winding",
            "nan_vertex",
            "solid_header_binary",
        )
    },
}

MENDED = {
    "nasty-crafted/duplicate_faces.stl": "200 triangles that were there twice",
    "nasty-crafted/mixed_winding.stl": "faced the other way",
    "nasty-crafted/nan_vertex.stl": "no numbers",
    "nasty-crafted/ascii_1e400.stl": "no numbers",
    "nasty-crafted/tjunction.stl": "T-junctions",
    "nasty-crafted/touching_edge.stl": "parted bodies",
    "nasty-real/sphereWithHole.stl": "closed 3 holes",
    "cad/featuretype.3MF": "T-junctions",
}
"""What has to be said of repairs."""

UNITS = {
    "featuretype.STEP": "in",
    "featuretype.3MF": "in",
    "base_interface_AP214.STEP": "in",
    "box_sides.STEP": "in",
}

GROUPS = {
    "cad/box_sides.STEP": {"side_long", "gusset", "Boss-Extrude2"},
    "nasty-real/two_objects_mixed_case_names.stl": {"CubeExportedFromCAD", "TranslatedCubeExportedFromCAD"},
    "nasty-real/multibody.stl": {"bodyA", "bodyB"},
    "nasty-real/pyramids.3mf": {"Pyramid", "Box", "Composed Part"},
    "nasty-crafted/touching_edge.stl": {"body_1", "body_2"},
}


def files() -> list[object]:
    """All files; most of the brackets, which are alike, only by `make corpus`."""
    names = sorted(
        str(p.relative_to(CORPUS)) for p in CORPUS.rglob("*") if p.is_file() and p.parent != CORPUS
    )
    few = ("simjeb/0.", "simjeb/53.", "simjeb/395.")
    slow = [name.endswith(".ply.gz") and not name.startswith(few) for name in names]
    return [
        pytest.param(name, marks=pytest.mark.slow) if is_slow else name
        for name, is_slow in zip(names, slow, strict=True)
    ] or ["the folder is absent"]


def readme(corpus: Path) -> dict[str, tuple[int, bool]]:
    """Triangles, and whether the mesh is watertight as it is, from the folder's own table."""
    rows = (
        line.split("|") for line in (corpus / "README.md").read_text().splitlines() if line.startswith("| ")
    )
    return {
        row[1].strip(): (int(row[4]), row[5].strip() == "yes")
        for row in rows
        if len(row) > 6 and re.fullmatch(r"\s*\d+\s*", row[4])
    }


@pytest.mark.parametrize("name", files())
def test_a_part_with_a_true_report_or_a_reason(corpus: Path, name: str) -> None:
    started = time.monotonic()
    if name in REFUSED:
        with pytest.raises(GeometryError, match=REFUSED[name]):
            parse(corpus / name, "mm", Path(name).name, limits=TIGHT)
        assert time.monotonic() - started < 30
        return
    surface, report = parse(corpus / name, "mm", Path(name).name, limits=TIGHT)
    told, done = " ".join(report.warnings), " ".join(report.repairs)
    assert np.isfinite(surface.vertices).all()
    assert report.triangles == len(surface.triangles)
    assert report.groups == tuple(surface.groups)
    assert report.watertight == (name not in OPEN)
    assert OPEN.get(name, "") in told
    assert MENDED.get(name, "") in done
    assert report.unit == UNITS.get(Path(name).name, "m" if name.endswith(".glb") else "mm")
    assert set(report.groups) >= GROUPS.get(name, set())
    assert surface.body.max() + 1 == report.bodies
    if report.watertight:
        assert report.bodies == BODIES.get(name, 1)
        assert report.volume > 0
    else:
        assert report.volume == 0
        assert "not closed" in told
    if name in VOLUMES:
        volume, within = VOLUMES[name]
        assert 1e9 * report.volume == pytest.approx(volume, rel=within)
    triangles, clean = readme(corpus).get(name, (0, False))
    if clean and name not in MENDED:
        assert (report.watertight, report.triangles) == (True, triangles)


@pytest.mark.parametrize("name", ["featuretype.STL", "featuretype.3MF", "featuretype.STEP"])
def test_one_part_in_three_formats(corpus: Path, name: str) -> None:
    _, report = parse(corpus / "cad" / name, "in", name, limits=TIGHT)
    assert report.volume == pytest.approx(1.9055e-4, rel=1e-3)
    assert report.area == pytest.approx(0.034731, rel=1e-3)
    assert np.array(report.bounds) == pytest.approx(
        0.0254 * np.array([[-2.5, -1.25, 0.0], [2.5, 1.25, 1.375]]), abs=1e-6
    )


@pytest.mark.parametrize(
    "name",
    ["cad/box_sides.STEP", "cad/nut.ply", "nasty-real/pyramids.3mf", "nasty-real/soup.stl",
     "nasty-real/BoxTextured.glb", "cad/bearing_occt.stl.gz"],
)  # fmt: skip
def test_selectors_on_real_surfaces(corpus: Path, name: str) -> None:
    """Parts of the surface and what they leave over make the whole, whatever the selector."""
    surface, report = parse(corpus / name, "mm", Path(name).name, limits=TIGHT)
    low, high = (np.array(corner) for corner in surface.bounds)
    middle, resolution = (low + high) / 2, surface.diagonal / 20
    box = s.box(tuple(low), tuple(low + 0.6 * (high - low)))
    sphere = s.sphere(tuple(surface.vertices[0]), 0.3 * surface.diagonal)
    cylinder = s.cylinder(tuple(middle), (1, 1, 1), 0.4 * surface.diagonal)
    selectors = [box, sphere, cylinder, s.facing((0, 0, 1), "60 deg"), s.patch(0), box & ~sphere | cylinder]
    selectors += [s.group(report.groups[-1]) & box] if report.groups else []
    for selector in selectors:
        areas = []
        for part in (selector, ~selector):
            try:
                areas.append(select(surface, part, resolution).area)
            except SelectionError as error:
                assert "selects nothing" in str(error)  # noqa: PT017 - a selector may take all of a part
                areas.append(0.0)
        assert sum(areas) == pytest.approx(surface.area, rel=2e-3)
    far = s.sphere(tuple(high + 9 * surface.diagonal), 0.1 * surface.diagonal)
    with pytest.raises(SelectionError, match=r"Nearest is patch \d+ at .* outside of it"):
        select(surface, far, resolution)
