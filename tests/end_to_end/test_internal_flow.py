"""Flow through a part, all the way: question, pressures that stream, answer, picture, report, files."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import pyvista
import trimesh

import twin
from twin import select

DIAMETER, REACH, SPEED, REYNOLDS = 10.0, 15.0, 0.1, 40.0  # mm, m/s


@pytest.fixture(scope="module")
def tee(client: twin.Client, tmp_path_factory: pytest.TempPathFactory) -> twin.Part:
    """A pipe along x, and one from its middle along -y, with square cross-sections."""
    across = trimesh.creation.box((2 * REACH, DIAMETER, DIAMETER))
    down = trimesh.creation.box((DIAMETER, REACH, DIAMETER))
    down.apply_translation((0, -REACH / 2, 0))
    path = tmp_path_factory.mktemp("tee") / "tee.stl"
    trimesh.boolean.union([across, down], engine="manifold").export(path)
    return client.upload(path, unit="mm")


FLUID = twin.Fluid(1000, 1000 * SPEED * DIAMETER / 1000 / REYNOLDS, name="oil")
STUDY = twin.InternalFlow(
    {"supply": twin.Inlet(select.plane((0, "-15 mm", 0), (0, 1, 0)), velocity=SPEED)},
    {
        "left": twin.Outlet(select.plane(("-15 mm", 0, 0), (1, 0, 0)), "1 bar"),
        "right": twin.Outlet(select.plane(("15 mm", 0, 0), (1, 0, 0)), "1 bar"),
    },
    FLUID,
)


SUPPLY, LEFT = STUDY.inlets["supply"], STUDY.outlets["left"]


@pytest.fixture(scope="module")
def answered(client: twin.Client, tee: twin.Part) -> tuple[list[twin.Update], twin.Result]:
    """Of the coarsest cells alone: finer ones have more unknowns than are allowed."""
    run = client.simulate(tee, STUDY, accuracy=0.1, max_unknowns=350_000)
    return list(run.watch()), run.result()


def test_pressures_stream_while_it_runs(answered: tuple[list[twin.Update], twin.Result]) -> None:
    updates, _ = answered
    told = [update.message for update in updates if "pressure drop" in update.message]
    assert len(told) > 10
    assert all(re.search(r"pressure drop -?[\d.e-]+ Pa, of total pressure", each) for each in told)


def test_what_comes_in_goes_out_on_either_side(answered: tuple[list[twin.Update], twin.Result]) -> None:
    _, result = answered
    numbers = {name: each.value for name, each in result.quantities.items()}
    flow = SPEED * (DIAMETER / 1000) ** 2
    assert numbers["flow_rate"] == pytest.approx(flow)
    assert numbers["flow_rate_supply"] == pytest.approx(flow, rel=1e-3)
    assert numbers["flow_rate_left"] == pytest.approx(0.5 * flow, rel=0.02)
    assert numbers["flow_rate_right"] == pytest.approx(numbers["flow_rate_left"], rel=0.04)
    assert numbers["reynolds_number"] == pytest.approx(REYNOLDS)
    pressure = 0.5 * FLUID.density * SPEED**2
    for name in ("left", "right"):
        assert numbers[f"pressure_{name}"] == pytest.approx(1e5, abs=0.01 * pressure)  # as held
    assert numbers["pressure_drop"] == pytest.approx(numbers["pressure_supply"] - 1e5, abs=0.01 * pressure)
    assert 0 < numbers["pressure_drop"] < 10 * pressure
    assert numbers["total_pressure_drop"] > numbers["pressure_drop"]  # fluid slows down
    assert numbers["dissipated_power"] == pytest.approx(flow * numbers["total_pressure_drop"])
    assert np.isinf(result.quantities["pressure_drop"].error)
    assert result.ended == "max_unknowns"
    assert any("not shown to be met" in line for line in result.warnings)


def test_walls_and_fluid_are_known(answered: tuple[list[twin.Update], twin.Result], tmp_path: Path) -> None:
    _, result = answered
    points, pressure = result.mesh.points, result.fields["pressure"].values[:, 0]
    stagnation = (np.abs(points[:, 0]) < 1e-3) & (points[:, 1] > 4.9e-3) & (np.abs(points[:, 2]) < 1e-3)
    corner = (np.abs(points[:, 0]) > 13e-3) & (points[:, 1] > 4.9e-3)
    assert np.abs(pressure - 1e5).max() < 20 * 0.5 * FLUID.density * SPEED**2
    friction = np.linalg.norm(result.fields["wall_shear_stress"].values, axis=1)
    inlet = (points[:, 1] < -14.99e-3) & (np.abs(points[:, [0, 2]]) < 4e-3).all(axis=1)
    assert friction[inlet].max() == 0  # no wall is there
    assert friction[np.abs(points[:, 1] + 10e-3) < 1e-3].mean() > 0
    assert pressure[stagnation].mean() > pressure[corner].mean() + 0.3 * 0.5 * FLUID.density * SPEED**2
    (grid,) = result.grids
    block = pyvista.read(result.save(tmp_path / "flow.vtm"))[0]
    assert block.n_cells == np.prod(grid.shape)
    at = pyvista.PolyData([[0, -0.01, 0], [0.012, 0, 0], [0.012, -0.008, 0]]).sample(block)
    assert at["velocity"][0, 1] > SPEED
    assert at["velocity"][1, 0] > 0.5 * SPEED
    assert at["solid"].tolist() == [0, 0, 1]


def test_it_is_drawn_reported_and_saved(
    answered: tuple[list[twin.Update], twin.Result], tmp_path: Path
) -> None:
    _, result = answered
    assert result.plot(tmp_path / "flow.png").stat().st_size > 20_000
    report = result.report(tmp_path / "flow.html").read_text(encoding="utf-8")
    for words in ("Internal flow", "oil", "Pressure drop", "Inlet supply", "Outlet left"):
        assert words in report
    for suffix in (".vtu", ".npz", ".csv"):
        assert result.save(tmp_path / f"flow{suffix}").stat().st_size > 500


@pytest.mark.slow
def test_a_sweep_over_the_speed(client: twin.Client, tee: twin.Part) -> None:
    speed = twin.Range("speed", 0.5 * SPEED, SPEED, unit="m/s")
    study = twin.InternalFlow({"supply": twin.Inlet(SUPPLY.on, velocity=speed)}, STUDY.outlets, FLUID)
    table = client.sweep(
        tee, study, [speed], twin.Sobol(2), accuracy=0.1, max_unknowns=350_000
    ).result()  # fmt: skip
    flow = table["speed"] * (DIAMETER / 1000) ** 2
    np.testing.assert_allclose(table["flow_rate_supply"], flow, rtol=1e-3)
    np.testing.assert_allclose(table["flow_rate_left"], 0.5 * flow, rtol=0.04)
    assert (np.diff(table["pressure_drop"][np.argsort(flow)]) > 0).all()


def test_pressures_have_no_gradients_yet(answered: tuple[list[twin.Update], twin.Result]) -> None:
    with pytest.raises(twin.StudyError, match="no gradients"):
        answered[1].gradient("pressure_drop", wrt="loads")


TOP = select.plane((0, "5 mm", 0), (0, 1, 0))


@pytest.mark.parametrize(
    ("study", "options", "said"),
    [
        (twin.InternalFlow(twin.Inlet(select.all(), velocity=1), LEFT), {}, "share"),
        (twin.InternalFlow(twin.Inlet(TOP | SUPPLY.on, velocity=1), LEFT), {}, "not flat"),
        (twin.InternalFlow(SUPPLY, {"a": LEFT, "b": LEFT}), {}, "share"),
        (
            twin.InternalFlow(twin.Inlet(select.plane((0, 9, 0), (0, 1, 0)), velocity=1), LEFT),
            {},
            "No|nothing|nowhere",
        ),
        (twin.InternalFlow(SUPPLY, LEFT, twin.Fluid(1.0, 1e3)), {}, "creeping"),
        (twin.InternalFlow(SUPPLY, LEFT, twin.Fluid(1e3, 1e-4)), {}, "turbulent"),
        (STUDY, {"max_unknowns": 1000}, "Allow more by max_unknowns"),
        (STUDY, {"quantities": ("pressure_top",)}, "no quantity 'pressure_top'"),
        (STUDY, {"discretisation": "tet"}, "on a grid"),
        (STUDY, {"method": "surrogate"}, "surrogate"),
    ],
)
def test_what_can_not_be_answered_is_said(
    client: twin.Client, tee: twin.Part, study: twin.InternalFlow, options: dict[str, object], said: str
) -> None:
    with pytest.raises(twin.TwinError, match=said):
        client.simulate(tee, study, **options).result()  # type: ignore[arg-type]


def test_an_open_surface_holds_no_fluid(client: twin.Client, tmp_path: Path) -> None:
    box = trimesh.creation.box((1, 1, 1))
    box.update_faces(np.arange(len(box.faces)) > 1)
    box.export(tmp_path / "open.stl")
    part = client.upload(tmp_path / "open.stl", unit="m")
    inlet = twin.Inlet(select.plane((-0.5, 0, 0), (1, 0, 0)), velocity=1)
    outlet = twin.Outlet(select.plane((0, 0.5, 0), (0, 1, 0)))
    with pytest.raises(twin.GeometryError, match="not closed"):
        client.simulate(part, twin.InternalFlow(inlet, outlet)).result()
