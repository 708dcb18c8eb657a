"""Kernels and memory traffic of a step, compiled for an H200 on a machine without a GPU.

    python -m venv ENV && ENV/bin/pip install "jax[cuda12]==0.10.2" equinox jaxtyping scipy
    JAX_SKIP_CUDA_CONSTRAINTS_CHECK=1 JAX_PLATFORMS=cpu ENV/bin/python -m tests.benchmarks.flow.traffic [CELLS A SIDE]

It measures no time: it reads kernels and bytes off the compiled programs. The floor is what has to move whatever the
program: each population is read once and written once.
"""

from __future__ import annotations

import sys
from typing import NamedTuple

from solvers.lattice_boltzmann.step import step
from solvers.lattice_boltzmann.velocities import D3Q19, D3Q27
from tests.benchmarks.flow.tunnel import empty, tunnel
from tests.benchmarks.solids import hlo
from tests.benchmarks.solids.own_table import table
from tests.benchmarks.solids.traffic import compiled

COUNT = 128


class Program(NamedTuple):
    """One step of a case."""

    name: str
    kernels: float
    bytes_per_cell: float
    floor: float


def programs(count: int = COUNT) -> list[Program]:
    found = []
    for velocities, name in ((D3Q19, "D3Q19"), (D3Q27, "D3Q27")):
        for case, what in ((empty, "empty box"), (tunnel, "wind tunnel, everything on")):
            scheme, given, state = case(count, fused=True, velocities=velocities)
            text = compiled(
                lambda given, state, scheme=scheme: step(scheme, given, state, state.populations),
                given,
                state,
            )
            traffic = hlo.traffic(text)
            cells = len(scheme.grid)
            found.append(
                Program(f"{name}, {what}", traffic.kernels, traffic.moved / cells, 8.0 * len(velocities))
            )
    return found


def main(count: int) -> None:
    """Print the table."""
    head = ["step", "kernels", "bytes a cell", "floor"]
    rows = [
        [one.name, f"{one.kernels:.0f}", f"{one.bytes_per_cell:.1f}", f"{one.floor:.0f}"]
        for one in programs(count)
    ]
    print("\n".join(table(head, rows)))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else COUNT)
