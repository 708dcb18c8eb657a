"""Kernels and memory traffic of the products, compiled for an H200 on a machine without a GPU.

    python -m venv ENV && ENV/bin/pip install "jax[cuda12]==0.10.2" equinox jaxtyping scipy
    JAX_SKIP_CUDA_CONSTRAINTS_CHECK=1 JAX_PLATFORMS=cpu ENV/bin/python -m tests.benchmarks.solids.traffic [UNKNOWNS]

It measures no time: it reads kernels and bytes off the compiled programs (hlo.py). The floor is what has to move
whatever the program: of the tetrahedra coordinates, connectivity, the vector and the product; of the grid how full
its cells are, the vector and the product; of an iteration its products on the finest level, and ten vectors in double
precision. h200.txtpb describes the device as XLA's compiler wants it (after openxla/xla's target_config specs).
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental import topologies
from jax.sharding import SingleDeviceSharding

from solvers import krylov
from solvers.elasticity.law import lame
from solvers.operator import LinearOperator, Preconditioner
from solvers.precision import float64
from solvers.tet10 import steady, stiffness
from tests.benchmarks.solids import block, cantilever, hlo
from tests.benchmarks.solids.case import POISSONS_RATIO, YOUNGS_MODULUS, Case
from tests.benchmarks.solids.own_table import table

TARGET = Path(__file__).with_name("h200.txtpb")
UNKNOWNS = 1e6
PRODUCTS = 6  # of a preconditioner on its finest level: twice two of a smoother, two residuals
VECTORS = 10  # that an iteration reads or writes besides


class Program(NamedTuple):
    """What was compiled, its traffic, the bytes that have to move, the unknowns."""

    name: str
    traffic: hlo.Traffic
    floor: float
    unknowns: int


@float64
def programs(unknowns: float = UNKNOWNS) -> list[Program]:
    """Products and whole iterations, on tetrahedra and on the grid."""
    with mock.patch.object(jax, "default_backend", return_value="gpu"):  # arrays laid out as for one
        case = block.case(unknowns)
        law = lame(YOUNGS_MODULUS, POISSONS_RATIO)
        held = np.where(case.fixed[:, None, None], np.eye(3), 0.0)
        tets = steady.prepare(case.points, case.tets, law, held, np.zeros_like(case.points))
        grid = cantilever.prepared(unknowns).problem
    found = []
    own = stiffness.FreeStiffness(tets.model)
    cells, nodes = len(grid.cells), 3 * len(grid.cells.points)
    for operator, preconditioner, name, count, floor in (
        (own, tets.preconditioner, "tet10", case.unknowns, lambda width: tet_floor(case, width)),
        (grid.operator, grid.preconditioner, "grid", nodes, lambda width: width * (cells + 2 * nodes)),
    ):
        for dtype in (jnp.float64, jnp.float32):
            single = _cast(operator, dtype)
            vector = jnp.zeros((_rows(operator), 3), dtype)
            text = compiled(lambda operator, vector: operator.apply(vector), single, vector)
            width = jnp.dtype(dtype).itemsize
            title = f"{name} product, {jnp.dtype(dtype).name}"
            found.append(Program(title, hlo.traffic(text), floor(width), count))
        text = compiled(_iterated, operator, preconditioner, jnp.zeros((_rows(operator), 3)))
        least = floor(8) + PRODUCTS * floor(4) + VECTORS * 8 * count
        found.append(Program(f"{name} iteration", hlo.traffic(text), least, count))
    return found


def tet_floor(case: Case, width: int) -> float:
    """Bytes of coordinates, connectivity, vector and product, in numbers of a width."""
    return 3 * width * case.points.size + 4 * case.tets.size


def _iterated(
    operator: LinearOperator, preconditioner: Preconditioner, right_side: jax.Array
) -> krylov.CGState:
    def precondition(residual: jax.Array) -> jax.Array:
        return operator.project(preconditioner.apply(residual))

    return krylov.cg_steps(operator.apply, precondition, krylov.cg_init(right_side), 1e-8, 1)


def _cast(operator: LinearOperator, dtype: Any) -> LinearOperator:
    return jax.tree.map(lambda a: a.astype(dtype) if jnp.issubdtype(a.dtype, jnp.floating) else a, operator)


def _rows(operator: Any) -> int:
    count = operator.model.mesh.node_count if hasattr(operator, "model") else operator.grid.node_count
    return int(count)


def compiled(function: Callable[..., Any], *given: Any) -> str:
    """The program's text; no array goes to the device, which is not there."""
    device = topologies.get_topology_desc(
        platform="cuda", topology_name="h200", topology="1x1x1", target_config=TARGET.read_text()
    ).devices[0]
    sharding = SingleDeviceSharding(device)
    arrays, static = eqx.partition(given, eqx.is_array)
    shapes = jax.tree.map(lambda a: jax.ShapeDtypeStruct(a.shape, a.dtype, sharding=sharding), arrays)
    program = jax.jit(lambda arrays: function(*eqx.combine(arrays, static)))
    text: str = program.lower(shapes).compile().as_text()
    return text


def main(unknowns: float) -> None:
    """Print the table."""
    head = ["program", "unknowns", "kernels", "bytes per unknown", "floor", "times the floor"]
    rows = [
        [
            one.name,
            f"{one.unknowns:,}",
            f"{one.traffic.kernels:.0f}",
            f"{one.traffic.moved / one.unknowns:.0f}",
            f"{one.floor / one.unknowns:.0f}",
            f"{one.traffic.moved / one.floor:.1f}",
        ]
        for one in programs(unknowns)
    ]
    print("\n".join(table(head, rows)))


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else UNKNOWNS)
