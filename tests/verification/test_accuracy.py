"""Asked for an accuracy: refinement ends when it is met or the budget is used up, and stress without bound is named."""

import pytest

import twin
from tests.verification import shapes
from tests.verification.suite.cases import CASES


@pytest.fixture(scope="module")
def bracket(client, tmp_path_factory):
    """An L with a sharp inner corner, clamped at the top and pushed down at the end."""
    case = CASES["L-bracket, sharp"]
    return client.upload(shapes.write_step(case.shape(), tmp_path_factory.mktemp("l") / "l.step")), case.study


@pytest.mark.slow
def test_the_stress_beside_a_sharp_corner_converges_and_the_corner_is_named(client, bracket):
    coarse, fine = (client.simulate(*bracket, accuracy=accuracy).result() for accuracy in (0.2, 0.01))
    for result, accuracy in ((coarse, 0.2), (fine, 0.01)):
        assert result.ended == "accuracy"
        assert len(result.convergence) >= 2
        for name in ("max_displacement", "max_von_mises", "compliance"):
            assert result.quantities[name].relative_error <= accuracy
    for name in ("max_displacement", "max_von_mises", "compliance"):
        first, second = coarse.quantities[name], fine.quantities[name]
        assert abs(first.value - second.value) <= first.error + second.error
    assert fine.convergence[-1].unknowns > coarse.convergence[-1].unknowns
    edge = next(place for place in fine.singularities if place.kind == "inner edge")
    assert "(20, 40, 20)" in edge.label
    assert edge.radius == pytest.approx(0.008, rel=0.05)
    assert "outside of the zones" in fine.quantities["max_von_mises"].note
    (said,) = (line for line in fine.warnings if "Sharp inner edge" in line)
    assert "no bound" in said
    assert "8.03 mm" in said
    # in the zone it grows with the mesh, outside it does not
    peak = [result.fields["von_mises"].values.max() for result in (coarse, fine)]
    assert peak[1] > 1.05 * peak[0] > 1.05 * coarse.quantities["max_von_mises"].value


def test_a_budget_of_unknowns_ends_it(client, bracket):
    result = client.simulate(*bracket, accuracy=1e-4, max_unknowns=60_000).result()
    assert result.ended == "max_unknowns"
    assert result.convergence[-1].unknowns < 70_000
    assert any("max_unknowns = 60,000" in line for line in result.warnings)


def test_a_budget_of_time_ends_it(client, bracket):
    result = client.simulate(*bracket, accuracy=1e-4, max_seconds=25).result()
    assert result.ended == "max_seconds"
    assert any("max_seconds = 25 s" in line for line in result.warnings)


def test_a_budget_too_small_for_any_mesh_is_refused(client, bracket):
    with pytest.raises(twin.TwinError, match=r"max_unknowns = 100 is too small .* Allow at least"):
        client.simulate(*bracket, discretisation="tet", max_unknowns=100).result()


def test_a_mass_that_no_mesh_mends_is_not_called_accurate(client, tmp_path):
    """The facets of a round part and its elements differ in volume, whatever the mesh."""
    case = CASES["thick cylinder (Lamé)"]
    part = client.upload(shapes.write_step(case.shape(), tmp_path / "part.step"))
    result = client.simulate(
        part, case.study, accuracy=1e-5, discretisation="tet", quantities=("mass",)
    ).result()
    assert 1e-5 < result.quantities["mass"].relative_error < 1e-3
    assert result.ended == "no_finer_mesh"
    assert any(line.startswith("mass: error estimate") for line in result.warnings)
