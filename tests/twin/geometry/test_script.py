"""What scripts return becomes a file that can be uploaded."""

import pytest
import trimesh
from netgen import occ

import twin
from twin.geometry import script
from twin.geometry.parse import parse


def box_of_netgen(edge):
    return occ.Box(occ.Pnt(0, 0, 0), occ.Pnt(1e3 * edge, 10, 10))


def box_of_trimesh(edge):
    return trimesh.creation.box(extents=(1e3 * edge, 10, 10))


@pytest.mark.parametrize("build", [box_of_netgen, box_of_trimesh])
def test_solids_and_meshes_become_files(build, tmp_path):
    made = twin.Script(build)
    assert made.parameters == ("edge",)
    path = made.write({"edge": 0.02}, tmp_path)
    surface, report = parse(path, "mm", path.name)
    assert surface.volume == pytest.approx(2e-6, rel=1e-6)
    assert report.watertight


def test_a_file_of_python_is_a_script(tmp_path):
    (tmp_path / "part.py").write_text("def build(wall, alloy='x'):\n    return wall\n")
    assert script.read(tmp_path / "part.py", "mm").parameters == ("wall", "alloy")
    (tmp_path / "none.py").write_text("wall = 3\n")
    for name in ("none.py", "absent.py"):
        with pytest.raises(twin.InvalidInput, match=name):
            script.read(tmp_path / name, "mm")
