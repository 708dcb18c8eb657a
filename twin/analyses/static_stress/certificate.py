"""What is still wrong with a displacement that is near the solution of the discrete equations, number by number.

With K u = f, a field v near u leaves r = f - K v. Of a number J of the displacement, with its adjoint K z = dJ/du,

    J(u) - J(v) = z . r,    and with an adjoint w that is itself only near z,    |z . r - w . r| <= |z - w| |u - v|

in norms of energy, which both iterations estimate. So neither has to be solved. It speaks of the mesh's own solution
alone: how far that is from the truth is for the estimates of the discretisation (Becker & Rannacher, Acta Numerica 10,
2001; Arioli, Liesen, Miedlar & Strakoš, GAMM-Mitteilungen 36, 2013).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solvers.iteration import Progress
from solvers.law import Law
from solvers.tet10 import sensitivity, steady
from solvers.tet10.steady import Approach, Problem
from twin.analyses import goals
from twin.analyses.analysis import Certificate, Discrete
from twin.meshing import VolumeMesh

Floats = NDArray[np.float64]

# Distances from the solution, in the norm of energy: of a field where it is looked at first, at most, and in the
# accuracy that is asked for; by how much nearer it is looked at once more; and of adjoints.
FIRST, OF_ACCURACY, NEARER, ADJOINT = 0.02, 0.1, 0.1, 0.05
# Times what the adjoint says of the mean that stands for the largest stress, which may be off by more at one node.
OF_PEAK = 3.0
SHARE = 0.1  # of the accuracy that is asked for, that a number may be off by for not being solved to the end


@dataclass(frozen=True)
class Certified:
    """A displacement near the solution; how near its numbers are; the adjoint of the largest displacement (n, 3)."""

    approach: Approach
    certificate: Certificate
    dual: Floats


def certified(
    problem: Problem,
    mesh: VolumeMesh,
    law: Law,
    load: Floats,
    counted: NDArray[np.int32],
    accuracy: float,
    progress: Progress,
) -> Certified | None:
    """As few iterations as all numbers need to be within a share of the accuracy; None where there are too many.

    Args:
        problem: held at zero; counted: elements (k, 10) in which the largest stress is looked for

    Raises:
        SolveError: an iteration broke down
    """
    done = 0
    first = min(FIRST, OF_ACCURACY * accuracy)
    for distance in (first, NEARER * first):
        near = steady.approach(problem, load, distance, progress=progress)
        done += near.iterations
        found = certify(problem, mesh, law, load, counted, near, progress)
        if all(number.error <= SHARE * accuracy for number in found.certificate.numbers.values()):
            certificate = found.certificate
            return Certified(
                near, Certificate(certificate.numbers, done, certificate.adjoint_iterations), found.dual
            )
    return None


def certify(
    problem: Problem,
    mesh: VolumeMesh,
    law: Law,
    load: Floats,
    counted: NDArray[np.int32],
    near: Approach,
    progress: Progress,
) -> Certified:
    """How far numbers are from those of the solution; arguments as of `certified`."""
    moved = np.linalg.norm(near.field, axis=1)
    peak = int(moved.argmax())
    at_peak = goals.around(mesh, peak)[:, None] * near.field[peak] / max(moved[peak], np.finfo(float).tiny)
    mean = sensitivity.flux_mean(mesh.points, counted, law, near.field, goals.EXPONENT)
    asked = {
        "max_displacement": (float(np.vdot(at_peak, near.field)), at_peak),
        "max_von_mises": (mean.value, mean.by_field),
    }
    duals = {
        name: steady.approach(problem, slope, ADJOINT, progress=progress)
        for name, (_, slope) in asked.items()
    }
    numbers = {
        name: _discrete(
            value, float(np.vdot(duals[name].field, near.rest)), duals[name].missing * near.missing
        )
        for name, (value, _) in asked.items()
    }
    peak_stress = numbers["max_von_mises"].error
    numbers["max_von_mises"] = Discrete(0.0, OF_PEAK * peak_stress)
    # Its own adjoint: what is missing is the energy of what the field is off by.
    numbers["compliance"] = _discrete(
        float(np.vdot(load, near.field)), float(np.vdot(near.field, near.rest)), near.missing**2
    )
    spent = sum(dual.iterations for dual in duals.values())
    return Certified(near, Certificate(numbers, near.iterations, spent), duals["max_displacement"].field)


def _discrete(value: float, correction: float, remainder: float) -> Discrete:
    size = max(abs(value), np.finfo(float).tiny)
    return Discrete(correction / size, remainder / size)
