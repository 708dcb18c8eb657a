"""This project's grid discretisation: from the part's surface, which the boundary of the mesh stands for here."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from solvers import quadrature
from solvers.cutcell import immersed
from solvers.cutcell.recovery import recover
from solvers.cutcell.supports import given
from solvers.elasticity.invariants import von_mises
from solvers.elasticity.law import lame
from solvers.precision import float64
from solvers.tet10.faces import boundary_facets
from solvers.tet10.facets import facet_quadrature
from tests.benchmarks.solids.case import POISSONS_RATIO, YOUNGS_MODULUS, Answer, Case
from tests.benchmarks.solids.peers.ours import Compilations
from twin.geometry.surface import Surface
from twin.gridding import fill

ROUGH = 40  # cells along the diagonal, to see how many unknowns cells of a size make


def surface_of(case: Case) -> Surface:
    """The boundary of the mesh; midsides are corners too, so that curved faces stay curved."""
    facets, _ = boundary_facets(case.tets)
    pieces = facets[:, np.array([(0, 3, 5), (3, 1, 4), (5, 4, 2), (3, 4, 5)])].reshape(-1, 3)
    used, triangles = np.unique(pieces, return_inverse=True)
    return Surface(case.points[used], triangles.reshape(-1, 3), np.zeros(len(pieces), np.int32))


def cell_edge(surface: Surface, unknowns: int) -> float:
    """Of cells that make about so many unknowns."""
    edge = surface.diagonal / ROUGH
    for _ in range(2):
        edge *= (3 * len(fill(surface, edge).points) / unknowns) ** (1 / 3)
    return edge


def answer(case: Case, surface: Surface, edge: float, label: str) -> Answer:
    """From the surface to stress; to assemble is to fill the cells."""
    facets, _ = boundary_facets(case.tets)
    fixed = facet_quadrature(case.points, facets, np.flatnonzero(case.fixed[facets].all(1)))
    loaded = np.flatnonzero(case.force.any(1))
    with Compilations.watched() as compilations:
        begun, processor = time.perf_counter(), time.process_time()
        cells = fill(surface, edge)
        filled = time.perf_counter()
        cell, local = cells.lattice.locate(fixed.position, -fixed.normal)
        shape = cells.element.shape(local)
        where = replace(fixed, facet=cell, nodes=cells.nodes[cell], shape=shape)
        material = float64(lame)(YOUNGS_MODULUS, POISSONS_RATIO)
        every = np.broadcast_to(np.eye(3), (len(cell), 3, 3))
        held = given(cells, material, where, every, np.zeros((len(cell), 3)))
        problem = immersed.prepare(cells, material, held)
        cell, local = cells.lattice.locate(case.points[loaded])
        shares = cells.element.shape(local)[:, :, None] * case.force[loaded][:, None]
        force = quadrature.scatter(cells.nodes[cell], shares, len(cells.points))
        prepared = time.perf_counter()
        solution = immersed.solve(problem, force)
        solved = time.perf_counter()
        stress = von_mises(recover(cells, material, solution.field).nodal)
        done = time.perf_counter()
    return Answer(
        label,
        {
            "fill": filled - begun,
            "setup": prepared - filled,
            "solve": solved - prepared,
            "stress": done - solved,
        },
        solution.field,
        stress,
        solution.iterations,
        solution.residual,
        {"compilation": compilations.seconds(), "programs": compilations.programs()},
        time.process_time() - processor,
        float(np.vdot(force, solution.field)),
    )


def run(cases: Sequence[Case], method: str) -> list[Answer]:
    """The same part twice: with what has to be compiled, and without."""
    case = cases[0]
    surface = surface_of(case)
    edge = cell_edge(surface, case.unknowns)
    return [answer(case, surface, edge, label) for label in ("first in its process", "same process, again")]
