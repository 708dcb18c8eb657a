"""Kernels and memory traffic of a step, compiled for an H200 on a machine without a GPU.

    python -m venv ENV && ENV/bin/pip install "jax[cuda12]==0.10.2" equinox jaxtyping scipy
    JAX_SKIP_CUDA_CONSTRAINTS_CHECK=1 JAX_PLATFORMS=cpu ENV/bin/python -m tests.benchmarks.flow.traffic [CELLS A SIDE]

It measures no time: it reads kernels and bytes off the compiled programs. The floor is what has to move whatever the
program: each population is read once and written once.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from solvers.lattice_boltzmann.scheme import Conditions, Scheme, State
from solvers.lattice_boltzmann.step import step
from solvers.lattice_boltzmann.velocities import D3Q27
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
    cases: list[tuple[str, float, Callable[..., tuple[Scheme, Conditions, State]]]] = [
        ("D3Q19, empty box", 8.0, empty),
        ("D3Q19, wind tunnel, everything on", 8.0, tunnel),
        ("D3Q19, the same inside other boxes", 8.0, partial(tunnel, inner=True)),
        ("D3Q19, empty box, 16 bits", 4.0, partial(empty, storage="float16")),
        ("D3Q19, wind tunnel, 16 bits", 4.0, partial(tunnel, storage="float16")),
        ("D3Q27, empty box", 8.0, partial(empty, velocities=D3Q27)),
        ("D3Q27, wind tunnel, everything on", 8.0, partial(tunnel, velocities=D3Q27)),
    ]
    found = []
    for name, least, case in cases:
        scheme, given, state = case(count, fused=True)
        text = compiled(
            lambda given, state, scheme=scheme: step(scheme, given, state, state.populations), given, state
        )
        traffic = hlo.traffic(text)
        moved = traffic.moved / len(scheme.grid)
        found.append(Program(name, traffic.kernels, moved, least * len(scheme.velocities)))
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
