"""Cells updated in a second, of an empty box and of a wind tunnel with everything on, beside XLB and a copy of memory.

    make bench-flow
    python -m tests.benchmarks.flow.speed [--cells 96] [--rounds 5] [--out FILE]

All take turns in one process, so that a busy machine slows all of them; ratios are of the same round. The limit is what
the copied bytes would allow if each population were read once and written once. XLB (its JAX backend) steps the empty
box, in float32, with one relaxation time (BGK) and with that and eddies; where it isn't installed it stays out.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp

from solvers.lattice_boltzmann import flow
from solvers.lattice_boltzmann.velocities import D3Q19
from tests.benchmarks.flow.tunnel import SPEED, empty, tunnel
from tests.benchmarks.solids import machine
from tests.benchmarks.solids.own_table import table

RESULTS = Path(__file__).parent.parent / "results"
STEPS = 16  # of a turn
COPIED = 2**26  # numbers
BYTES = 8 * len(D3Q19)  # that a cell's step moves at least

Turn = Callable[[], float]


def own(case: Callable[..., Any], count: int) -> Turn:
    """Millions of cells a second."""
    scheme, given, state = case(count, fused=jax.default_backend() != "cpu")
    held = [state]

    def turn() -> float:
        begun = time.perf_counter()
        held[0] = jax.block_until_ready(flow.advance(scheme, given, held[0], STEPS // scheme.steps))
        return count**3 * STEPS / (time.perf_counter() - begun) / 1e6

    return turn


def xlb(collision: str, count: int) -> Turn:
    """Millions of cells a second of XLB, in an empty box."""
    import xlb
    from xlb.compute_backend import ComputeBackend
    from xlb.grid import grid_factory
    from xlb.operator.stepper import IncompressibleNavierStokesStepper
    from xlb.precision_policy import PrecisionPolicy

    policy, backend = PrecisionPolicy.FP32FP32, ComputeBackend.JAX
    velocities = xlb.velocity_set.D3Q19(precision_policy=policy, compute_backend=backend)
    xlb.init(velocity_set=velocities, default_backend=backend, default_precision_policy=policy)
    stepper = IncompressibleNavierStokesStepper(
        grid=grid_factory((count,) * 3), boundary_conditions=[], collision_type=collision
    )
    one, other, mask, missing = stepper.prepare_fields()
    held = [one, other]

    def turn() -> float:
        begun = time.perf_counter()
        for number in range(STEPS):
            _, new = stepper(*held, mask, missing, 1.9, number)
            held[:] = new, held[0]
        jax.block_until_ready(held)
        return count**3 * STEPS / (time.perf_counter() - begun) / 1e6

    return turn


def copied() -> Turn:
    """Bytes a second, in millions of cells whose populations are read and written once."""
    plus = jax.jit(lambda of: of + 1, donate_argnums=0)
    held = [jnp.zeros(COPIED, jnp.float32)]

    def turn() -> float:
        begun = time.perf_counter()
        for _ in range(4):
            held[0] = plus(held[0])
        jax.block_until_ready(held)
        return 4 * 8 * COPIED / BYTES / (time.perf_counter() - begun) / 1e6

    return turn


def measure(count: int, rounds: int) -> dict[str, list[float]]:
    """Of each contender, millions of cells a second in each round."""
    turns = {"empty box": own(empty, count), "wind tunnel": own(tunnel, count), "copy": copied()}
    if find_spec("xlb"):
        turns |= {f"XLB, {name}": xlb(name, count) for name in ("BGK", "SmagorinskyLESBGK")}
    for turn in turns.values():
        turn()  # compiles
    found: dict[str, list[float]] = {name: [] for name in turns}
    for _ in range(rounds):
        for name, turn in turns.items():
            found[name].append(turn())
    return found


def main() -> None:
    """Measure, print the table, write the numbers."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--cells", type=int, default=96, help="along a side")
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--out", type=Path)
    asked = options.parse_args()
    found = measure(asked.cells, asked.rounds)
    rows = []
    for name, speeds in found.items():
        ratios = [
            statistics.median(one / each for one, each in zip(speeds, found[base], strict=True))
            for base in ("copy", "empty box")
        ]
        rows.append([name, f"{statistics.median(speeds):.1f}", *(f"{ratio:.3f}" for ratio in ratios)])
    print("\n".join(table(["", "million cells a second", "of the limit", "of the empty box"], rows)))
    report = {
        "command": machine.command("tests.benchmarks.flow.speed", None),
        "date": date.today().isoformat(),
        "machine": machine.facts(),
        "cells": asked.cells,
        "speed": SPEED,
        "million_cells_a_second": found,
    }
    where = asked.out or RESULTS / f"{report['date']}-{machine.facts()['cores']}-cores-flow.json"
    where.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
