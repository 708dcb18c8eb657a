"""Scripts that the service runs: parts for designs, within walls, on real bubblewrap."""

import os
import shutil
import socket
import sys
import time

import pytest
from harness import running

import twin
from twin.errors import GeometryError
from twin.geometry.built import build
from twin.sandbox.child import Limits

pytestmark = pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is not installed")

FORCE = twin.Range("force", "10 N", "60 N")
EDGE = twin.Levels("edge", ["10 mm", "20 mm", "30 mm"])
ALLOWED = {"TWIN_SCRIPTS": "1"}
CUBES = """
import time

import trimesh

def build(edge):
    time.sleep(0.2)
    if edge > 0.025:
        raise ValueError("no such cube")
    return trimesh.creation.box(bounds=[3 * [0.0], 3 * [1e3 * edge]])
"""


def study():
    bottom = twin.Fixed(twin.select.plane((0, 0, 0), (0, 0, 1)))
    top = twin.Force((0, 0, FORCE), twin.select.plane((0, 0, EDGE), (0, 0, 1)))
    return twin.StaticStress("Ti-6Al-4V", [bottom], load_cases={"sweep": [top]})


def started(client):
    return client.sweep(twin.ServerScript(CUBES), study(), [EDGE, FORCE], twin.Factorial(2))


def test_the_service_builds_parts_while_no_client_is_there(tmp_path):
    with running(tmp_path, settings=ALLOWED) as server:
        with twin.connect(server.address) as client:
            name = started(client).name
        with twin.connect(server.address) as client:
            table = client.find_sweep(name).result(120)
    assert table["state"].tolist() == ["DONE"] * 4 + ["INFEASIBLE"] * 2
    assert "ValueError: no such cube" in table["reason"][4]


def test_a_service_that_is_killed_builds_the_rest(tmp_path):
    with running(tmp_path, settings=ALLOWED) as server:
        with twin.connect(server.address) as client:
            name = started(client).name
            time.sleep(1.0)
        server.kill_tree()
    with running(tmp_path, settings=ALLOWED) as server, twin.connect(server.address) as client:
        table = client.find_sweep(name).result(120)
    assert table["state"].tolist() == ["DONE"] * 4 + ["INFEASIBLE"] * 2


def test_scripts_are_refused_where_the_operator_does_not_allow_them(tmp_path):
    with running(tmp_path) as server, twin.connect(server.address) as client:
        with pytest.raises(twin.FailedPrecondition, match="twin serve --scripts"):
            started(client)
        with pytest.raises(twin.InvalidInput, match="no function build"):
            client.sweep(twin.ServerScript("wall = 3"), study(), [EDGE, FORCE], twin.Factorial(2))


def built(source, folder, **limits):
    """What a script raises."""
    (folder / "home").mkdir()
    (folder / "home" / "secret").write_text("of another tenant")
    (folder / "work").mkdir()
    bounds = Limits(**({"seconds": 60.0, "memory": 8 << 30, "file_size": 1 << 20} | limits))
    with pytest.raises(GeometryError) as raised:
        build(source, {"edge": 0.02}, folder / "work", folder / "home", limits=bounds)
    return raised.value.message


@pytest.mark.parametrize(
    ("tried", "said"),
    [
        ("open('{home}/secret').read()", "No such file"),
        ("open('/etc/passwd').read()", "No such file"),
        ("open('{venv}/pyvenv.cfg', 'a')", "Read-only file system"),
        ("socket.create_connection(('127.0.0.1', {port}), 2)", "unreachable|refused"),
        ("os.kill({pid}, 0)", "No such process"),
        ("os.setuid(0) or os.chroot('/tmp')", "not permitted"),
        ("open('part.stl', 'wb').write(bytes(2 << 20))", "crashed|too large"),
    ],
)
def test_walls(tmp_path, tried, said):
    with socket.create_server(("127.0.0.1", 0)) as server:
        facts = {
            "home": tmp_path / "home",
            "venv": sys.prefix,
            "port": server.getsockname()[1],
            "pid": os.getpid(),
        }
        source = f"import os, socket\ndef build(edge):\n    {tried.format(**facts)}\n    return 'nothing'\n"
        message = built(source, tmp_path)
    assert any(word in message for word in said.split("|")), message


def test_limits(tmp_path):
    assert "did not finish within 3 s" in built(
        "def build(edge):\n    while True: pass\n", tmp_path, seconds=3.0
    )


def test_memory_is_limited(tmp_path):
    assert "memory" in built("def build(edge):\n    return bytes(20 << 30)\n", tmp_path)


def test_a_link_leads_nowhere(tmp_path):
    """A file within the folder that points out of it would be read by the service."""
    source = (
        "import os, pathlib\n"
        "def build(edge):\n"
        f"    os.symlink('{tmp_path}/home/secret', 'built.stl')\n"
        "    class Part(str): pass\n"
        "    return pathlib.Path('built.stl')\n"
    )
    assert "no file" in built(source, tmp_path)
