"""The loop of a surrogate on the service: trained on a sweep, asked, rolled back, deleted; and what is refused.

Fake workers answer the designs, by Euler and Bernoulli; training and answers are real.
"""

from __future__ import annotations

import dataclasses
import math
import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import sweeping
from harness import Server, running

import twin
from twin.sdk.part import Part
from twin.sdk.sweep import Sweep

BOTTOM = twin.select.plane((0, 0, 0), (0, 0, 1))
TOP = twin.select.plane((0, 0, "10 mm"), (0, 0, 1))
DESIGNS = 40


@dataclasses.dataclass
class Setting:
    """A service with a sweep of blocks of different width and depth."""

    server: Server
    client: twin.Client
    part: Part
    sweep: Sweep
    training: str = ""  # the run that has made the first version of "blocks"


def shaped(wide: object, deep: object) -> twin.FreeForm:
    """The cube, wider along x and deeper along y."""
    corners = {
        (i, j, k): (wide if i else 0, deep if j else 0, 0) for i in (0, 1) for j in (0, 1) for k in (0, 1)
    }
    return twin.FreeForm((0, 0, 0), ("10 mm", "10 mm", "10 mm"), (2, 2, 2), corners)


def pushed(*loads: object, case: str = "beam") -> twin.StaticStress:
    return twin.StaticStress("Ti-6Al-4V", [twin.Fixed(BOTTOM)], load_cases={case: loads})  # type: ignore[dict-item]


def sideways(newtons: float) -> twin.StaticStress:
    return pushed(twin.Force((newtons, 0, 0), TOP))


def swept(client: twin.Client, part: Part, *, keep_fields: bool = True, designs: int = DESIGNS) -> Sweep:
    wide, deep = twin.Range("wide", "0 mm", "4 mm"), twin.Range("deep", "0 mm", "4 mm")
    study = sideways(100)
    shape = [shaped(wide, deep)]
    sampling = twin.Halton(designs)
    sweep = client.sweep(part, study, [wide, deep], sampling, shape=shape, keep_fields=keep_fields)
    sweep.result(timeout=60)
    return sweep


@pytest.fixture(scope="module")
def setting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Setting]:
    home: Path = tmp_path_factory.mktemp("home")
    with running(home) as server, sweeping.connected(server) as (client, part):
        yield Setting(server, client, part, swept(client, part))


@pytest.fixture(scope="module")
def trained(setting: Setting) -> Setting:
    """With a surrogate."""
    run = setting.client.train("blocks", setting.sweep, networks=2, steps=20)
    updates = list(run.watch())
    assert updates[-1].state == "SUCCEEDED", updates[-1].error
    told = [update for update in updates if update.phase == "train"]
    assert all(update.numbers["loss"] > 0 for update in told)
    assert "network 2 of 2" in told[-1].message
    with pytest.raises(twin.InvalidInput, match=r"surrogate\(\)"):
        run.result()
    assert run.surrogate().current == 1
    return dataclasses.replace(setting, training=run.name)


def test_a_card_says_what_is_known(trained: Setting) -> None:
    found = trained.client.surrogate("blocks")
    assert found.name == "surrogates/blocks"
    assert list(found.cards) == [1]
    card = found.card
    assert (card.study, card.networks, card.steps) == ("static_stress", 2, 20)
    groups = (card.split.training, card.split.calibration, card.split.test)
    assert sum(parts for parts, _ in groups) == DESIGNS
    assert card.data.startswith("sha256:")
    assert set(card.quantities) == {"max_displacement", "max_von_mises", "compliance"}
    assert card.accuracy["max_displacement"] == pytest.approx(0.01)
    # 10 parts can promise nine of ten, and not 19 of 20
    by_level = {level.asked: level for level in card.coverage["max_displacement"]}
    assert by_level[0.9].width > 0
    assert math.isinf(by_level[0.95].width)
    assert any("95%" in warning for warning in card.warnings)
    assert [each.name for each in trained.client.surrogates()] == ["surrogates/blocks"]


def test_an_answer_is_linear_and_says_where_it_is_from(trained: Setting, tmp_path: Path) -> None:
    shape = [shaped("2 mm", "1 mm")]
    once, twice = (
        trained.client.predict(trained.part, sideways(newtons), "blocks", shape=shape)
        for newtons in (100.0, 200.0)
    )
    assert once.provenance["surrogate"] == "surrogates/blocks/versions/1"
    assert "nothing was solved" in once.assumptions[0]
    for name, power in (("max_displacement", 2), ("max_von_mises", 2), ("compliance", 4)):
        one, two = once.quantities[name], twice.quantities[name]
        assert two.value == pytest.approx(power * one.value, rel=1e-12)
        assert two.error == pytest.approx(power * one.error, rel=1e-9)
        assert math.isfinite(one.error)
        assert one.error > 0
    assert once.quantities["reaction_force"].value == pytest.approx([-100.0, 0.0, 0.0], abs=1e-9)
    fields = once.fields
    peak = np.linalg.norm(fields["displacement"].values, axis=1).max()
    assert once.quantities["max_displacement"].value == pytest.approx(peak, rel=0.05)
    assert (fields["displacement_error"].values > 0).all()
    assert once.quantities["mass"].value == pytest.approx(0.012 * 0.011 * 0.01 * 4430, rel=1e-6)
    moved, again = (each.fields["displacement"].values for each in (once, twice))
    assert np.array_equal(again, 2 * moved)
    assert np.abs(once.surface_fields["displacement"].values[:4]).max() >= 0
    held = np.isclose(once.mesh.points[:, 2], 0.0)
    assert held.any()
    assert np.abs(moved[held]).max() < 1e-9 * np.abs(moved).max()
    for suffix in ("png", "html", "vtu", "npz", "csv", "glb"):
        path = tmp_path / f"answer.{suffix}"
        {"png": once.plot, "html": once.report}.get(suffix, once.save)(path)
        assert path.stat().st_size > 500
    with pytest.raises(twin.InvalidInput, match="surface only"):
        once.probe("displacement", [[0.005, 0.005, 0.005]])


def test_a_sweep_asks_a_surrogate_of_many_designs(trained: Setting) -> None:
    """Numbers come as designs end, and are those of a single question; no field is decoded for them."""
    wide, deep = twin.Range("wide", "0 mm", "4 mm"), twin.Range("deep", "0 mm", "4 mm")
    sweep = trained.client.sweep(
        *(trained.part, sideways(100), [wide, deep], twin.Halton(9)),
        shape=[shaped(wide, deep)], method="surrogate", surrogate="blocks",
    )  # fmt: skip
    streamed = [update.design.state for update in sweep.watch() if update.design is not None]
    assert streamed == ["DONE"] * 9
    table = sweep.result()
    shape = [shaped(float(table["wide"][4]), float(table["deep"][4]))]
    alone = trained.client.predict(trained.part, sideways(100), "blocks", shape=shape).quantities
    for name in ("max_displacement", "max_von_mises", "compliance"):
        assert table[name][4] == pytest.approx(alone[name].value, rel=1e-6)
        assert table[f"{name}_error"][4] == pytest.approx(alone[name].error, rel=1e-6)


def test_a_narrower_promise_has_wider_bounds(trained: Setting) -> None:
    shape = [shaped("2 mm", "1 mm")]
    bounds = [
        trained.client.predict(trained.part, sideways(100), "blocks", coverage, shape=shape)
        .quantities["max_displacement"]
        .error
        for coverage in (0.5, 0.9, 0.99)
    ]
    assert bounds[0] <= bounds[1] < bounds[2] == math.inf


def test_loads_and_parts_that_it_has_never_seen_are_refused(trained: Setting) -> None:
    client, part = trained.client, trained.part
    with pytest.raises(twin.FailedPrecondition, match="never seen a load along force z"):
        client.predict(part, pushed(twin.Force((0, 0, 100), TOP)), "blocks")
    with pytest.raises(twin.FailedPrecondition, match="too unlike"):
        client.predict(part, sideways(100), "blocks", shape=[shaped("30 mm", "-6 mm")])
    with pytest.raises(twin.InvalidInput, match="has never seen frequency_1"):
        client.predict(part, sideways(100), "blocks", quantities=["frequency_1"])
    spun = pushed(twin.Centrifugal((0, 0, 1), (0, 0, 0), 10.0))
    with pytest.raises(twin.FailedPrecondition, match="not this Centrifugal"):
        client.predict(part, spun, "blocks")
    with pytest.raises(twin.NotFound, match="surrogates/none"):
        client.predict(part, sideways(100), "none")
    with pytest.raises(twin.NotFound, match="no version 7"):
        client.predict(part, sideways(100), "surrogates/blocks/versions/7")
    heat = twin.HeatConduction("Ti-6Al-4V", [twin.Temperature(300, BOTTOM)], [twin.HeatFlux(10, TOP)])
    with pytest.raises(twin.InvalidInput, match="static_stress, not heat_conduction"):
        client.predict(part, heat, "blocks")
    with pytest.raises(twin.FailedPrecondition, match="No surrogate answers heat_conduction"):
        client.simulate(part, heat, method="surrogate")


def test_auto_asks_the_surrogate_and_solves_where_that_does_not_do(trained: Setting) -> None:
    client, part, shape = trained.client, trained.part, [shaped("2 mm", "1 mm")]
    wide = client.predict(part, sideways(100), "blocks", 0.5, shape=shape)
    needed = max(wide.quantities[name].relative_error for name in ("max_displacement", "max_von_mises"))
    good_enough = client.simulate(
        part,
        sideways(100),
        accuracy=min(1.0, 1.01 * needed),
        surrogate="blocks",
        coverage=0.5,
        shape=shape,
        quantities=["max_displacement", "max_von_mises"],
    ).result(timeout=400)
    if needed < 0.99:
        assert good_enough.provenance["surrogate"] == "surrogates/blocks/versions/1"
        assert [rung.answered for rung in good_enough.rungs] == [True, False, False]
        assert good_enough.rungs[2].seconds is not None
    solved = client.simulate(part, sideways(100), accuracy=0.3, shape=[shaped("30 mm", "-6 mm")])
    result = solved.result(timeout=400)  # no surrogate is named: all are asked
    assert result.provenance["asked_first"] == "surrogates/blocks/versions/1"
    assert "too unlike" in result.assumptions[0]
    assert "conjugate gradients" in result.provenance["solver"]
    assert [(rung.name, rung.answered) for rung in result.rungs] == [
        ("surrogate", False), ("corrected", False), ("solver", True),
    ]  # fmt: skip
    assert "too unlike" in result.rungs[0].said


def test_a_bound_that_is_too_wide_is_climbed_from(trained: Setting) -> None:
    """The solver starts from the surrogate's field, and ends where its numbers are certified."""
    asked = {"shape": [shaped("2 mm", "1 mm")], "max_unknowns": 30_000, "accuracy": 0.02}
    found = trained.client.simulate(trained.part, sideways(100), **asked).result(timeout=400)
    first, corrected, solver = found.rungs
    assert not first.answered
    assert "above the requested 2.0%" in first.said
    assert corrected.answered
    assert corrected.measured
    assert not solver.measured
    assert solver.seconds > 0
    assert 1e-8 < float(found.provenance["linear_tolerance"]) < 0.1
    assert all(row.iterations < 15 for row in found.convergence)
    assert found.quantities["max_displacement"].relative_error < 0.1


def test_an_answer_of_a_surrogate_has_no_gradient_and_teaches_nothing(trained: Setting) -> None:
    result = trained.client.predict(trained.part, sideways(100), "blocks", shape=[shaped("2 mm", "1 mm")])
    with pytest.raises(twin.FailedPrecondition, match="method='solver'"):
        result.gradient("max_displacement", wrt="loads")
    run = trained.client.train("echo", [trained.sweep, result.run], networks=1, steps=10)
    with pytest.raises(twin.FailedPrecondition, match="itself answered by a surrogate"):
        run.surrogate(timeout=120)


def test_what_is_saved_answers_the_same_elsewhere(trained: Setting, tmp_path: Path) -> None:
    client, asked = trained.client, (trained.part, sideways(100))
    saved = client.surrogate("blocks").save(tmp_path / "blocks.npz", 1)
    run = client.load_surrogate(saved, "twins")
    loaded = run.surrogate(timeout=120)
    assert (loaded.name, loaded.current) == ("surrogates/twins", 1)
    assert loaded.card == client.surrogate("blocks").cards[1]
    first, second = (
        client.predict(*asked, name, shape=[shaped("2 mm", "1 mm")])
        for name in ("surrogates/blocks/versions/1", "twins")
    )
    assert first.quantities == second.quantities
    assert np.array_equal(first.fields["stress"].values, second.fields["stress"].values)
    loaded.delete()
    with pytest.raises(twin.NotFound, match="no version 9"):
        client.surrogate("blocks").save(tmp_path / "none.npz", 9)
    with pytest.raises(twin.GeometryError, match="no file"):
        client.load_surrogate(tmp_path / "none.npz", "twins")


def test_designs_that_it_would_learn_most_of_extend_its_sweep(trained: Setting) -> None:
    client = trained.client
    sweep = swept(client, trained.part)  # of the same designs: it shares their runs
    tested = client.surrogate("blocks").errors()
    designs = list(sweep.designs())
    assert set(tested) < {design.run for design in designs}
    assert all(np.isfinite(error) and error > 0 for error in tested.values())
    assert len(tested) == 10 + 6  # that calibrate and test
    improved = client.improve("blocks", sweep, 5)
    assert len(improved.result(timeout=60)["wide"]) == len(designs) + 5
    with pytest.raises(twin.FailedPrecondition, match=r"tested on [01] designs"):
        client.improve("blocks", swept(client, trained.part, designs=2), 5)
    with pytest.raises(twin.NotFound):
        client.improve("nobody", sweep, 5)


@pytest.mark.slow
def test_a_surrogate_starts_from_another(trained: Setting) -> None:
    client = trained.client
    run = client.train("fitted", trained.sweep, networks=1, steps=5, start="blocks")
    assert run.surrogate(timeout=120).card.start == "surrogates/blocks/versions/1"
    with pytest.raises(twin.NotFound, match="surrogates/nobody"):
        client.train("fitted", trained.sweep, start="nobody")
    with pytest.raises(twin.StudyError, match="no surrogate"):
        client.train("fitted", trained.sweep, start="runs/1")
    client.surrogate("fitted").delete()


def test_a_file_that_is_no_surrogate_makes_none(setting: Setting, tmp_path: Path) -> None:
    path = tmp_path / "blocks.npz"
    path.write_text("not even an archive")
    run = setting.client.load_surrogate(path, "nothing")
    with pytest.raises(twin.InvalidInput, match="no surrogate"):
        run.surrogate(timeout=120)
    with pytest.raises(twin.NotFound):
        setting.client.surrogate("nothing")


def test_what_can_not_be_learned_from_is_refused_at_once(setting: Setting) -> None:
    client, part = setting.client, setting.part
    run = client.simulate(part, sideways(100), method="solver")
    run.result(timeout=60)
    with pytest.raises(twin.FailedPrecondition, match="1 different parts are too few"):
        client.train("few", run)
    with pytest.raises(twin.FailedPrecondition, match="keeps no fields"):
        client.train("few", swept(client, part, keep_fields=False, designs=2))
    askew = twin.StaticStress(
        "Ti-6Al-4V", [twin.ElasticFoundation(BOTTOM, 1e12)], [twin.Force((100, 0, 0), TOP)]
    )
    soft = client.simulate(part, askew, method="solver")
    soft.result(timeout=60)
    with pytest.raises(twin.InvalidInput, match=r"ElasticFoundation .* gives way"):
        client.train("few", [setting.sweep, soft])
    with pytest.raises(twin.NotFound, match="runs/none"):
        client.train("few", "runs/none")
    with pytest.raises(twin.NotFound, match="sweeps/none"):
        client.train("few", "sweeps/none")
    with pytest.raises(twin.StudyError, match="lower-case"):
        client.train("No Name", setting.sweep)
    with pytest.raises(twin.StudyError, match="networks"):
        client.train("many", setting.sweep, networks=99)


@pytest.mark.slow
def test_a_training_whose_worker_dies_goes_on_from_its_checkpoint(setting: Setting) -> None:
    run = setting.client.train("phoenix", setting.sweep, networks=1, steps=120)
    killed, steps = False, []
    for update in run.watch():
        if update.phase == "train" and (found := re.search(r"step ([\d,]+) of", update.message)):
            steps.append(int(found[1].replace(",", "")))
            if not killed and steps[-1] >= 30:
                os.kill(setting.server.wait_for_worker(), signal.SIGKILL)
                killed = True
    assert killed
    assert run.surrogate().current == 1
    assert steps[-1] == 120
    assert min(steps[steps.index(30) + 1 :]) > 20, "it began anew"


def test_versions_are_rolled_back_and_deleted(trained: Setting) -> None:
    client = trained.client
    second = client.train("blocks", trained.sweep, networks=1, steps=10, seed=1)
    found = second.surrogate(timeout=120)
    assert (found.current, list(found.cards)) == (2, [2, 1])
    assert found.cards[1].data == found.cards[2].data
    found.use(1)
    assert client.surrogate("blocks").current == 1
    answer = client.predict(trained.part, sideways(100), "blocks", shape=[shaped("2 mm", "1 mm")])
    assert answer.provenance["surrogate"] == "surrogates/blocks/versions/1"
    with pytest.raises(twin.FailedPrecondition, match="delete that version"):
        client.run(trained.training).delete()
    with pytest.raises(twin.NotFound, match="no version 3"):
        found.use(3)
    found.delete(1)
    assert (found.current, list(found.cards)) == (2, [2])
    with pytest.raises(twin.NotFound):
        client.run(trained.training)
    found.delete()
    with pytest.raises(twin.NotFound, match="train one first"):
        client.surrogate("blocks")


@pytest.mark.slow
def test_what_had_to_be_solved_is_learned_from_where_that_is_wished(setting: Setting) -> None:
    client = setting.client
    client.train("pool", setting.sweep, networks=1, steps=5).surrogate(timeout=120)
    asked = {"shape": [shaped("3 mm", "1 mm")], "max_unknowns": 30_000, "accuracy": 0.02, "surrogate": "pool"}
    solved = client.simulate(setting.part, sideways(100), **asked).result(timeout=400)
    assert solved.provenance["asked_first"] == "surrogates/pool/versions/1"
    run = client.train("pool", setting.sweep, networks=1, steps=5, escalated=True)
    split = run.surrogate(timeout=120).card.split
    assert sum(parts for parts, _ in (split.training, split.calibration, split.test)) == DESIGNS + 1
    with pytest.raises(twin.FailedPrecondition, match="too few"):
        client.train("nobody", escalated=True)
