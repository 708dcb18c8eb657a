"""Parts of the measurement on a device, each in a fresh process: python -m ... PART OUT.json [WHAT IT IS GIVEN]"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from solvers.elasticity.law import lame
from solvers.precision import float64
from solvers.tet10 import steady
from tests.benchmarks.solids import batches, block, cantilever, designs, matvec
from tests.benchmarks.solids.case import POISSONS_RATIO, YOUNGS_MODULUS, Case
from tests.benchmarks.solids.memory import peak_gb
from tests.benchmarks.solids.peers.ours import Compilations

REPEATS = 20
MEMBERS = 16
COPIED = {"cpu": 128 << 20, "gpu": 2 << 30}  # bytes, beyond any cache


def facts() -> dict[str, Any]:
    """The device, and how fast it copies."""
    device = jax.devices()[0]
    versions = {name: metadata.version(name) for name in ("jax", "jaxlib", "numpy", "equinox")}
    return {
        "kind": device.device_kind,
        "platform": device.platform,
        "versions": versions,
        "copy_gb_s": copy_gb_s(),
    }


def copy_gb_s() -> float:
    """GB/s of b = -a, read and write counted, best of several."""
    values = jnp.ones(COPIED["cpu" if jax.default_backend() == "cpu" else "gpu"] // 4, jnp.float32)
    negated = jax.jit(jnp.negative)
    jax.block_until_ready(negated(values))
    best = np.inf
    for _ in range(REPEATS):
        begun = time.perf_counter()
        jax.block_until_ready(negated(values))
        best = min(best, time.perf_counter() - begun)
    return 2 * values.nbytes / best / 1e9


def solution(unknowns: str) -> dict[str, Any]:
    """From mesh to displacement, with what has to be compiled and without; then the product and the memory."""
    case = block.case(float(unknowns))
    cold, warm = _solved(case), _solved(case)
    peak = peak_gb()
    copy = copy_gb_s()
    products = matvec.measure(case)
    for product in products:
        for bytes_of in ("stored", "least"):
            product[f"share_{bytes_of}"] = product[f"bytes_{bytes_of}"] / product["seconds"] / 1e9 / copy
    return {
        "unknowns": case.unknowns,
        "elements": len(case.tets),
        "seconds_cold": cold["seconds"],
        "compilation": cold["compilation"],
        **{key: warm[key] for key in ("seconds", "iterations", "residual", "compliance")},
        "peak_gb": peak,
        "gb_per_million": peak / case.unknowns * 1e6,
        "copy_gb_s": copy,
        "products": products,
    }


def _solved(case: Case) -> dict[str, Any]:
    with Compilations.watched() as compilations:
        begun = time.perf_counter()
        problem = _prepared(case)
        jax.block_until_ready(jax.tree.leaves(vars(problem)))
        prepared = time.perf_counter()
        found = steady.solve(problem, case.force)
        done = time.perf_counter()
    return {
        "seconds": {"setup": prepared - begun, "solve": done - prepared},
        "compilation": compilations.seconds(),
        "iterations": found.iterations,
        "residual": found.residual,
        "compliance": float(np.vdot(case.force, found.field)),
    }


def _prepared(case: Case) -> steady.Problem:
    law = float64(lame)(YOUNGS_MODULUS, POISSONS_RATIO)
    held = np.where(case.fixed[:, None, None], np.eye(3), 0.0)
    return steady.prepare(case.points, case.tets, law, held, np.zeros_like(case.points))


def displacement(unknowns: str, out: str) -> dict[str, Any]:
    """To be compared with that on another device."""
    case = block.case(float(unknowns))
    np.save(out, steady.solve(_prepared(case), case.force).field)
    return {"unknowns": case.unknowns}


def difference(first: str, second: str) -> dict[str, Any]:
    """Relative, of two displacements."""
    base, other = np.load(first), np.load(second)
    return {"unknowns": base.size, "difference": float(np.linalg.norm(other - base) / np.linalg.norm(base))}


def of_batches(unknowns: str) -> dict[str, Any]:
    """Throughput of many at once beside one at a time."""
    return {"records": batches.measure(block.case(float(unknowns)), MEMBERS), "peak_gb": peak_gb()}


def of_designs(unknowns: str) -> dict[str, Any]:
    """Throughput of designs on grids of their own, beside one at a time."""
    records = [designs.measure(float(unknowns), order=order) for order in (1, 2)]
    return {"records": records, "peak_gb": peak_gb()}


def of_cantilever(unknowns: str) -> dict[str, Any]:
    """FEAX's, on the grid."""
    return cantilever.measure(float(unknowns))


PARTS: dict[str, Callable[..., dict[str, Any]]] = {
    "facts": facts,
    "solution": solution,
    "displacement": displacement,
    "difference": difference,
    "batches": of_batches,
    "designs": of_designs,
    "cantilever": of_cantilever,
}

if __name__ == "__main__":
    Path(sys.argv[2]).write_text(json.dumps(PARTS[sys.argv[1]](*sys.argv[3:])))
