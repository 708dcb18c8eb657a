"""How safety factors are set: on the half of the cases that sets them, the smallest that cover."""

from tests.verification.suite import calibration, ladders
from tests.verification.suite.cases import CASES
from twin.analyses.estimates import ON_MESH

SETS, CHECKS = calibration.calibrating()[:2]


def climb(name, off, facets=0.0, goal=0.1):
    """A single mesh whose numbers are all off by so much, and indicate a tenth of that; facets: error of them.

    goal: the share that the number with a dual solution indicates
    """
    exact = ladders.known(name)
    kinds = {"max_displacement": "goal", "max_von_mises": "flux", "compliance": "energy"}
    rung = ladders.Rung(
        1000,
        {key: (1 + off) * exact[key] for key in kinds},
        {key: {kind: (goal if kind == "goal" else 0.1) * off * exact[key]} for key, kind in kinds.items()},
        {key: abs(exact[key]) for key in kinds},
        "max_von_mises",
        {key: facets * abs(exact[key]) for key in kinds},
    )
    return ladders.Climb(name, "tet", 0.1, "accuracy", (rung,))


def test_the_halves_are_those_of_the_cases():
    assert CASES[SETS].name == "thick cylinder (Lamé)"
    halves = {row.case: row.half for row in calibration.rows([climb(SETS, 0.1), climb(CHECKS, 0.1)], ON_MESH)}
    assert halves == {SETS: 0, CHECKS: 1}


def test_factors_cover_the_half_that_sets_them_whatever_the_other_says():
    trust = calibration.fitted([climb(SETS, 0.1), climb(CHECKS, 0.5)], ON_MESH)
    assert trust.energy == trust.goal == trust.flux == 10.0
    covered = [row.covered for row in calibration.rows([climb(SETS, 0.1)], trust)]
    assert all(covered)


def test_energies_and_products_of_two_errors_share_a_factor():
    trust = calibration.fitted([climb(SETS, 0.1, goal=0.2)], ON_MESH)
    assert trust.energy == trust.goal == 10.0
    trust = calibration.fitted([climb(SETS, 0.1, goal=0.05)], ON_MESH)
    assert trust.energy == trust.goal == 20.0
    assert trust.flux == 10.0


def test_what_facets_make_is_not_for_the_factors_to_cover():
    trust = calibration.fitted([climb(SETS, 0.1, facets=0.05)], ON_MESH)
    assert trust.energy == trust.goal == trust.flux == 5.0
    assert all(row.covered for row in calibration.rows([climb(SETS, 0.1, facets=0.05)], trust))


def test_raw_figures_come_back_from_their_file(tmp_path):
    climbs = [climb(SETS, 0.1), climb(CHECKS, 0.5)]
    ladders.write(climbs, tmp_path / "raw.json")
    assert ladders.read(tmp_path / "raw.json") == climbs
