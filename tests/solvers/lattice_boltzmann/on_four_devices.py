"""A flow over four devices beside the same on one, in a process of its own: devices are made before anything else.

XLA_FLAGS=--xla_force_host_platform_device_count=4 python -m tests.solvers.lattice_boltzmann.on_four_devices CASE
"""

from __future__ import annotations

import json
import sys

import jax
import numpy as np

from solvers.lattice_boltzmann import flow, slabs
from solvers.lattice_boltzmann.grid import Grid
from solvers.lattice_boltzmann.scheme import Scheme
from solvers.lattice_boltzmann.velocities import D3Q19
from solvers.lattice_boltzmann.walls import walls
from tests.solvers.lattice_boltzmann.bodies import ball
from tests.solvers.lattice_boltzmann.test_flow import TUNNEL, random_fields

PERIODIC = ("periodic",) * 6
CASES = {
    "periodic": Scheme(Grid((16, 7, 6), PERIODIC)),  # type: ignore[arg-type]
    "laminar": Scheme(Grid((24, 12, 12), TUNNEL)),  # type: ignore[arg-type]
    "turbulent": Scheme(Grid((24, 12, 12), TUNNEL), turbulent=True),  # type: ignore[arg-type]
    "fused": Scheme(Grid((24, 12, 12), TUNNEL), turbulent=True, fused=True),  # type: ignore[arg-type]
}


def main(case: str) -> None:
    """Print how far the two are from each other, and how fast the flow is."""
    scheme = CASES[case]
    # the ball begins just behind an end of a slab: what is looked at from there lies in the one before
    solid, links = ball(D3Q19, scheme.grid.shape, (15.2, 5.6, 4.4), 2.6)
    if case == "periodic":
        solid, links = ball(D3Q19, scheme.grid.shape, (0.2, 3.1, 2.6), 1.7)
    beside = walls(scheme.grid, D3Q19, solid, links, sides={4: (0.05, 0, 0)})
    shape = scheme.grid.shape
    absorbing = (np.linspace(0, 0.02, shape[0]), np.zeros(shape[1]), np.linspace(0.01, 0, shape[2]))
    given = flow.conditions(
        scheme, 1e-3 if scheme.turbulent else 0.02, beside, inflow=(0.05, 0, 0), absorbing=absorbing
    )
    state = flow.begun(scheme, given, *random_fields(scheme.grid))
    cut = slabs.Slabs(scheme, tuple(jax.devices()))
    parts = cut.conditions(given)
    split = cut.state(state, parts)
    times = 5
    one = flow.advance(scheme, given, state, times)
    several = slabs.advance(cut, parts, split, times)
    fields = flow.macroscopic(scheme, given, one)
    joined = type(one)(cut.joined(several), one.eddy, one.moving)
    others = flow.macroscopic(scheme, given, joined)
    force = np.asarray(flow.exchanged(scheme, given, one)).sum(axis=1)
    told = {
        "devices": len(several.populations[0].sharding.device_set),
        "velocity": float(np.abs(fields.velocity - others.velocity).max()),
        "density": float(np.abs(fields.density - others.density).max()),
        "fastest": float(np.abs(fields.velocity).max()),
        "force": force.tolist(),
        "force_of_slabs": np.asarray(slabs.force(cut, parts, several)).tolist(),
    }
    json.dump(told, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
