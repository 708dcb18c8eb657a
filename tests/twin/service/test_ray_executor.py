"""The same service with its workers on a Ray cluster of several nodes, which this machine plays."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from harness import Server, command, running
from sweeping import FORCE, connected, runs_computed, study

import twin

pytestmark = pytest.mark.skipif(find_spec("ray") is None, reason="ray is not installed (the extra `cluster`)")


class Cluster:
    """fake_cluster.py, from outside."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.address = self._said()

    def add(self, cpus: int, gpus: int = 0) -> str:
        return self._told(f"add {cpus} {gpus}")

    def remove(self, node: str) -> None:
        assert self._told(f"remove {node}") == "removed"

    def _told(self, order: str) -> str:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{order}\n")
        self._process.stdin.flush()
        return self._said()

    def _said(self) -> str:
        assert self._process.stdout is not None
        said = self._process.stdout.readline().strip()
        assert said, "the cluster ended"
        return said


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """A head, which is a node too."""
    script = str(Path(__file__).with_name("fake_cluster.py"))
    with subprocess.Popen(
        [sys.executable, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield Cluster(process)
        assert process.stdin is not None
        process.stdin.close()
        process.wait(60)


def serving(home: Path, cluster: Cluster) -> Any:
    return running(home, settings={"TWIN_CLUSTER": cluster.address})


def workers(home: Path) -> dict[int, list[str]]:
    """The command lines of the workers of a home by process, on whatever node of this machine."""
    found = {}
    for path in Path("/proc").glob("[0-9]*"):
        words = command(int(path.name)).decode().split("\0")
        if "--device-kind" in words and str(home) in words:
            found[int(path.name)] = words
    return found


def wait_for(home: Path, count: int) -> dict[int, list[str]]:
    end = time.monotonic() + 30.0
    while time.monotonic() < end:
        if len(found := workers(home)) == count:
            return found
        time.sleep(0.1)
    raise AssertionError(f"{len(workers(home))} workers, not {count}")


def test_a_node_that_is_lost_takes_no_design_along(cluster, tmp_path):
    lost, _ = cluster.add(1), cluster.add(1)
    home = tmp_path / "ray"
    with serving(home, cluster) as server, connected(server) as (client, part):
        wait_for(home, 3)
        sweep = client.sweep(part, study(FORCE), [FORCE], twin.Sobol(120, seed=7))
        for update in sweep.watch():
            if update.counts.ended > 10:
                break
        cluster.remove(lost)
        table = sweep.result(90)
        wait_for(home, 2)
    assert (table["state"] == "DONE").all()
    assert len(runs_computed(home)) == 120
    with running(tmp_path / "local") as server, connected(server) as (client, part):
        whole = client.sweep(part, study(FORCE), [FORCE], twin.Sobol(120, seed=7)).result(60)
    for name in ("design", "force", "max_displacement"):
        assert table[name].tolist() == whole[name].tolist()
    wait_for(home, 0)


@pytest.mark.slow
def test_the_real_solver_finds_the_same_on_a_cluster(cluster, tmp_path):
    """Blocks of four heights under tension: u = F h / (E A), and no number that depends on who computes."""
    cluster.add(1)
    rise = twin.Range("rise", "0 mm", "5 mm")
    top = {(i, j, 1): (0, 0, rise) for i in (0, 1) for j in (0, 1)}
    box = [twin.FreeForm((0, 0, 0), 3 * ("10 mm",), (2, 2, 2), top)]
    bottom = twin.Fixed(twin.select.plane((0, 0, 0), (0, 0, 1)))
    pull = twin.Force((0, 0, 1000.0), twin.select.plane((0, 0, 0.01), (0, 0, 1)))
    asked = twin.StaticStress(twin.Material(1e9, 0.0, 1000.0), [bottom], [pull])
    tables = []
    for home, settings in (
        (tmp_path / "ray", {"TWIN_CLUSTER": cluster.address}),
        (tmp_path / "local", {}),
    ):
        with running(home, real=True, settings=settings) as server, connected(server) as (client, part):
            sweep = client.sweep(part, asked, [rise], twin.Sobol(4, seed=1), shape=box, discretisation="tet")
            tables.append(sweep.result(500))
    on_ray, local = tables
    exact = 1000.0 * (0.01 + local["rise"]) / (1e9 * 1e-4)
    assert on_ray["max_displacement"] == pytest.approx(local["max_displacement"], rel=1e-6)
    assert local["max_displacement"] == pytest.approx(exact, rel=0.02)


def test_nodes_that_join_compute_and_gpus_have_a_worker_each(cluster, tmp_path):
    def identifiers() -> list[str]:
        words = wait_for(tmp_path, 3).values()
        return sorted(each[each.index("--device-identifier") + 1] for each in words)

    with serving(tmp_path, cluster) as server:
        wait_for(tmp_path, 1)
        cluster.add(1, gpus=2)
        assert identifiers() == ["", "0", "1"]
        assert ended_without_a_trace(server, tmp_path)


def ended_without_a_trace(server: Server, home: Path) -> bool:
    """Kill the front end: its workers are not its children."""
    server.kill_tree()
    wait_for(home, 0)
    return True


def test_a_cluster_that_is_not_there_is_an_error_at_the_start(tmp_path):
    with (
        pytest.raises(AssertionError, match="did not start"),
        running(tmp_path, settings={"TWIN_CLUSTER": "127.0.0.1:1"}),
    ):
        pass
