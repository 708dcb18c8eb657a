"""Gradients of a cantilever's answer through the real service, against beam theory and exact proportions."""

from __future__ import annotations

import numpy as np
import pytest
from bar_in_tension import SIZE, face

import twin

E, FORCE = 200e9, -500.0
STEEL = twin.Material(E, 0.3, 7800, yield_strength="300 MPa", thermal_conductivity=45)


@pytest.fixture(scope="module")
def part(client, box):
    return client.upload(box, unit="mm")


@pytest.fixture(scope="module")
def result(client, part):
    study = twin.StaticStress(
        STEEL,
        [twin.Fixed(on=face(0, 0.0))],
        load_cases={
            "down": [twin.Force((0, 0, FORCE), on=face(0, SIZE[0]))],
            "pull": [twin.Force((1e3, 0, 0), on=face(0, SIZE[0])), twin.Gravity((0, 0, -9.81))],
        },
    )
    return client.simulate(part, study, accuracy=0.5, discretisation="tet").result(timeout=300)


def test_loads_of_the_worst_case(result):
    found = result.gradient("max_displacement", wrt="loads")
    deflection = result.quantities["max_displacement"].value
    assert (found.case, found.quantity, found.wrt, found.unit, found.gap) == (
        "down",
        "max_displacement",
        "loads",
        "m",
        0,
    )
    assert found.value == pytest.approx(deflection, rel=1e-12)
    assert list(found) == ["loads[0].vector"]
    assert found["loads[0].vector"].unit == "m/N"
    assert np.asarray(found).shape == (3,)
    # it is linear: force times slope is the deflection
    assert np.asarray(found)[2] * FORCE == pytest.approx(deflection, rel=1e-6)
    assert sum(found.cost.seconds.values()) > 0
    assert found.provenance["answer"] == result.run


def test_it_is_computed_once(client, result):
    first = result.gradient("compliance", wrt="loads", case="pull")
    again = result.gradient("compliance", wrt="loads", case="pull")
    assert list(first) == ["loads[0].vector", "loads[1].vector"]
    assert again.run == first.run
    np.testing.assert_array_equal(np.asarray(client.run(first.run).gradient()), np.asarray(first))
    with pytest.raises(twin.InvalidInput, match="is a gradient"):
        client.run(first.run).result()
    with pytest.raises(twin.InvalidInput, match="no gradient"):
        client.run(result.run).gradient()


def test_material(result):
    found = result.gradient("max_displacement", wrt="material")
    assert found["youngs_modulus"].values == pytest.approx(-found.value / E, rel=1e-6)
    assert found["youngs_modulus"].unit == "m/Pa"
    assert found["density"].values == 0  # nothing weighs anything in this case
    mass = result.gradient("mass", wrt="material")
    assert mass["density"].values == pytest.approx(np.prod(SIZE), rel=1e-6)
    assert mass["youngs_modulus"].values == 0


def test_shape(result):
    vertices = result.mesh.surface_vertices
    longer = np.zeros_like(vertices)
    longer[:, 0] = vertices[:, 0] / SIZE[0]  # per metre of length
    deflection = result.quantities["max_displacement"].value
    found = result.gradient("max_displacement", wrt="shape")
    assert np.asarray(found).shape == vertices.shape
    assert found["vertices"].unit == "m/m"
    # a part of twice the size bends half as much under the same force, wherever it lies
    assert np.vdot(found, vertices) == pytest.approx(-deflection, rel=1e-5)
    np.testing.assert_allclose(np.asarray(found).sum(0), 0, atol=1e-5 * deflection / SIZE[0])
    slope = result.gradient("max_displacement", wrt="shape", velocities=longer)
    assert slope == pytest.approx(3 * deflection / SIZE[0], rel=0.03)  # ~ length^3
    thicker = np.zeros_like(vertices)
    thicker[:, 2] = vertices[:, 2] / SIZE[2]
    slopes = result.gradient("max_displacement", wrt="shape", velocities=[longer, thicker])
    assert slopes[0] == slope
    assert slopes[1] == pytest.approx(-3 * deflection / SIZE[2], rel=0.03)  # ~ 1 / thickness^3


@pytest.mark.slow
def test_control_points_of_a_deformed_part(client, part):
    """A cantilever that was stretched to L: its tip moves by F L^3 / (3 E I), and its mass goes with its length."""
    low, stretch = np.zeros(3), 0.2 * SIZE[0]
    moves = {(1, j, k): (stretch, 0, 0) for j in (0, 1) for k in (0, 1)}
    study = twin.StaticStress(
        STEEL, [twin.Fixed(on=face(0, 0.0))], [twin.Force((0, 0, FORCE), on=face(0, SIZE[0]))]
    )
    box = twin.FreeForm(low, SIZE, (2, 2, 2), moves)
    result = client.simulate(part, study, shape=[box], accuracy=0.5, discretisation="tet").result(timeout=300)
    deflection, length = result.quantities["max_displacement"].value, SIZE[0] + stretch
    found = result.gradient("max_displacement", wrt="shape")
    by_moves = found["shape[0].moves"].values
    assert by_moves.shape == (2, 2, 2, 3)
    assert by_moves[1, ..., 0].sum() == pytest.approx(3 * deflection / length, rel=0.03)
    thicker = by_moves[..., 1, 2].sum() - by_moves[..., 0, 2].sum()
    assert thicker == pytest.approx(-2 * 3 * deflection / SIZE[2], rel=0.03)
    np.testing.assert_allclose(by_moves.sum((0, 1, 2)), 0, atol=1e-5 * deflection / length)
    mass = result.gradient("mass", wrt="shape")["shape[0].moves"].values
    assert mass[1, ..., 0].sum() == pytest.approx(7800 * SIZE[1] * SIZE[2], rel=1e-6)
    vertices = result.mesh.surface_vertices
    longer = np.stack([vertices[:, 0] / length, *np.zeros((2, len(vertices)))], axis=1)
    along = result.gradient("mass", wrt="shape", velocities=longer)
    assert along == pytest.approx(7800 * SIZE[1] * SIZE[2], rel=1e-6)


def test_stress_through_a_mean(result):
    found = result.gradient("max_von_mises", wrt="loads")
    stress = result.quantities["max_von_mises"].value
    assert 0 < found.gap < stress
    assert found.value + found.gap == pytest.approx(stress, rel=1e-12)
    assert np.asarray(found)[2] * FORCE == pytest.approx(found.value, rel=1e-6)
    shape = result.gradient("max_von_mises", wrt="shape")  # stress is force over length squared
    assert np.vdot(shape, result.mesh.surface_vertices) == pytest.approx(-2 * found.value, rel=1e-5)
    factor = result.gradient("safety_factor", wrt="loads")
    assert factor.value == pytest.approx(300e6 / found.value, rel=1e-9)


@pytest.mark.slow
def test_heat(client, part):
    study = twin.HeatConduction(
        STEEL,
        [twin.Temperature(300, on=face(0, 0.0))],
        [twin.HeatFlow(20, on=face(0, SIZE[0]))],
    )
    result = client.simulate(part, study, accuracy=0.5, discretisation="tet").result(timeout=300)
    loads = result.gradient("max_temperature", wrt="loads")
    assert loads["supports[0].value"].values == pytest.approx(1, rel=1e-6)
    rise = result.quantities["max_temperature"].value - 300
    assert loads["loads[0].value"].values == pytest.approx(rise / 20, rel=1e-6)
    material = result.gradient("max_temperature", wrt="material")
    assert list(material) == ["thermal_conductivity"]
    assert np.asarray(material) == pytest.approx(-rise / 45, rel=1e-6)
    vertices = result.mesh.surface_vertices
    longer = np.zeros_like(vertices)
    longer[:, 0] = vertices[:, 0] / SIZE[0]
    slope = result.gradient("max_temperature", wrt="shape", velocities=longer)
    assert slope == pytest.approx(rise / SIZE[0], rel=1e-6)


def test_what_has_no_gradient(result):
    with pytest.raises(twin.InvalidInput, match="Those that have one: max_displacement"):
        result.gradient("reaction_force")
    with pytest.raises(twin.InvalidInput, match="wrt"):
        result.gradient("mass", wrt="colour")
    with pytest.raises(twin.InvalidInput, match="no load case 'up'"):
        result.gradient("mass", case="up")
    with pytest.raises(twin.InvalidInput, match="wrt='shape'"):
        result.gradient("mass", wrt="loads", velocities=np.zeros((8, 3)))
    with pytest.raises(twin.InvalidInput, match="surface_vertices"):
        result.gradient("mass", wrt="shape", velocities=np.zeros((7, 3)))
