"""glTF and 3MF: units, places, names, and nothing outside of the file."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.twin.geometry.scenes import Gltf, mesh_xml, model_xml, threemf
from tests.twin.geometry.shapes import CUBE_TRIANGLES, CUBE_VERTICES
from twin.errors import GeometryError
from twin.geometry.reader import read
from twin.geometry.surface import Report, Surface

CUBE_XML = mesh_xml(CUBE_VERTICES, CUBE_TRIANGLES)
SIDES = CUBE_TRIANGLES.reshape(6, 2, 3)


def read_glb(document: Gltf) -> tuple[Surface, Report]:
    surface, report = read(document.glb(), None, "part.glb")
    again, same = read(document.embedded(), None, "part.gltf")
    assert same == report
    assert np.array_equal(again.vertices, surface.vertices)
    return surface, report


def box_of(surface: Surface, group: str) -> np.ndarray:
    corners = surface.corners[surface.groups[group]].reshape(-1, 3)
    return np.stack([corners.min(axis=0), corners.max(axis=0)])


def quad_sides() -> np.ndarray:
    """(6, 4, 3) corners of the sides of the cube, going around."""
    around = []
    for first, second in SIDES:
        extra = next(v for v in second if v not in first)
        place = next(i for i in range(3) if {first[i], first[(i + 1) % 3]} <= set(second.tolist()))
        around.append(np.insert(first, place + 1, extra))
    return CUBE_VERTICES[np.array(around)]


@pytest.mark.parametrize("mode", [4, 5, 6])
@pytest.mark.parametrize("kind", ["u1", "u2", "u4", None])
def test_lists_strips_and_fans(mode: int, kind: str | None) -> None:
    document = Gltf()
    primitives = []
    for side in quad_sides():
        order = {4: [0, 1, 2, 0, 2, 3], 5: [0, 1, 3, 2], 6: [0, 1, 2, 3]}[mode]
        primitive: dict[str, Any] = {"mode": mode}
        if kind is None:
            primitive["attributes"] = {"POSITION": document.accessor(side[order])}
        else:
            primitive["attributes"] = {"POSITION": document.accessor(side, stride=20)}
            primitive["indices"] = document.accessor(np.array(order), kind)
        primitives.append(primitive)
    document.node(mesh=document.mesh(*primitives))
    _, report = read_glb(document)
    assert (report.watertight, report.bodies, report.unit) == (True, 1, "m")
    assert report.volume == pytest.approx(1.0)
    assert not report.repairs
    assert "y axis up" in " ".join(report.warnings)


@pytest.mark.parametrize(("kind", "scale"), [("i1", 127), ("u1", 255), ("i2", 32767), ("u2", 65535)])
def test_quantised_positions(kind: str, scale: int) -> None:
    document = Gltf()
    document.json["extensionsRequired"] = ["KHR_mesh_quantization"]
    position = document.accessor(scale * CUBE_VERTICES, kind, stride=8, normalized=True)
    indices = document.accessor(CUBE_TRIANGLES.reshape(-1), "u1")
    mesh = document.mesh({"attributes": {"POSITION": position}, "indices": indices})
    document.node(mesh=mesh, scale=[2, 3, 4])
    assert read_glb(document)[1].volume == pytest.approx(24.0)


def test_sparse_accessors() -> None:
    document = Gltf()
    indices, values = (
        document.view(np.array([1, 7], dtype="<u1")),
        document.view(CUBE_VERTICES[[1, 7]].astype("<f4")),
    )
    broken = CUBE_VERTICES.copy()
    broken[[1, 7]] = 99
    sparse = {
        "count": 2,
        "indices": {"bufferView": indices, "componentType": 5121},
        "values": {"bufferView": values},
    }
    primitive = document.triangles(broken, CUBE_TRIANGLES)
    document.json["accessors"][primitive["attributes"]["POSITION"]]["sparse"] = sparse
    document.node(mesh=document.mesh(primitive))
    assert read_glb(document)[1].volume == pytest.approx(1.0)


def test_instances_names_and_materials() -> None:
    document = Gltf()
    document.json["materials"] = [{"name": "steel"}, {"name": "paint"}]
    painted, bare = CUBE_TRIANGLES[:2], CUBE_TRIANGLES[2:]
    mesh = document.mesh(
        document.triangles(CUBE_VERTICES, bare, material=0),
        document.triangles(CUBE_VERTICES, painted, material=1),
        name="cube",
    )
    turned = [0, 0, np.sin(np.pi / 4), np.cos(np.pi / 4)]
    left = document.node(root=False, mesh=mesh, name="left", translation=[-10, 0, 0], rotation=turned)
    mirror = np.diag([-2.0, 1, 1, 1])
    mirror[:3, 3] = [5, 1, 0]
    right = document.node(root=False, mesh=mesh, name="right", matrix=mirror.T.reshape(-1).tolist())
    pair = document.node(root=False, children=[left, right], name="pair", scale=[1, 1, 2])
    alone = document.node(root=False, mesh=mesh, name="alone", translation=[0, 50, 0])
    document.node(children=[pair, alone], name="world")
    surface, report = read_glb(document)
    assert set(report.groups) == {"cube", "left", "right", "pair", "alone", "steel", "paint"}
    assert (report.watertight, report.bodies) == (True, 3)
    assert report.volume == pytest.approx(2 + 4 + 1)
    assert box_of(surface, "left") == pytest.approx(np.array([[-11, 0, 0], [-10, 1, 2]]))
    assert box_of(surface, "right") == pytest.approx(np.array([[3, 1, 0], [5, 2, 2]]))
    assert box_of(surface, "alone") == pytest.approx(np.array([[0, 50, 0], [1, 51, 1]]))
    assert len(surface.groups["paint"]) == 6
    assert set(surface.groups["pair"]) == set(surface.groups["left"]) | set(surface.groups["right"])


def test_what_trimesh_writes_is_read(tmp_path: Path) -> None:
    import trimesh

    scene = trimesh.Scene(
        {
            "lid": trimesh.creation.cylinder(radius=1.0, height=0.5, sections=64),
            "base": trimesh.creation.box(
                (2, 2, 2), transform=trimesh.transformations.translation_matrix([5, 0, 0])
            ),
        }
    )
    scene.export(tmp_path / "scene.glb")
    surface, report = read((tmp_path / "scene.glb").read_bytes(), "mm", "scene.glb")
    assert {"lid", "base"} <= set(report.groups)
    assert report.bodies == 2
    assert report.volume == pytest.approx(8 + 64 / 2 * np.sin(2 * np.pi / 64) * 0.5)
    assert box_of(surface, "base") == pytest.approx(np.array([[4, -1, -1], [6, 1, 1]]))
    assert "own unit is m" in " ".join(report.warnings)


def broken(change: Any) -> bytes:
    document = Gltf()
    document.node(mesh=document.mesh(document.triangles(CUBE_VERTICES, CUBE_TRIANGLES)))
    change(document.json)
    return document.glb()


def set_in(*path: Any) -> Any:
    def change(content: Any) -> None:
        for key in path[:-2]:
            content = content[key]
        content[path[-2]] = path[-1]

    return change


DRACO = {"KHR_draco_mesh_compression": {"bufferView": 0}}
BROKEN_GLTF = [
    (set_in("accessors", 0, "count", 10**9), "where its bytes end"),
    (set_in("accessors", 0, "count", -1), "a length is -1"),
    (set_in("accessors", 0, "byteOffset", 40), "where its bytes end"),
    (set_in("accessors", 0, "type", "VEC9"), "unknown type"),
    (set_in("accessors", 1, "count", 8), "incomplete|not closed"),
    (set_in("bufferViews", 0, "byteLength", 1 << 30), "where its bytes end"),
    (set_in("bufferViews", 0, "buffer", 3), "names buffer 3"),
    (set_in("bufferViews", 0, "byteStride", 4), "bytes apart"),
    (set_in("nodes", 0, "children", [0]), "contains itself"),
    (set_in("nodes", 0, "mesh", 7), "names mesh 7"),
    (set_in("nodes", 0, "matrix", [1, 2]), "not as it should be"),
    (set_in("scene", 5), "names scene 5"),
    (set_in("meshes", 0, "primitives", 0, "mode", 9), "unknown mode"),
    (set_in("meshes", 0, "primitives", 0, "mode", 1), "no triangles"),
    (set_in("meshes", 0, "primitives", 0, "attributes", {}), "POSITION"),
    (set_in("meshes", 0, "primitives", 0, "extensions", DRACO), "Draco"),
    (set_in("extensionsRequired", ["EXT_meshopt_compression"]), "meshopt"),
    (set_in("extensionsRequired", ["VENDOR_magic"]), "VENDOR_magic"),
    (set_in("nodes", 0, "extensions", {"EXT_mesh_gpu_instancing": {}}), "instancing"),
    (set_in("asset", {"version": "1.0"}), "not 2.0"),
    (set_in("nodes", {"a": 1}), "not as it should be"),
]


@pytest.mark.parametrize(
    ("change", "words"), BROKEN_GLTF, ids=lambda value: value if isinstance(value, str) else ""
)
def test_damaged_gltf_is_refused_with_words(change: Any, words: str) -> None:
    if "incomplete" in words:  # a triangle too few is a hole
        _, report = read(broken(change), None, "part.glb")
        assert not report.watertight
        return
    with pytest.raises(GeometryError, match=words):
        read(broken(change), None, "part.glb")


def test_deep_json_is_refused() -> None:
    with pytest.raises(GeometryError, match="no JSON"):
        read(b'{"asset":' + b"[" * 200_000, None, "part.gltf")


@pytest.mark.parametrize(
    "uri", ["part.bin", "/etc/passwd", "../../x.bin", "http://127.0.0.1:9/x", "file:///etc/passwd"]
)
def test_gltf_opens_no_other_file(uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    document = Gltf()
    document.node(mesh=document.mesh(document.triangles(CUBE_VERTICES, CUBE_TRIANGLES)))
    (tmp_path / "part.bin").write_bytes(document.binary)
    monkeypatch.chdir(tmp_path)
    content = json.loads(document.embedded())
    content["buffers"][0]["uri"] = uri
    with pytest.raises(GeometryError, match=r"upload.*|\.glb"):
        read(json.dumps(content).encode(), None, "part.gltf")
    content["buffers"][0]["uri"] = "data:;base64," + base64.b64encode(document.binary).decode()
    assert read(json.dumps(content).encode(), None, "part.gltf")[1].watertight


@pytest.mark.parametrize(
    ("unit", "metres"),
    [("micron", 1e-6), (None, 1e-3), ("millimeter", 1e-3), ("centimeter", 1e-2), ("inch", 0.0254), ("foot", 0.3048),
     ("meter", 1.0)],
)  # fmt: skip
def test_the_unit_in_a_3mf_file_wins(unit: str | None, metres: float) -> None:
    model = model_xml([f'<object id="1">{CUBE_XML}</object>'], ['<item objectid="1"/>'], unit)
    _, report = read(threemf(model), "cm", "part.3mf")
    assert report.volume == pytest.approx(metres**3)
    assert bool(report.warnings) == (unit != "centimeter")
    assert report.watertight


def test_components_of_3mf() -> None:
    objects = [
        f'<object id="1" name="cube" partnumber="P-1">{CUBE_XML}</object>',
        '<object id="2" name="pair"><components><component objectid="1" transform="0 1 0 -1 0 0 0 0 1 10 0 0"/>'
        '<component objectid="1" transform="-2 0 0 0 1 0 0 0 1 20 0 0"/></components></object>',
        f'<object id="3" name="prop" type="support">{CUBE_XML}</object>',
    ]
    items = ['<item objectid="2" transform="1 0 0 0 1 0 0 0 1 0 0 5"/>', '<item objectid="1" partnumber="spare"/>',
             '<item objectid="3"/>']  # fmt: skip
    surface, report = read(threemf(model_xml(objects, items)), None, "part.3mf")
    assert set(report.groups) == {"cube", "P-1", "pair", "spare", "body_1", "body_2"}
    assert (report.bodies, report.watertight) == (3, True)
    assert report.volume == pytest.approx(4e-9)
    assert 1e3 * box_of(surface, "pair") == pytest.approx(np.array([[9, 0, 5], [20, 1, 6]]))
    assert 1e3 * box_of(surface, "spare") == pytest.approx(np.array([[0, 0, 0], [1, 1, 1]]))
    assert len(surface.groups["cube"]) == 36
    assert "1 supports" in " ".join(report.warnings)


def test_models_beside_the_main_one() -> None:
    other = model_xml([f'<object id="9" name="far">{CUBE_XML}</object>'], [], "centimeter")
    main = model_xml(
        ['<object id="1" name="box"><components><component p:path="/3D/other.model" objectid="9" '
         'transform="1 0 0 0 1 0 0 0 1 100 0 0"/></components></object>'], ['<item objectid="1"/>']
    )  # fmt: skip
    surface, report = read(threemf(main, other=other), None, "part.3mf")
    assert set(report.groups) == {"far", "box"}
    assert 1e3 * box_of(surface, "far") == pytest.approx(np.array([[100, 0, 0], [110, 10, 10]]))


def test_touching_objects_of_3mf_stay_two_bodies() -> None:
    objects = [f'<object id="{i}" name="{name}">{CUBE_XML}</object>' for i, name in ((1, "a"), (2, "b"))]
    items = ['<item objectid="1"/>', '<item objectid="2" transform="1 0 0 0 1 0 0 0 1 1 0 0"/>']
    surface, report = read(threemf(model_xml(objects, items)), None, "part.3mf")
    assert (report.bodies, report.watertight, report.groups) == (2, True, ("a", "b"))
    assert len(set(surface.body[surface.groups["a"]].tolist())) == 1


CYCLE = '<object id="{}"><components><component objectid="{}"/></components></object>'
TWICE = '<object id="{0}"><components><component objectid="{1}"/><component objectid="{1}"/></components></object>'
ITEM = ['<item objectid="1"/>']


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (model_xml([CYCLE.format(1, 2), CYCLE.format(2, 1)], ITEM), "circle"),
        (model_xml([TWICE.format(i, i + 1) for i in range(1, 60)], ITEM), "100000 components|does not have"),
        (model_xml([CYCLE.format(1, 7)], ITEM), "does not have"),
        (model_xml([f'<object id="1">{CUBE_XML}</object>'.replace('v1="0"', 'v1="8"')], ITEM), "outside of the 8"),
        (model_xml([f'<object id="1">{CUBE_XML}</object>'.replace('v1="0"', 'v1="x"')], ITEM), "lacks a number"),
        (model_xml([f'<object id="1">{CUBE_XML}</object>'.replace('v1="0"', 'v9="0"')], ITEM), "lacks a number"),
        (model_xml([], []), "no triangles"),
        (model_xml([], [], "parsec"), "parsec"),
        ("<model", "XML is broken"),
        ('<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><model>&x;</model>', "document type"),
        (model_xml([f'<object id="1">{CUBE_XML}</object>'], ['<item objectid="1" transform="1 2"/>']), "twelve"),
    ],
)  # fmt: skip
def test_damaged_3mf_is_refused_with_words(model: str, words: str) -> None:
    with pytest.raises(GeometryError, match=words):
        read(threemf(model), None, "part.3mf")


def test_a_3mf_bomb_is_refused() -> None:
    with pytest.raises(GeometryError, match="holds more than"):
        read(threemf("<model>" + " " * (100 << 20)), None, "part.3mf")
    with pytest.raises(GeometryError, match="unpacked"):
        read(b"PK\x03\x04 nonsense", None, "part.3mf")
