"""Kernels and memory traffic of a step, compiled for an H200 on a machine without a GPU.

    make traffic-flow

It measures no time: it reads kernels and bytes off the compiled programs, and ends with 1 where a step of D3Q19 in
float32 takes more of either than `MOST`. The floor is what has to move whatever the program: each population is read
once and written once.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from solvers.lattice_boltzmann.scheme import Conditions, Scheme, State
from solvers.lattice_boltzmann.step import step
from solvers.lattice_boltzmann.velocities import D3Q19, D3Q27
from tests.benchmarks.flow.tunnel import empty, tunnel
from tests.benchmarks.solids import hlo
from tests.benchmarks.solids.own_table import table
from tests.benchmarks.solids.traffic import compiled

COUNT = 256
MOST = (4, 160.0)  # one kernel over all cells and three beside walls; bytes a cell


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


def main(count: int) -> int:
    """Print the table; what to exit with."""
    head = ["step", "kernels", "bytes a cell", "floor"]
    found = programs(count)
    rows = [
        [one.name, f"{one.kernels:.0f}", f"{one.bytes_per_cell:.1f}", f"{one.floor:.0f}"] for one in found
    ]
    print("\n".join(table(head, rows)))
    kernels, moved = MOST
    over = [
        one.name
        for one in found
        if one.floor == 8 * len(D3Q19) and (one.kernels > kernels or one.bytes_per_cell > moved)
    ]
    for name in over:
        print(f"{name}: more than {kernels} kernels or {moved:g} bytes a cell")
    return int(bool(over))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else COUNT))
