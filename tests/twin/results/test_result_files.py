import csv
import json
import struct

import numpy as np
import pytest
import trimesh

from twin.errors import InvalidInput
from twin.results.files import save
from twin.results.scalars import Scalar, bands, scalar
from twin.results.skin import skin
from twin.results.storage import load

pyvista = pytest.importorskip("pyvista")


def test_vtu_carries_the_mesh_and_every_field(beam, tmp_path):
    grid = pyvista.read(save(beam, tmp_path / "beam.vtu"))
    case = beam.cases["default"]
    assert set(grid.celltypes) == {24}
    assert np.array_equal(grid.points, beam.points)
    assert np.array_equal(grid.cells.reshape(-1, 11)[:, 1:], beam.tets)
    sizes = grid.compute_cell_sizes()["Volume"]
    assert sizes.min() > 0.0
    assert sizes.sum() == pytest.approx(0.1 * 0.02 * 0.01)
    for name in ("displacement", "stress"):
        assert np.array_equal(grid.point_data[name], case.fields[name].values)
    assert np.array_equal(grid.point_data["von_mises"], case.fields["von_mises"].values[:, 0])
    assert np.array_equal(grid.cell_data["energy_error"], case.fields["energy_error"].values[:, 0])
    stress = grid.point_data.GetArray("stress")
    assert [stress.GetComponentName(k) for k in range(6)] == ["XX", "YY", "ZZ", "XY", "YZ", "XZ"]


def test_vtu_says_units_and_answers(beam, tmp_path):
    data = pyvista.read(save(beam, tmp_path / "beam.vtu")).field_data
    quantity = beam.cases["default"].quantities["max_von_mises"]
    assert data["max_von_mises"] == quantity.value
    assert data["max_von_mises [error]"] == quantity.error
    assert data["max_von_mises [unit]"][0] == data["stress [unit]"][0] == "Pa"
    assert data["displacement [unit]"][0] == data["length [unit]"][0] == "m"
    assert data["reaction_force"].reshape(-1).tolist() == [0.0, -1 / 3, 1000.0]
    assert data["provenance/twin"][0] == "0.1.0"


def test_vtu_of_several_cases_and_of_one_of_them(two_cases, tmp_path):
    every = pyvista.read(save(two_cases, tmp_path / "all.vtu"))
    assert {"ver/displacement", "hor/displacement", "ver/von_mises", "hor/von_mises"} <= set(every.point_data)
    one = pyvista.read(save(two_cases, tmp_path / "one.vtu", "hor"))
    assert np.array_equal(one.point_data["displacement"], every.point_data["hor/displacement"])
    assert one.field_data["load case"][0] == "hor"


def test_npz_is_the_whole_outcome(two_cases, tmp_path):
    with np.load(save(two_cases, tmp_path / "result.npz"), allow_pickle=False) as arrays:
        loaded = load(json.loads(str(arrays["manifest"])), lambda name: arrays[name])
        assert np.array_equal(
            loaded.cases["hor"].fields["stress"].values, two_cases.cases["hor"].fields["stress"].values
        )
    with np.load(save(two_cases, tmp_path / "one.npz", case="hor"), allow_pickle=False) as arrays:
        assert not [name for name in arrays if name.startswith("ver.")]


def test_csv_has_a_row_per_component_and_case(build, tmp_path):
    outcome = build({"ver": 1.0, "hor": 0.5}, error=float("inf"))
    with save(outcome, tmp_path / "quantities.csv").open(newline="", encoding="utf-8") as file:
        rows = {(row["case"], row["quantity"]): row for row in csv.DictReader(file)}
    for name, case in outcome.cases.items():
        row = rows[name, "max_von_mises"]
        assert float(row["value"]) == case.quantities["max_von_mises"].value
        assert (row["unit"], float(row["error"])) == ("Pa", float("inf"))
        assert float(rows[name, "reaction_force_z"]["value"]) == 1000.0
    assert rows["ver", "mass"]["note"] == "from the mesh"
    assert len(rows) == 14


def glb_document(path):
    data = path.read_bytes()
    magic, version, length = struct.unpack_from("<4sII", data)
    assert (magic, version, length) == (b"glTF", 2, len(data))
    size, kind = struct.unpack_from("<I4s", data, 12)
    assert (kind, size % 4) == (b"JSON", 0)
    binary, kind = struct.unpack_from("<I4s", data, 20 + size)
    assert (kind, binary % 4, 28 + size + binary) == (b"BIN\0", 0, len(data))
    return json.loads(data[20 : 20 + size]), data[28 + size :]


def test_glb_keeps_to_the_letter_of_gltf(beam, tmp_path):
    document, binary = glb_document(save(beam, tmp_path / "beam.glb"))
    assert document["buffers"] == [{"byteLength": len(binary)}]
    widths, sizes = {"SCALAR": 1, "VEC3": 3, "VEC4": 4}, {5126: 4, 5125: 4, 5121: 1}
    for accessor in document["accessors"]:
        view = document["bufferViews"][accessor["bufferView"]]
        bytes_needed = accessor["count"] * widths[accessor["type"]] * sizes[accessor["componentType"]]
        assert view["byteLength"] == bytes_needed
        assert view["byteOffset"] % 4 == 0
        assert view["byteOffset"] + view["byteLength"] <= len(binary)
    primitive = document["meshes"][0]["primitives"][0]
    position, normal, color = (
        document["accessors"][primitive["attributes"][k]] for k in ("POSITION", "NORMAL", "COLOR_0")
    )
    values = np.frombuffer(binary, np.float32, position["count"] * 3).reshape(-1, 3)
    assert values.min(axis=0).tolist() == pytest.approx(position["min"], abs=0)
    assert values.max(axis=0).tolist() == pytest.approx(position["max"], abs=0)
    start = document["bufferViews"][normal["bufferView"]]["byteOffset"]
    normals = np.frombuffer(binary, np.float32, normal["count"] * 3, start).reshape(-1, 3)
    assert np.abs(np.linalg.norm(normals, axis=1) - 1.0).max() < 1e-5
    assert color["normalized"] is True
    indices = document["accessors"][primitive["indices"]]
    start = document["bufferViews"][indices["bufferView"]]["byteOffset"]
    assert np.frombuffer(binary, np.uint32, indices["count"], start).max() < position["count"]


def test_glb_is_the_surface_in_metres_y_up_with_colours(beam, tmp_path):
    scene = trimesh.load_scene(save(beam, tmp_path / "beam.glb"))
    assert np.allclose(scene.extents, (0.1, 0.01, 0.02), rtol=1e-5)  # z of the part is up: y of glTF
    (mesh,) = scene.dump()
    assert mesh.volume == pytest.approx(0.1 * 0.02 * 0.01, rel=1e-4)


def test_glb_colours_are_those_of_the_legend_in_linear_light(beam, tmp_path):
    document, binary = glb_document(save(beam, tmp_path / "beam.glb"))
    attributes = document["meshes"][0]["primitives"][0]["attributes"]
    accessor = document["accessors"][attributes["COLOR_0"]]
    start = document["bufferViews"][accessor["bufferView"]]["byteOffset"]
    rgba = np.frombuffer(binary, np.uint8, accessor["count"] * 4, start).reshape(-1, 4)
    linear = rgba[:, :3] / 255.0
    srgb = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    nodes = skin(beam).nodes[:, 0]
    stress = scalar(beam.cases["default"], "von_mises")
    found = bands(Scalar(stress.name, stress.title, stress.si, stress.values[nodes]))
    # eight bits of linear light are coarse in the dark
    assert np.abs(linear_light(srgb) - linear_light(found.color(stress.values[nodes]))).max() < 1.0 / 255.0
    assert (rgba[:, 3] == 255).all()
    assert document["meshes"][0]["extras"]["limits"][-1] == 200.0


def linear_light(srgb):
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def test_glb_may_be_deformed(beam, tmp_path):
    straight = trimesh.load_scene(save(beam, tmp_path / "a.glb"))
    bent = trimesh.load_scene(save(beam, tmp_path / "b.glb", deformation=10.0))
    assert bent.extents[1] > 1.5 * straight.extents[1]
    document, _ = glb_document(tmp_path / "b.glb")
    assert document["meshes"][0]["extras"]["deformation"] == 10.0


@pytest.mark.parametrize("name", ["beam.stl", "beam"])
def test_other_suffixes_are_refused_with_the_choice(beam, tmp_path, name):
    with pytest.raises(InvalidInput, match=r"\.vtu, \.vtm, \.npz, \.csv, \.glb"):
        save(beam, tmp_path / name)


def test_unknown_cases_and_fields_are_refused(two_cases, tmp_path):
    with pytest.raises(InvalidInput, match="ver, hor"):
        save(two_cases, tmp_path / "a.vtu", "diagonal")
    with pytest.raises(InvalidInput, match="displacement, displacement_x"):
        save(two_cases, tmp_path / "a.glb", field="temperature")
