"""A box over several devices."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import jax
import numpy as np
import pytest

from solvers.lattice_boltzmann.grid import Grid
from solvers.lattice_boltzmann.scheme import Scheme
from solvers.lattice_boltzmann.slabs import Slabs


@pytest.mark.parametrize(
    "case",
    [
        "periodic",
        pytest.param("laminar", marks=pytest.mark.slow),
        pytest.param("turbulent", marks=pytest.mark.slow),
        pytest.param("fused", marks=pytest.mark.slow),
    ],
)
def test_over_four_devices_flow_is_the_same(case: str) -> None:
    found = subprocess.run(
        [sys.executable, "-m", "tests.solvers.lattice_boltzmann.on_four_devices", case],
        env={**os.environ, "XLA_FLAGS": "--xla_force_host_platform_device_count=4", "JAX_PLATFORMS": "cpu"},
        check=True,
        capture_output=True,
        text=True,
    )
    told = json.loads(found.stdout)
    assert told["devices"] == 4
    assert told["fastest"] > 0.01
    assert told["velocity"] < 1e-6
    assert told["density"] < 1e-6
    np.testing.assert_allclose(told["force_of_slabs"], told["force"], atol=1e-5)


def test_planes_that_cannot_be_shared_out_are_refused() -> None:
    one = (jax.devices()[0],)
    with pytest.raises(ValueError, match="fewer than 4"):
        Slabs(Scheme(Grid((3, 8, 8))), one)
