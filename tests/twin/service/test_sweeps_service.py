"""Sweeps through the service, with fake workers: none lost, none run twice, states kept apart."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import time
from pathlib import Path

import numpy as np
import pytest
from harness import cube, running
from sweeping import FORCE, LEAST, TET, connected, runs_computed, study

import twin
from twin.sweeps.table import Table


def test_all_designs_come_with_their_numbers(service):
    client, part = service
    sweep = client.sweep(part, study(2 * FORCE - 40), [FORCE], twin.Sobol(20, seed=3))
    updates = list(sweep.watch())
    designs = [update.design for update in updates if update.design is not None]
    assert sorted(design.index for design in designs) == list(range(20))
    assert updates[-1].state == "COMPLETE"
    table = sweep.result()
    assert table["design"].tolist() == list(range(20))
    assert table["max_displacement"] == pytest.approx((2 * table["force"] - 40) ** 2, rel=1e-12)
    assert table.units["force"] == "N"
    again = list(client.find_sweep(sweep.name).watch())  # late comers hear of them in the same order
    assert [u.design.index for u in again if u.design] == [design.index for design in designs]
    assert next(client.sweeps()).name == sweep.name
    assert sweep.name not in {run.name for run in client.runs()}


def test_the_states_of_designs_are_kept_apart(service):
    client, part = service
    force = twin.Levels("force", [10, 40, 75, 85, 95], "N")
    sweep = client.sweep(
        part, study(force), [force], twin.Factorial(), constraints=["force < 10 + 85", "force > 20"]
    )
    table = sweep.result()
    expected = ["INFEASIBLE", "DONE", "DONE", "FAILED", "INFEASIBLE"]
    assert table["state"].tolist() == expected
    assert "force > 20" in table["reason"][0]
    assert "no convergence" in table["reason"][3]
    assert np.isnan(table["max_displacement"][[0, 3, 4]]).all()
    counts = sweep.info().counts
    assert (counts.done, counts.failed, counts.infeasible, counts.cancelled) == (2, 1, 2, 0)
    assert [design.index for design in sweep.designs(["FAILED"])] == [3]


def test_what_an_analysis_refuses_is_infeasible(service):
    client, part = service
    force = twin.Levels("force", [50, 95], "N")
    table = client.sweep(part, study(force), [force], twin.Factorial()).result()
    assert table["state"].tolist() == ["DONE", "INFEASIBLE"]
    assert "turn about z" in table["reason"][1]


def test_identical_designs_are_computed_once_within_and_across_sweeps(service, tmp_path):
    client, part = service
    rows = twin.Points([[20], [30], [20], [30], [40]])
    first = client.sweep(part, study(FORCE), [FORCE], rows)
    assert first.result()["max_displacement"].tolist() == [400, 900, 400, 900, 1600]
    assert first.info().counts.shared == 2
    second = client.sweep(part, study(FORCE), [FORCE], twin.Points([[40], [50]]))
    assert second.result()["max_displacement"].tolist() == [1600, 2500]
    assert len(runs_computed(tmp_path)) == 4
    with pytest.raises(twin.FailedPrecondition, match="is a design of"):
        client.run(second.result()["run"][0]).delete()
    first.delete()
    assert second.table()["max_displacement"].tolist() == [1600, 2500]
    assert len(runs_computed(tmp_path)) == 2
    with pytest.raises(twin.NotFound):
        first.info()


def test_paused_resumed_extended(service):
    client, part = service
    sweep = client.sweep(part, study(FORCE), [FORCE], twin.Sobol(300))
    for update in sweep.watch():
        if update.counts.ended > 5:
            break
    assert sweep.pause().state == "PAUSED"
    time.sleep(2.0)  # the pack that is being computed ends
    held = sweep.info().counts.ended
    quick = client.simulate(part, study(30))  # others go on
    assert quick.result(20).case("sweep").quantities["max_displacement"].value == 900
    assert sweep.info().counts.ended == held < 300
    sweep.resume()
    assert sweep.result(60)["max_displacement"].shape == (300,)
    sweep.extend(20)
    table = sweep.result(60)
    alone = client.sweep(part, study(FORCE), [FORCE], twin.Sobol(320)).result(60)
    assert table["force"].tolist() == alone["force"].tolist()
    sweep.extend(twin.Points([[33.0]]))
    assert sweep.result(60)["max_displacement"][-1] == 33.0**2


def test_only_what_failed_is_tried_again(service, tmp_path):
    client, part = service
    (tmp_path / "broken").touch()  # the worker's folder is the home
    force = twin.Levels("force", [50, 72, 74, 85], "N")
    sweep = client.sweep(part, study(force), [force], twin.Factorial())
    before = sweep.result()
    assert before["state"].tolist() == ["DONE", "FAILED", "FAILED", "FAILED"]
    (tmp_path / "broken").unlink()
    assert sweep.retry().state == "ACTIVE"
    table = sweep.result()
    assert table["state"].tolist() == ["DONE", "DONE", "DONE", "FAILED"]
    assert (table["run"] == before["run"]).tolist() == [True, False, False, False]
    assert len(runs_computed(tmp_path)) == 4  # those that failed are gone


def test_what_is_tried_again_waits_while_the_sweep_is_paused(service, tmp_path):
    client, part = service
    (tmp_path / "broken").touch()
    force = twin.Range("force", "10 N", "80 N")
    rows = [[72], [74], *([10 + 0.1 * number] for number in range(300))]
    sweep = client.sweep(part, study(force), [force], twin.Points(rows))
    for update in sweep.watch():
        if update.counts.ended > 5:
            break
    sweep.pause()
    (tmp_path / "broken").unlink()
    assert sweep.retry().state == "PAUSED"
    time.sleep(0.5)
    assert [design.state for design in sweep.designs()][:2] == ["PENDING", "PENDING"]
    sweep.resume()
    assert (sweep.result(60)["state"] == "DONE").all()


def test_cancelled_designs_are_told_and_can_be_had_later(service):
    client, part = service
    sweep = client.sweep(part, study(FORCE), [FORCE], twin.Sobol(400))
    for update in sweep.watch():
        if update.counts.ended > 5:
            break
    assert sweep.cancel().state == "CANCELLED"
    counts = sweep.info().counts
    assert counts.done > 0
    assert counts.cancelled > 0
    assert counts.designs == 400
    assert list(sweep.watch())[-1].state == "CANCELLED"
    sweep.resume()
    sweep.retry()
    assert (sweep.result(60)["state"] == "DONE").all()


def killed_often(home: Path, count: int, kills: int, seed: int) -> Table:
    """The table of a sweep whose service is killed at random moments with everything that it has started."""
    moments, name = random.Random(seed), ""
    for kill in range(kills + 1):
        with running(home) as server, connected(server) as (client, part):
            if not name:
                name = client.sweep(part, study(FORCE), [FORCE], twin.Sobol(count, seed=7)).name
            sweep = client.find_sweep(name)
            if kill == kills:
                return sweep.result(120)
            time.sleep(moments.uniform(0.0, 0.6))
            server.kill_tree()
    raise AssertionError


def test_a_sweep_survives_whatever_kills_the_service(tmp_path):
    table = killed_often(tmp_path / "killed", 100, 4, seed=1)
    assert (table["state"] == "DONE").all()
    with running(tmp_path / "whole") as server, connected(server) as (client, part):
        whole = client.sweep(part, study(FORCE), [FORCE], twin.Sobol(100, seed=7)).result(60)
    for name in ("design", "force", "max_displacement"):
        assert table[name].tolist() == whole[name].tolist()
    database = sqlite3.connect(tmp_path / "killed" / "twin.sqlite")
    assert database.execute("SELECT count(*) FROM results").fetchone() == (100,)
    succeeded = "SELECT count(*) FROM events WHERE state = 'SUCCEEDED' GROUP BY run HAVING count(*) > 1"
    assert database.execute(succeeded).fetchall() == []  # none that had ended was run again
    database.close()


def test_adaptive_designs_are_the_same_after_a_kill(tmp_path):
    asked = twin.Adaptive(20, seed=2, initial=8, batch=4)
    found = []
    for home, kills in ((tmp_path / "whole", 0), (tmp_path / "killed", 2)):
        name = ""
        for kill in range(kills + 1):
            with running(home) as server, connected(server) as (client, part):
                if not name:
                    name = client.sweep(part, study(FORCE), [FORCE], asked).name
                if kill < kills:
                    time.sleep(0.7)
                    server.kill_tree()
                else:
                    found.append(client.find_sweep(name).result(120))
    whole, killed = found
    assert (whole["state"] == "DONE").all()
    assert whole["force"].tolist() == killed["force"].tolist()
    assert len(set(whole["force"])) == 20


def test_designs_that_differ_in_their_loads_alone_are_computed_together(tmp_path):
    with running(tmp_path) as server, connected(server) as (client, part):
        one = client.sweep(part, study(FORCE), [FORCE], twin.Sobol(70)).result(60)
        limited = client.sweep(part, study(FORCE), [FORCE], twin.Sobol(8, seed=3), max_seconds=30.0).result(
            60
        )
    assert (one["state"] == "DONE").all()
    assert (limited["state"] == "DONE").all()
    database = sqlite3.connect(tmp_path / "twin.sqlite")
    packs = database.execute("SELECT count(*) FROM runs WHERE pack <> '' GROUP BY pack").fetchall()
    database.close()
    assert sorted(count for (count,) in packs) == [6, 32, 32]  # so much time is for one design alone


def test_what_is_put_back_while_its_sweep_is_paused_waits(tmp_path):
    force = twin.Range("force", "10 N", "95 N")
    with running(tmp_path) as server, connected(server) as (client, part):
        sweep = client.sweep(part, study(force), [force], twin.Sobol(32, seed=2))
        database = sqlite3.connect(tmp_path / "twin.sqlite")
        while not database.execute("SELECT count(*) FROM runs WHERE state = 'RUNNING'").fetchone()[0]:
            time.sleep(0.01)
        sweep.pause()  # the pack that is being computed has designs that are refused, and is put back
        time.sleep(1.5)
        waiting = "SELECT count(*) FROM runs WHERE state = 'PENDING' AND NOT held"
        assert database.execute(waiting).fetchone() == (0,)
        held = sweep.info().counts.ended
        time.sleep(1.0)
        assert sweep.info().counts.ended == held < 32
        database.close()
        sweep.resume()
        assert len(sweep.result(60)["force"]) == 32


def test_workers_that_share_a_device_compute_each_design_once(tmp_path):
    with (
        running(tmp_path, settings={"TWIN_WORKERS_PER_DEVICE": "2"}) as server,
        connected(server) as (client, part),
    ):
        table = client.sweep(part, study(FORCE), [FORCE], twin.Sobol(100, seed=4)).result(60)
        assert len(server.workers()) == 2
    assert (table["state"] == "DONE").all()
    assert [fence for _, fence in runs_computed(tmp_path)] == [1] * 100


def test_one_of_a_pack_that_is_refused_leaves_the_others_their_answers(service):
    client, part = service
    force = twin.Range("force", "10 N", "95 N")
    table = client.sweep(part, study(force), [force], twin.Sobol(64, seed=2)).result(60)
    states = np.where(table["force"] > 90, "INFEASIBLE", np.where(table["force"] > 80, "FAILED", "DONE"))
    assert table["state"].tolist() == states.tolist()


def test_a_worker_that_dies_takes_only_its_own_design_along(tmp_path):
    with running(tmp_path) as server, connected(server) as (client, part):
        sweep = client.sweep(part, study(FORCE), [FORCE], twin.Sobol(60))
        for update in sweep.watch():
            if update.counts.ended > 5:
                break
        for pid in server.workers():
            os.kill(pid, signal.SIGKILL)
        assert (sweep.result(60)["state"] == "DONE").all()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"parameters": []}, "needs a parameter"),
        ({"parameters": [FORCE, FORCE]}, "several parameters named force"),
        ({"parameters": [FORCE, twin.Range("idle", 0, 1)]}, "idle changes nothing"),
        ({"constraints": ["force"]}, "compares"),
        ({"constraints": ["forse < 3"]}, "did you mean force"),
        ({"sampling": twin.Points([[5]])}, "Design 0: force is 5"),
        ({"sampling": twin.Points([[20, 1]])}, "2 values"),
        ({"sampling": twin.Adaptive(9, quantities=["max_mises"])}, "No design has max_mises"),
        ({"sampling": twin.Evolution(9, {"max_mises": "min"})}, "No design has max_mises"),
        ({"sampling": twin.Evolution(9, {"mass": "min"}, ["max_mises < 3"])}, "did you mean"),
        ({"sampling": twin.Descent(9, LEAST)}, "discretisation='tet'"),
        ({"sampling": twin.Descent(9, {"reaction_force_x": "min"}), **TET}, "no gradient"),
        ({"sampling": twin.Descent(9, LEAST, start={"forse": 3}), **TET}, "no parameter"),
        ({"sampling": twin.Descent(9, LEAST, start={"force": 1}), **TET}, "not from 10 N to 60 N"),
        ({"sampling": twin.Descent(9, LEAST), "parameters": [twin.Integers("force", 1, 9)], **TET}, "are ranges"),
        ({"sampling": twin.Factorial(1000), "parameters": [FORCE, twin.Range("b", 0, 1)], "constraints": ["b < 2"]},
         "1,000,000 designs"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_at_once(service, change, said):
    client, part = service
    asked = {"parameters": [FORCE], "sampling": twin.Sobol(4), "constraints": []} | change
    with pytest.raises(twin.InvalidInput, match=said):
        client.sweep(part, study(FORCE), **asked)


def test_what_can_not_go_on_is_paused_and_says_why(service):
    client, part = service
    asked = twin.Adaptive(20, initial=8, quantities=["mass"])  # which the fake worker does not find
    sweep = client.sweep(part, study(FORCE), [FORCE], asked)
    with pytest.raises(twin.StudyError, match="quantity mass"):
        sweep.result(60)
    assert sweep.info().state == "PAUSED"
    assert sweep.info().counts.done == 8
    other = client.sweep(part, study(FORCE), [FORCE], twin.Sobol(4)).result(20)  # it holds nobody up
    assert other["max_displacement"].shape == (4,)


def test_a_script_builds_a_part_for_each_design(service, tmp_path):
    client, _ = service
    built = []

    def build(edge):
        built.append(edge)
        if edge > 0.025:
            raise ValueError("no such cube")
        path = tmp_path / f"cube-{edge:g}.stl"
        path.write_bytes(cube(1e3 * edge))
        return path

    edge = twin.Levels("edge", ["10 mm", "20 mm", "30 mm"])
    bottom = twin.Fixed(twin.select.plane((0, 0, 0), (0, 0, 1)))
    top = twin.Force((0, 0, FORCE), twin.select.plane((0, 0, edge), (0, 0, 1)))
    question = twin.StaticStress("Ti-6Al-4V", [bottom], load_cases={"sweep": [top]})
    sweep = client.sweep(twin.Script(build), question, [edge, FORCE], twin.Factorial(2))
    table = sweep.result(60)
    assert table["state"].tolist() == ["DONE", "DONE", "DONE", "DONE", "INFEASIBLE", "INFEASIBLE"]
    assert "ValueError: no such cube" in table["reason"][4]
    assert sorted(set(built)) == [0.01, 0.02, 0.03]
    assert built.count(0.01) == built.count(0.02) == 1  # a part is built once for all forces
    # whoever comes later, with the same script, goes on
    again = client.sweep(twin.Script(build), question, [edge, FORCE], twin.Points([[0.01, 20], [0.02, 33]]))
    time.sleep(0.5)
    assert {design.state for design in again.designs()} == {"AWAITING_PART"}
    with pytest.raises(twin.InvalidInput, match="takes width"):
        client.find_sweep(again.name, script=twin.Script(lambda width: None))
    found = client.find_sweep(again.name, script=twin.Script(build))
    assert found.result(60)["max_displacement"].tolist() == [400, 33**2]


def test_scripts_that_make_no_sense_are_refused(service):
    client, _ = service
    for build, said in ((lambda: None, "takes no parameter"), (lambda *all: None, "by their names")):
        with pytest.raises(twin.InvalidInput, match=said):
            client.sweep(twin.Script(build), study(FORCE), [FORCE], twin.Sobol(2))
    with pytest.raises(twin.InvalidInput, match="depends on width"):
        client.sweep(twin.Script(lambda width: None), study(FORCE), [FORCE], twin.Sobol(2))
    sweep = client.sweep(twin.Script(lambda force: force), study(FORCE), [FORCE], twin.Sobol(2))
    assert "the script returned float" in sweep.result(30)["reason"][0]


def test_parts_are_a_parameter(service, tmp_path):
    client, part = service
    (tmp_path / "large.stl").write_bytes(cube(20.0))
    other = client.upload(tmp_path / "large.stl")
    sweep = client.sweep([part, other], study(FORCE), [FORCE], twin.Factorial(2))
    table = sweep.result()
    assert table["part"].tolist() == ["cube.stl", "cube.stl", "large.stl", "large.stl"]
    assert table["force"].tolist() == [10, 60, 10, 60]
