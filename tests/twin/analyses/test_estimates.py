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
    found = quantities({"max_von_mises": stress}, still, Quantity(1.0, "m^3", 0.0), STEEL)
    assert found["safety_factor"].relative_error == pytest.approx(accuracy)


def test_the_error_of_the_largest_flux_falls_faster_than_that_of_the_discrete_one():
    def error(off):
        measured = Values(
            ON_MESH, {"max_von_mises": 100.0}, {"max_von_mises": {"flux": off}}, {}, "max_von_mises"
        )
        return errors(measured, None)["max_von_mises"]

    assert error(1.0) / error(10.0) == pytest.approx(0.1**ON_MESH.power)
    assert error(0.0) == 0.0
