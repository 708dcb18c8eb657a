"""FEAX's own cantilever on the grid, set-up included: python -m ... UNKNOWNS OUT.json

A box of 8 x 2 x 2 of Young's modulus 70,000 and Poisson's ratio 0.3, clamped at x = 0, under a traction of 0.001 along
z at x = 8, solved to 1e-8 (github.com/Naruki-Ichihara/feax, examples/benchmark/bench_linear_elasticity.py). Their clamp
holds nodes; ours is of stiff springs on the face.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

from solvers import quadrature
from solvers.cutcell import immersed
from solvers.cutcell.cells import FilledCells, Lattice
from solvers.cutcell.element import LINEAR
from solvers.cutcell.supports import given
from solvers.elasticity.law import lame
from solvers.precision import float64
from solvers.quadrature import FacetQuadrature
from tests.benchmarks.solids.case import Floats
from tests.benchmarks.solids.memory import peak_gb
from tests.benchmarks.solids.peers.ours import Compilations

WIDTH, ASPECT = 2.0, 4
YOUNGS_MODULUS, POISSONS_RATIO, TRACTION = 70e3, 0.3, 1e-3
TOLERANCE = 1e-8
# FEAX with its algebraic multigrid, a million unknowns, on an H100 [s].
FEAX = {"compile": 137.0, "solve": 1.28}


def measure(unknowns: float) -> dict[str, Any]:
    """Twice: with what has to be compiled, and without; from the box's measures to displacement."""
    cold, warm = solve(unknowns), solve(unknowns)
    return {
        **warm,
        "seconds_cold": cold["seconds"],
        "programs": cold["programs"],
        "peak_gb": peak_gb(),
        "beam": beam_deflection(),
        "feax": FEAX,
    }


def across(unknowns: float) -> int:
    """Cells across the box that make the number of unknowns nearest to this."""
    counts = np.arange(1, 1000)
    return int(counts[np.abs(3 * (ASPECT * counts + 1) * (counts + 1) ** 2 - unknowns).argmin()])


class Prepared(NamedTuple):
    """The box on its grid, ready to be solved."""

    problem: immersed.ImmersedProblem
    force: Floats


def prepared(unknowns: float) -> Prepared:
    """From the box's measures: cells, supports, hierarchy, forces."""
    count = across(unknowns)
    edge = WIDTH / count
    shape = np.array([ASPECT * count, count, count])
    index = np.stack(np.unravel_index(np.arange(shape.prod()), tuple(shape)), axis=1)
    full = np.broadcast_to(LINEAR.full, (len(index), len(LINEAR.full)))
    cells = FilledCells(Lattice(np.zeros(3), edge, shape, index), full, LINEAR)
    law = float64(lame)(YOUNGS_MODULUS, POISSONS_RATIO)
    held = _end(cells, 0)
    every = np.broadcast_to(np.eye(3), (len(held.weight), 3, 3))
    problem = immersed.prepare(cells, law, given(cells, law, held, every, np.zeros((len(every), 3))))
    pull = np.array([[0.0, 0.0, TRACTION]])
    return Prepared(problem, quadrature.traction(_end(cells, 1), pull, len(cells.points)))


def solve(unknowns: float) -> dict[str, Any]:
    """Once."""
    with Compilations.watched() as compilations:
        begun = time.perf_counter()
        problem, force = prepared(unknowns)
        jax.block_until_ready(jax.tree.leaves(vars(problem)))
        ready = time.perf_counter()
        solution = immersed.solve(problem, force, tolerance=TOLERANCE)
        done = time.perf_counter()
    tip = solution.field[problem.cells.points[:, 0] > 0.999 * ASPECT * WIDTH, 2]
    return {
        "unknowns": solution.field.size,
        "cells": problem.cells.lattice.shape.tolist(),
        "seconds": {"setup": ready - begun, "solve": done - ready},
        "iterations": solution.iterations,
        "residual": solution.residual,
        "deflection": float(tip.mean()),
        "programs": compilations.programs(),
    }


def beam_deflection() -> float:
    """Of the tip, of a Timoshenko beam."""
    force, length, area, inertia = TRACTION * WIDTH**2, ASPECT * WIDTH, WIDTH**2, WIDTH**4 / 12
    shear = YOUNGS_MODULUS / (2 * (1 + POISSONS_RATIO))
    return force * length**3 / (3 * YOUNGS_MODULUS * inertia) + force * length / (5 / 6 * shear * area)


def _end(cells: FilledCells, side: int) -> FacetQuadrature:
    """Two by two Gauss points on each cell's face at an end of the box."""
    lattice = cells.lattice
    chosen = np.flatnonzero(lattice.index[:, 0] == side * (lattice.shape[0] - 1))
    at = 0.5 + np.array([-0.5, 0.5]) / np.sqrt(3)
    local = np.stack(np.meshgrid([float(side)], at, at, indexing="ij"), -1).reshape(-1, 3)
    cell, points = np.repeat(chosen, 4), np.tile(local, (len(chosen), 1))
    return FacetQuadrature(
        facet=cell,
        nodes=lattice.numbering[1][cell],
        shape=LINEAR.shape(points),
        position=lattice.origin + lattice.edge * (lattice.index[cell] + points),
        normal=np.tile([2.0 * side - 1, 0, 0], (len(cell), 1)),
        weight=np.full(len(cell), lattice.edge**2 / 4),
    )


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(json.dumps(measure(float(sys.argv[1]))))
