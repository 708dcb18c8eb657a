"""A force and a moment on a region: shared out over it, or carried by it as one stiff body.

A rigid region is held and moved along each of its six rigid motions in turn; the six amplitudes follow from the
balance of the forces on it. Exact for the discrete equations, and the operator stays that of held nodes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from solvers.elasticity.constraints import rigid_motions
from solvers.iteration import Progress, Solution
from solvers.quadrature import FacetQuadrature
from solvers.tet10.sensitivity import Places
from solvers.tet10.steady import Problem, internal_force, solve

Values = np.ndarray | Array

CORRECTION = 1e-4  # tolerance of the correction, whose right-hand side is small already


def distributed(
    where: FacetQuadrature | Places,
    force: Float[Values, "3"],
    moment: Float[Values, "3"],
    at: Float[Values, "3"],
) -> Float[Values, "p 3"]:
    """Traction [Pa] that carries a force [N] and a moment [N m] acting at a point, in numbers or traced by JAX.

    Uniform, plus a field that turns about the area's centroid: what a distributing coupling (RBE3) weighted by
    area does.
    """
    xp = jnp if isinstance(where, Places) else np
    centroid = where.centroid
    arm = where.position - centroid
    inertia = xp.einsum("p,pij->ij", where.weight, (arm**2).sum(1)[:, None, None] * np.eye(3)) - xp.einsum(
        "p,pi,pj->ij", where.weight, arm, arm
    )
    spin = xp.linalg.pinv(inertia, rtol=1e-9) @ (moment + xp.cross(at - centroid, force))
    return force / where.area + xp.cross(spin, arm)


@dataclass(frozen=True)
class RigidRegion:
    """Nodes that form a rigid body, and the point that its forces and moments act at [m]."""

    nodes: Bool[np.ndarray, " n"]
    at: Float[np.ndarray, "3"]


@dataclass(frozen=True)
class UnitMotions:
    """Displacements of the part under the unit rigid motions of all regions, and their stiffness."""

    regions: tuple[RigidRegion, ...]
    motions: Float[np.ndarray, "k n 3"]  # of the regions alone, zero elsewhere
    displacements: Float[np.ndarray, "k n 3"]
    stiffness: Float[np.ndarray, "k k"]
    iterations: int


def unit_motions(
    problem: Problem,
    points: Float[np.ndarray, "n 3"],
    regions: Sequence[RigidRegion],
    progress: Progress | None = None,
) -> UnitMotions:
    """Solve the unit motions of rigid regions, whose nodes `problem` holds in all directions."""
    motions = []
    for region in regions:
        fields = rigid_motions(points, region.at) * region.nodes[:, None, None]
        motions.extend(np.moveaxis(fields, 2, 0))
    solutions = [
        solve(problem, np.zeros_like(points), prescribed=motion, progress=progress) for motion in motions
    ]
    forces = [internal_force(problem, solution.field) for solution in solutions]
    stiffness = np.array([[np.vdot(motion, force) for force in forces] for motion in motions])
    return UnitMotions(
        tuple(regions),
        np.array(motions),
        np.array([solution.field for solution in solutions]),
        (stiffness + stiffness.T) / 2,
        sum(solution.iterations for solution in solutions),
    )


@dataclass(frozen=True)
class CoupledSolution:
    """A solution, and the work of the forces and moments on the rigid regions [J]."""

    solution: Solution
    rigid_work: float


def solve_coupled(
    problem: Problem,
    unit: UnitMotions,
    load: Float[np.ndarray, "n 3"],
    resultants: Sequence[tuple[Float[np.ndarray, "3"], Float[np.ndarray, "3"]]],
    *,
    prescribed: Float[np.ndarray, "n 3"] | None = None,
    progress: Progress | None = None,
) -> CoupledSolution:
    """Displacement under nodal forces [N] and a force [N] and moment [N m] at the point of each region.

    Unit motions are solved to a tolerance of their own, so their sum is corrected once by what it leaves unbalanced.

    Args:
        prescribed: displacement in the held directions in place of the problem's own
    """
    applied = np.concatenate([np.concatenate(pair) for pair in resultants])
    amplitudes = np.zeros(len(applied))
    first = solve(problem, load, prescribed=prescribed, progress=progress)
    displacement = first.field
    iterations = first.iterations
    for correct in (False, True):
        if correct:
            rest = load - internal_force(problem, displacement)
            extra = solve(
                problem, rest, prescribed=np.zeros_like(load), tolerance=CORRECTION, progress=progress
            )
            displacement, iterations = displacement + extra.field, iterations + extra.iterations
        rest = load - internal_force(problem, displacement)
        unbalanced = applied + np.array([np.vdot(motion, rest) for motion in unit.motions])
        # What the regions carry already is part of `rest`.
        change = np.linalg.solve(unit.stiffness, unbalanced)
        amplitudes = amplitudes + change
        displacement = displacement + np.einsum("k,kni->ni", change, unit.displacements)
    return CoupledSolution(
        Solution(displacement, iterations, first.residual), float(np.dot(applied, amplitudes))
    )
