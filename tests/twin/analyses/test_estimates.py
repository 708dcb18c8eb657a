"""When errors of measured numbers are small enough for what is made of them."""

import numpy as np
import pytest

import twin
from twin.analyses.estimates import ON_MESH, Values, errors
from twin.analyses.static_stress.analysis import StaticStressAnalysis
from twin.analyses.static_stress.quantities import quantities
from twin.quantities import Quantity
from twin.results.outcome import Equilibrium
from twin.studies import Request

STEEL = twin.Material(210e9, 0.3, 7800.0, yield_strength=250e6)
STUDY = twin.StaticStress(
    STEEL, [twin.Fixed(on=twin.select.all())], [twin.Force((0, 0, -1), on=twin.select.all())]
)


@pytest.mark.parametrize("accuracy", [0.01, 0.3])
def test_the_stress_is_known_so_well_that_the_safety_factor_meets_the_accuracy(accuracy):
    wished = StaticStressAnalysis(STUDY).decisive(Request(accuracy, quantities=("safety_factor",)))
    off = accuracy / wished["max_von_mises"]
    stress = Quantity(100e6, "Pa", off * 100e6)
    still = Equilibrium(*[np.zeros(3)] * 4, 0.0)
    found = quantities({"max_von_mises": stress}, still, Quantity(1.0, "m^3", 0.0), np.ones(1), (STEEL,))
    assert found["safety_factor"].relative_error == pytest.approx(accuracy)


def test_errors_are_told_by_the_change_where_the_recovery_finds_less():
    """On two meshes whose recovered errors are as two to one, what is left is as large as the change."""

    def measured(value, off):
        return Values(
            ON_MESH,
            {"max_von_mises": value, "compliance": value},
            {"max_von_mises": {"flux": off}, "compliance": {"energy": off}},
            {},
            "max_von_mises",
        )

    found = errors(measured(103.0, 0.1), measured(100.0, 0.2))
    assert found["compliance"] == pytest.approx(3.0)
    assert found["max_von_mises"] == pytest.approx(0.1 * ON_MESH.flux)  # at another place, maybe, than before
    assert errors(measured(100.0, 0.1), measured(100.0, 0.2))["compliance"] == pytest.approx(
        0.1 * ON_MESH.energy
    )
