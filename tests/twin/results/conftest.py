"""A beam in pure bending, known exactly: a box of quadratic tetrahedra with its analytic fields."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest

from twin.quantities import Field, Quantity
from twin.results.outcome import CaseOutcome, ConvergenceRow, Cost, Equilibrium, Glyph, Outcome

YOUNGS_MODULUS, POISSONS_RATIO = 210e9, 0.3
_EDGES = ((0, 1), (1, 2), (2, 0), (0, 3), (1, 3), (2, 3))

Build = Callable[..., Outcome]


def quadratic_box(
    lengths: tuple[float, float, float], cells: tuple[int, int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Points (n, 3) and tets (m, 10) of a box with a corner in the origin: every cell as six tetrahedra."""
    shape = np.asarray(cells) + 1
    grid = np.stack(np.meshgrid(*[np.linspace(0, 1, k) for k in shape], indexing="ij"), axis=-1)
    corners = grid.reshape(-1, 3) * lengths
    index = np.arange(shape.prod()).reshape(shape)
    base = np.stack(np.meshgrid(*[np.arange(k) for k in cells], indexing="ij"), axis=-1).reshape(-1, 3)
    tets = []
    for order in itertools.permutations(
        range(3)
    ):  # Kuhn: one tetrahedron per way from a corner to the far one
        path = [np.zeros(3, dtype=int)]
        for axis in order:
            path.append(path[-1] + np.eye(3, dtype=int)[axis])
        nodes = np.stack([index[tuple((base + step).T)] for step in path], axis=1)
        odd = np.linalg.det(np.eye(3)[list(order)]) < 0
        tets.append(nodes[:, [0, 2, 1, 3]] if odd else nodes)
    linear = np.concatenate(tets)
    edges = np.sort(linear[:, np.asarray(_EDGES)].reshape(-1, 2), axis=1)
    unique, position = np.unique(edges, axis=0, return_inverse=True)
    points = np.concatenate([corners, corners[unique].mean(axis=1)])
    return points, np.concatenate([linear, len(corners) + position.reshape(-1, 6)], axis=1).astype(np.int32)


def bending(points: np.ndarray, curvature: float, height: float, width: float) -> dict[str, Field]:
    """Exact fields of pure bending about y: stress_xx = E k z, others zero (z from the neutral axis)."""
    x, y, z = points[:, 0], points[:, 1] - width / 2.0, points[:, 2] - height / 2.0
    nu = POISSONS_RATIO
    displacement = curvature * np.stack([x * z, -nu * y * z, -(x**2) / 2 - nu * (z**2 - y**2) / 2], axis=1)
    stress = np.zeros((len(points), 6))
    stress[:, 0] = YOUNGS_MODULUS * curvature * z
    return {
        "displacement": Field("displacement", displacement, "m", "node"),
        "stress": Field("stress", stress, "Pa", "node"),
        "von_mises": Field("von_mises", np.abs(stress[:, :1]), "Pa", "node"),
    }


@pytest.fixture(scope="session")
def build() -> Build:
    """build(cases={"default": 1.0}, scale=1.0, error=0.02): a beam of 100 x 20 x 10 mm times `scale`.

    cases: curvature of each relative to one that gives 200 MPa; error: relative, of all quantities.
    """

    def make(
        cases: dict[str, float] | None = None,
        scale: float = 1.0,
        error: float = 0.02,
        warnings: tuple[str, ...] = (),
        cells: tuple[int, int, int] = (10, 3, 2),
    ) -> Outcome:
        length, width, height = 0.1 * scale, 0.02 * scale, 0.01 * scale
        points, tets = quadratic_box((length, width, height), cells)
        curvature = 200e6 / (YOUNGS_MODULUS * height / 2.0)
        outcomes = {}
        for name, factor in (cases or {"default": 1.0}).items():
            fields = bending(points, factor * curvature, height, width)
            fields["energy_error"] = Field(
                "energy_error", np.linspace(0, 1e-6, len(tets))[:, None], "J", "cell"
            )
            peak = float(fields["von_mises"].values.max())
            deflection = float(np.linalg.norm(fields["displacement"].values, axis=1).max())
            force = np.array([0.0, 1.0 / 3.0, -1000.0])
            outcomes[name] = CaseOutcome(
                quantities={
                    "max_von_mises": Quantity(peak, "Pa", peak * error),
                    "max_displacement": Quantity(deflection, "m", deflection * error / 4),
                    "safety_factor": Quantity(355e6 / peak, "1", 355e6 / peak * error),
                    "reaction_force": Quantity(-force, "N", np.full(3, 1000.0 * error)),
                    "mass": Quantity(7850.0 * length * width * height, "kg", 0.0, note="from the mesh"),
                },
                fields=fields,
                surface_fields={
                    "von_mises": Field("von_mises", fields["von_mises"].values[:8], "Pa", "surface")
                },
                balance=Equilibrium(force, -force, (0.0, 10.0, 0.0), (0.0, -10.0, 0.0), 3e-9),
            )
        first = next(iter(outcomes))
        coarse = {"max_von_mises": 180e6, "max_displacement": 1e-3}
        fine = {"max_von_mises": 197e6, "max_displacement": 1.01e-3}
        errors = {"max_von_mises": 9e6, "max_displacement": float("inf")}
        end = points[np.abs(points[:, 0] - length) < 1e-9 * scale]
        wall = points[np.abs(points[:, 0]) < 1e-9 * scale]
        return Outcome(
            cases=outcomes,
            points=points,
            tets=tets,
            surface_vertices=points[:8],
            surface_triangles=np.array([[0, 1, 2], [1, 2, 3]], dtype=np.int32),
            glyphs=(
                Glyph("fixed", "Fixed end", wall),
                Glyph("force", "Force 1 kN", end, np.array([[0.0, 0.0, -1000.0]])),
                Glyph("gravity", "Gravity", points.mean(axis=0)[None], np.array([[0, 0, -9.81]]), first),
            ),
            assumptions=("Linear elastic material", "Small <displacements> & rotations"),
            warnings=warnings,
            convergence=(
                ConvergenceRow(3000, 0.01 * scale, 14, 4e-9, 0.5, coarse),
                ConvergenceRow(20000, 0.005 * scale, 15, 4e-9, 1.5, fine, errors),
            ),
            mesh_quality={"min_scaled_jacobian": 0.31},
            mesher="six tetrahedra per cell",
            provenance={"twin": "0.1.0", "geometry": "sha256:" + "0f" * 32},
            cost=Cost({"mesh": 1.25, "solve": 3.5}, None, "cpu"),
        )

    return make


@pytest.fixture(scope="session")
def beam(build: Build) -> Outcome:
    return build()


@pytest.fixture(scope="session")
def two_cases(build: Build) -> Outcome:
    return build({"ver": 1.0, "hor": -0.4})
