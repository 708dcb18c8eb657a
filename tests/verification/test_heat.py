"""Steady heat conduction through the service, on both discretisations: closed forms, NAFEMS T4, and what is refused."""

import numpy as np
import pytest
import trimesh

import twin
from tests.verification import shapes
from twin import select
from twin.errors import SelectionError, StudyError, UnconstrainedError

CONDUCTIVITY = 52.0
MATERIAL = twin.Material(210e9, 0.3, 7800.0, thermal_conductivity=CONDUCTIVITY)
LENGTHS = np.array([0.2, 0.1, 0.05])
TURN = shapes.rotation(np.array([1.0, 2.0, 0.5]), 0.7)
KELVIN = 273.15
BOTH = pytest.mark.parametrize("discretisation", ["tet", pytest.param("grid", marks=pytest.mark.slow)])


def turned(points):
    return np.asarray(points) @ TURN.T


def face(axis: int, at: float) -> select.Selector:
    """A face of the turned block."""
    place = np.zeros(3)
    place[axis] = at
    return select.plane(tuple(turned(place)), tuple(turned(np.eye(3)[axis])))


@pytest.fixture(scope="module")
def upload(client, tmp_path_factory):
    def upload(*solids) -> twin.Part:
        path = tmp_path_factory.mktemp("part") / "part.stl"
        trimesh.util.concatenate(solids).export(path)
        return client.upload(path, unit="m")

    return upload


def box(lengths, corner=(0.0, 0.0, 0.0)):
    solid = trimesh.creation.box(extents=lengths)
    solid.apply_translation(np.array(lengths) / 2 + corner)
    return solid


@pytest.fixture(scope="module")
def block(upload):
    """A block with a corner at the origin, turned askew."""
    solid = box(LENGTHS)
    solid.vertices = turned(solid.vertices)
    return upload(solid)


def solve(client, part, discretisation, supports, loads=(), accuracy=0.05):
    study = twin.HeatConduction(MATERIAL, supports, loads)
    return client.simulate(part, study, accuracy=accuracy, discretisation=discretisation).result()


@BOTH
def test_a_heated_wall_that_convection_cools(client, block, discretisation):
    """Source in the wall, given temperature on one face, convection on the other: a parabola across the wall."""
    length, source, coefficient, ambient, left = LENGTHS[0], 5e5, 300.0, 300.0, 350.0
    result = solve(
        client,
        block,
        discretisation,
        [twin.Temperature(left, face(0, 0.0)), twin.Convection(coefficient, ambient, face(0, length))],
        [twin.HeatSource(source)],
    )
    rise = coefficient * (ambient - left + source * length**2 / (2 * CONDUCTIVITY)) + source * length
    slope = rise / (CONDUCTIVITY + coefficient * length)
    x = np.linspace(0.02, 0.98, 13) * length
    exact = left + slope * x - source * x**2 / (2 * CONDUCTIVITY)
    found = result.probe("temperature", turned(np.stack([x, 0.03 + 0 * x, 0.02 + 0 * x], axis=1))).values[
        :, 0
    ]
    span = np.ptp(exact)
    assert found == pytest.approx(exact, abs=(1e-5 if discretisation == "tet" else 0.02) * span)
    top = left + slope**2 * CONDUCTIVITY / (2 * source)
    hottest = result.quantities["max_temperature"]
    assert hottest.value == pytest.approx(top, abs=max(hottest.error, 1e-4 * span))
    assert hottest.unit == "K"
    leaving = coefficient * (exact_at(left, slope, source, length) - ambient) * LENGTHS[1] * LENGTHS[2]
    terms = {term.kind: term.heat for term in result.case().heat_balance.terms}
    assert terms["HeatSource"] == pytest.approx(source * LENGTHS.prod(), rel=1e-3)
    assert terms["Convection"] == pytest.approx(-leaving, rel=0.01)
    assert terms["Temperature"] == pytest.approx(leaving - source * LENGTHS.prod(), rel=0.02)
    assert result.case().heat_balance.residual < 1e-6
    assert result.case().equilibrium is None


def exact_at(left, slope, source, x):
    return left + slope * x - source * x**2 / (2 * CONDUCTIVITY)


@BOTH
def test_nafems_t4(client, upload, discretisation):
    """T(0.6, 0.2) = 18.25 degC in a plane of 0.6 x 1.0 m: 100 degC below, convection to 0 degC at the right and top."""
    part = upload(box((0.6, 1.0, 0.1)))
    plane = select.plane
    air = [twin.Convection("750 W/m^2/K", "0 degC", plane(at, at)) for at in ((0.6, 0, 0), (0, 1.0, 0))]
    supports = [twin.Temperature("100 degC", plane((0, 0, 0), (0, 1, 0))), *air]
    result = solve(client, part, discretisation, supports, accuracy=0.01)
    found = result.probe("temperature", [[0.6 - 1e-6, 0.2, 0.05]]).values[0, 0] - KELVIN
    assert found == pytest.approx(18.2538, rel=0.01 if discretisation == "tet" else 0.04)
    assert result.quantities["max_temperature"].value == pytest.approx(100 + KELVIN, abs=0.5)


@BOTH
def test_heat_flow_through_a_pipe(client, upload, discretisation):
    """Between given temperatures inside and outside: 2 pi k l (T1 - T2) / ln(b / a)."""
    inner, outer, length, hot, cold = 0.03, 0.06, 0.05, 400.0, 300.0
    part = upload(trimesh.creation.annulus(inner, outer, length, sections=96))
    supports = [
        twin.Temperature(hot, select.cylinder((0, 0, 0), (0, 0, 1), 1.01 * inner) & ~select.facing((0, 0, 1), 1.0)
                         & ~select.facing((0, 0, -1), 1.0)),
        twin.Temperature(cold, ~select.cylinder((0, 0, 0), (0, 0, 1), 0.99 * outer)
                         & ~select.facing((0, 0, 1), 1.0) & ~select.facing((0, 0, -1), 1.0)),
    ]  # fmt: skip
    result = solve(client, part, discretisation, supports, accuracy=0.02)
    exact = 2 * np.pi * CONDUCTIVITY * length * (hot - cold) / np.log(outer / inner)
    flow = result.quantities["heat_flow"]
    # the facets make the wall thinner outside and thicker inside by less than 0.1 %
    assert flow.value == pytest.approx(exact, rel=2e-3 if discretisation == "tet" else 0.03)
    assert abs(flow.value - exact) < flow.error + 2e-3 * exact
    radius = np.array([0.035, 0.045, 0.055])
    turn = np.array([0.3, 1.7, 4.0])
    points = np.stack([radius * np.cos(turn), radius * np.sin(turn), 0.01 * np.ones(3)], axis=1)
    wall = cold + (hot - cold) * np.log(outer / radius) / np.log(outer / inner)
    assert result.probe("temperature", points).values[:, 0] == pytest.approx(
        wall, abs=(0.2 if discretisation == "tet" else 2.0)
    )
    flux = result.probe("heat_flux", points).values
    outward = points * [1, 1, 0] / radius[:, None]
    size = CONDUCTIVITY * (hot - cold) / np.log(outer / inner) / radius
    assert (flux * outward).sum(1) == pytest.approx(size, rel=0.02 if discretisation == "tet" else 0.1)


def test_load_cases_of_heat(client, block):
    """Linear: the rise above the ambient doubles with the heat."""
    air = twin.Convection(50.0, 300.0, face(0, LENGTHS[0]))
    study = twin.HeatConduction(
        MATERIAL,
        [air],
        load_cases={
            "flux": [twin.HeatFlux("1 kW/m^2", face(0, 0.0))],
            "flow": [twin.HeatFlow(2e3 * LENGTHS[1] * LENGTHS[2], face(0, 0.0))],
            "off": [],
        },
    )
    result = client.simulate(block, study, accuracy=0.1).result()
    rises = [result.case(name).quantities["max_temperature"].value - 300.0 for name in ("flux", "flow")]
    assert rises[1] == pytest.approx(2 * rises[0], rel=1e-6)
    assert rises[0] == pytest.approx(1e3 / 50.0 + 1e3 * LENGTHS[0] / CONDUCTIVITY, rel=1e-6)
    assert result.case("off").quantities["max_temperature"].value == pytest.approx(300.0)
    assert result.case("off").quantities["heat_flow"].value == pytest.approx(0.0, abs=1e-6)


def test_what_is_shown(client, block, tmp_path):
    result = solve(
        client,
        block,
        "tet",
        [twin.Temperature("20 degC", face(0, 0.0))],
        [twin.HeatFlow("100 W", face(0, LENGTHS[0]))],
    )
    assert result.plot(tmp_path / "heat.png").stat().st_size > 10_000
    text = result.report(tmp_path / "heat.html").read_text(encoding="utf-8")
    for said in (
        "Heat conduction of part.stl",
        "Maximum temperature",
        "Heat into the part",
        "Fourier",
        "100 W",
    ):
        assert said in text
    for name in ("heat.vtu", "heat.csv", "heat.npz", "heat.glb"):
        assert result.save(tmp_path / name).stat().st_size > 100


@BOTH
def test_the_hottest_point_may_lie_inside(client, upload, discretisation):
    """A long square bar heated throughout, its sides held: 0.0737 q a^2 / k above them in the middle."""
    side, source = 0.02, 1e7
    part = upload(box((side, side, 0.06)))
    sides = select.plane((0, 0, 0), (1, 0, 0)) | select.plane((side, 0, 0), (1, 0, 0))
    sides |= select.plane((0, 0, 0), (0, 1, 0)) | select.plane((0, side, 0), (0, 1, 0))
    result = solve(client, part, discretisation, [twin.Temperature(300.0, sides)], [twin.HeatSource(source)])
    rise = 0.0736713 * source * side**2 / CONDUCTIVITY
    hottest = result.quantities["max_temperature"]
    assert hottest.value - 300.0 == pytest.approx(rise, rel=0.01 if discretisation == "tet" else 0.04)
    assert abs(hottest.value - 300.0 - rise) < hottest.error + 1e-3 * rise
    assert hottest.scale == pytest.approx(rise, rel=0.05)
    assert hottest.relative_error == pytest.approx(hottest.error / hottest.scale)
    assert str(hottest).endswith(" K")


@BOTH
def test_one_temperature_everywhere(client, block, discretisation):
    """Nothing flows, and nothing is refined for round-off."""
    supports = [twin.Temperature(300.0, face(0, 0.0)), twin.Convection(10.0, 300.0, face(0, LENGTHS[0]))]
    result = solve(client, block, discretisation, supports)
    for name in ("max_temperature", "min_temperature"):
        assert result.quantities[name].value == pytest.approx(300.0, abs=1e-9)
        assert result.quantities[name].error < 1e-6
    assert abs(result.quantities["heat_flow"].value) < 1e-6
    assert result.case().heat_balance.residual < 1e-6
    assert len(result.convergence) <= 2


@BOTH
def test_a_face_between_bodies_can_carry_nothing(client, upload, discretisation):
    part = upload(box((0.1, 0.1, 0.1)), box((0.1, 0.1, 0.1), (0.1, 0.0, 0.0)))
    cold, between = (twin.select.plane((x, 0, 0), (1, 0, 0)) for x in (0.0, 0.1))
    with pytest.raises(SelectionError, match="lies between bodies"):
        solve(client, part, discretisation, [twin.Temperature(300.0, cold)], [twin.HeatFlow(1.0, between)])


@BOTH
def test_an_insulated_body_is_refused(client, upload, discretisation):
    part = upload(box((0.1, 0.1, 0.1)), box((0.1, 0.1, 0.1), (0.3, 0.0, 0.0)))
    with pytest.raises(UnconstrainedError, match=r"about \(3\d\d.*, 5.*, 5.*\) mm is insulated all around"):
        solve(client, part, discretisation, [twin.Temperature(300.0, select.plane((0, 0, 0), (1, 0, 0)))])


def test_temperatures_that_contradict_each_other_are_refused(client, block):
    twice = [twin.Temperature(300.0, face(0, 0.0)), twin.Temperature(310.0, select.all())]
    for order in (twice, twice[::-1]):
        with pytest.raises(StudyError, match="contradicts another one"):
            solve(client, block, "auto", order)
    study = twin.HeatConduction(MATERIAL, twice[:1])
    with pytest.raises(StudyError, match="no quantity 'max_von_mises'"):
        client.simulate(block, study, quantities=["max_von_mises"]).result()
