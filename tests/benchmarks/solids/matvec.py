"""How much of the memory's bandwidth the matrix-vector product of the solver reaches.

Bytes are counted twice. As stored: every array of the operator, padding included, is read once; x is read, y is
written. At least: coordinates, connectivity and x are read, y is written; everything else can be computed from those.
Gathers and scatters that miss the cache move more than that: a share is of the useful traffic.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from solvers.elasticity.law import lame
from solvers.precision import float64
from solvers.tet10 import steady, stiffness
from tests.benchmarks.solids.case import POISSONS_RATIO, YOUNGS_MODULUS, Case

REPEATS = 20


@float64
def measure(case: Case) -> list[dict[str, Any]]:
    """One record per precision: best seconds, bytes stored, bytes needed at least."""
    held = np.where(case.fixed[:, None, None], np.eye(3), 0.0)
    material = lame(YOUNGS_MODULUS, POISSONS_RATIO)
    problem = steady.prepare(case.points, case.tets, material, held, np.zeros_like(case.points))
    double = stiffness.FreeStiffness(problem.model)
    product = eqx.filter_jit(lambda operator, vector: operator.apply(vector))
    records = []
    for name, operator in (("float64", double), ("float32", double.single_precision())):
        dtype = jnp.dtype(name)
        count = problem.model.mesh.node_count
        vector = jnp.asarray(np.random.default_rng(0).normal(size=(count, 3)), dtype)
        jax.block_until_ready(product(operator, vector))
        best = np.inf
        for _ in range(REPEATS):
            begun = time.perf_counter()
            jax.block_until_ready(product(operator, vector))
            best = min(best, time.perf_counter() - begun)
        arrays = [leaf for leaf in jax.tree.leaves(operator) if isinstance(leaf, jax.Array)]
        least = 2 * case.points.size * dtype.itemsize + case.points.size * dtype.itemsize + case.tets.size * 4
        records.append(
            {
                "precision": name,
                "unknowns": case.unknowns,
                "seconds": best,
                "bytes_stored": sum(leaf.nbytes for leaf in arrays) + 2 * vector.nbytes,
                "bytes_least": least,
            }
        )
    return records


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(json.dumps(measure(Case.load(Path(sys.argv[1])))))
