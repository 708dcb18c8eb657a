"""Scripts that the service runs: parts for designs, within walls, on real bubblewrap."""

import os
import shutil
import socket
import sys
import time
from textwrap import dedent

import pytest
from harness import running

import twin
from twin.errors import GeometryError, ResourceExhausted, TwinError
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


SLOW = """
import itertools

def build(edge):
    for i in itertools.count():
        open(f"left-{i}", "w").close()
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
            sweep = started(client)
            for update in sweep.watch():
                if update.counts.done:
                    break
        server.kill_tree()
    with running(tmp_path, settings=ALLOWED) as server, twin.connect(server.address) as client:
        table = client.find_sweep(sweep.name).result(120)
    assert table["state"].tolist() == ["DONE"] * 4 + ["INFEASIBLE"] * 2


def test_a_service_that_no_longer_allows_scripts_says_so(tmp_path):
    with running(tmp_path, settings=ALLOWED) as server:
        with twin.connect(server.address) as client:
            sweep = client.sweep(twin.ServerScript(SLOW), study(), [EDGE, FORCE], twin.Factorial(2))
        assert server.stop() == 0
    with (
        running(tmp_path) as server,
        twin.connect(server.address) as client,
        pytest.raises(twin.FailedPrecondition, match="runs no scripts"),
    ):
        client.find_sweep(sweep.name).result(30)


def test_what_a_script_answers_in_place_of_ours_spoils_its_own_design_alone(tmp_path):
    spoilt = """
        import os
        def build(edge):
            if edge > 0.015:
                open("answer.json", "w").write("[" * 60_000 if edge > 0.025 else "{}")
                os._exit(0)
            import trimesh
            return trimesh.creation.box(bounds=[3 * [0.0], 3 * [1e3 * edge]])
    """
    with running(tmp_path, settings=ALLOWED) as server, twin.connect(server.address) as client:
        asked = client.sweep(twin.ServerScript(dedent(spoilt)), study(), [EDGE, FORCE], twin.Factorial(2))
        table = asked.result(60)
        again = started(client).result(60)
    assert table["state"].tolist() == ["DONE"] * 2 + ["INFEASIBLE"] * 4
    assert "spoiled" in table["reason"][2]
    assert (again["state"][:4] == "DONE").all()


def test_a_service_that_stops_ends_scripts(tmp_path):
    with running(tmp_path, settings=ALLOWED) as server:
        with twin.connect(server.address) as client:
            client.sweep(twin.ServerScript(SLOW), study(), [EDGE, FORCE], twin.Factorial(2))
            time.sleep(2.0)
        assert server.stop() == 0
        assert not list((tmp_path / "scratch").glob("script-*"))


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
    with pytest.raises(TwinError) as raised:
        build(source, {"edge": 0.02}, folder / "work", folder / "home", limits=bounds)
    return raised.value


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
        refused = built(source, tmp_path)
    assert any(word in refused.message for word in said.split("|")), refused.message


def test_time_is_limited(tmp_path):
    refused = built("def build(edge):\n    while True: pass\n", tmp_path, seconds=3.0)
    assert isinstance(refused, ResourceExhausted), "it may be otherwise another time"
    assert "did not finish within 3 s" in refused.message


@pytest.mark.parametrize("first", ["None", "resource.setrlimit(resource.RLIMIT_AS, (-1, -1))"])
def test_memory_is_limited(tmp_path, first):
    source = f"import resource\ndef build(edge):\n    {first}\n    return bytes(20 << 30)\n"
    refused = built(source, tmp_path)
    assert any(said in refused.message for said in ("memory", "not allowed", "exceeds"))


def test_what_it_answers_leads_nowhere_else(tmp_path):
    """A path in place of a suffix, through a folder that the script has made."""
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "secret").write_text("of another tenant")
    (tmp_path / "work").mkdir()
    answer = '{"answer": {"reason": "", "suffix": "/../../../home/secret"}}'
    source = (
        "import os\n"
        "def build(edge):\n"
        "    os.mkdir('built')\n"
        f"    open('answer.json', 'w').write({answer!r})\n"
        "    os._exit(0)\n"
    )
    with pytest.raises(GeometryError, match="spoiled"):
        build(source, {"edge": 0.02}, tmp_path / "work", tmp_path / "home")
    assert [path.name for path in (tmp_path / "work").iterdir()] == ["within"]


@pytest.mark.parametrize("left", ["os.symlink({secret!r}, 'built.stl')", "os.mkfifo('built.stl')", "None"])
def test_what_is_left_is_a_plain_file(tmp_path, left):
    """A link would have the service read what the script can't see, a pipe have it wait for ever."""
    answer = '{"answer": {"reason": "", "suffix": ".stl"}}'
    source = (
        "import os\n"
        "def build(edge):\n"
        f"    {left.format(secret=str(tmp_path / 'home' / 'secret'))}\n"
        f"    open('answer.json', 'w').write({answer!r})\n"
        "    os._exit(0)\n"
    )
    refused = built(source, tmp_path)
    assert isinstance(refused, GeometryError)
    assert "left no file" in refused.message
