"""How safety factors are set: on the half of the cases that sets them, the smallest that cover."""

import pytest

from tests.verification.suite import calibration, ladders
from tests.verification.suite.cases import CASES
from twin.analyses.estimates import ON_MESH

SETS, CHECKS = calibration.calibrating()[:2]


def climb(name, off):
    """A single mesh whose numbers are all off by so much, and indicate a tenth of that."""
    exact = ladders.known(name)
    kinds = {"max_displacement": "goal", "max_von_mises": "flux", "compliance": "energy"}
    rung = ladders.Rung(
        1000,
        {key: (1 + off) * exact[key] for key in kinds},
        {key: {kind: off / 10 * exact[key]} for key, kind in kinds.items()},
        {key: abs(exact[key]) for key in kinds},
        "max_von_mises",
    )
    return ladders.Climb(name, 0.1, "accuracy", (rung,))


def test_the_halves_are_those_of_the_cases():
    assert CASES[SETS].name == "thick cylinder (Lamé)"
    halves = {row.case: row.half for row in calibration.rows([climb(SETS, 0.1), climb(CHECKS, 0.1)], ON_MESH)}
    assert halves == {SETS: 0, CHECKS: 1}


def test_factors_cover_the_half_that_sets_them_whatever_the_other_says():
    trust = calibration.fitted([climb(SETS, 0.1), climb(CHECKS, 0.5)], ON_MESH)
    assert trust.energy == trust.goal == 10.0
    assert trust.flux * (0.1 / 10 / 1.1) ** (trust.power - 1) == pytest.approx(10.0, rel=0.05)
    covered = [row.covered for row in calibration.rows([climb(SETS, 0.1)], trust)]
    assert all(covered)


def test_raw_figures_come_back_from_their_file(tmp_path):
    climbs = [climb(SETS, 0.1), climb(CHECKS, 0.5)]
    ladders.write(climbs, tmp_path / "raw.json")
    assert ladders.read(tmp_path / "raw.json") == climbs
