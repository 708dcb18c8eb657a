"""A part deformed, before it is meshed or gridded."""

from collections.abc import Iterable, Sequence

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from solvers import free_form
from solvers.precision import float64
from twin.errors import StudyError
from twin.geometry.subdivision import subdivide
from twin.geometry.surface import Surface
from twin.studies.shape import FreeForm

Floats = NDArray[np.float64]

PER_CELL = 6  # triangles to the distance of two control points: a flat face follows as closely as that
MOST = 400_000  # triangles
LEAST_STRETCH = 0.05  # of a volume element
_TORN = 1e-6  # of the diagonal


def deformed(surface: Surface, boxes: Sequence[FreeForm]) -> Surface:
    """The surface after the boxes, one after the other, with finer triangles where they are large.

    It knows where it was before, which is what selectors speak of.

    Raises:
        StudyError: a box holds nothing of the part, folds over, or would tear the part at one of its sides
    """
    cell = min(
        (high - low) / (count - 1)
        for box in boxes
        for low, high, count in zip(box.min, box.max, box.control, strict=True)
    )
    finest = np.sqrt(8 * surface.area / MOST)
    vertices, triangles, source = subdivide(surface.vertices, surface.triangles, max(cell / PER_CELL, finest))
    groups = {
        name: np.flatnonzero(np.isin(source, ids)).astype(np.int32) for name, ids in surface.groups.items()
    }
    before = Surface(vertices, triangles.astype(np.int32), surface.patch[source], groups)
    moved = before.vertices
    for number, box in enumerate(boxes):
        moved = _moved(moved, before.triangles, box, f"FreeForm {number}" if len(boxes) > 1 else "FreeForm")
    return Surface(moved, before.triangles, before.patch, before.groups, before)


@float64
def by_moves(surface: Surface, boxes: Sequence[FreeForm], by_vertices: Floats) -> list[Floats]:
    """Derivatives with respect to the moves of control points, (i, j, k, 3) for each box.

    surface: deformed by the boxes; by_vertices: derivatives with respect to its vertices (v, 3)
    """
    if surface.before is None or not boxes:
        return []
    sides = [jax.device_put((np.array(box.min), np.array(box.max))) for box in boxes]

    def after(lattices: list[jax.Array]) -> jax.Array:
        points = start
        for (low, high), lattice in zip(sides, lattices, strict=True):
            within = free_form.inside(points, low, high)[:, None]
            points = jnp.where(within, points + free_form.displacement(points, low, high, lattice), points)
        return points

    start = jax.device_put(surface.before.vertices)
    _, backward = jax.vjp(after, [jax.device_put(box.lattice) for box in boxes])
    (found,) = backward(jax.device_put(by_vertices))
    return [np.asarray(lattice) for lattice in found]


@float64
def _moved(vertices: Floats, triangles: NDArray[np.int32], box: FreeForm, name: str) -> Floats:
    low, high, moves = jax.device_put((np.array(box.min), np.array(box.max), box.lattice))
    within = np.asarray(free_form.inside(jax.device_put(vertices), low, high))
    if not within.any():
        raise StudyError(
            f"{name}: the box from {_told(box.min)} to {_told(box.max)} holds nothing of the part, which goes from "
            f"{_told(vertices.min(axis=0))} to {_told(vertices.max(axis=0))}."
        )
    stretch = float(free_form.least_stretch(low, high, moves))
    if stretch < LEAST_STRETCH:
        raise StudyError(
            f"{name}: the moves fold the box over, or press some of it to {max(stretch, 0):.0%} of its volume: make "
            "them smaller.",
            {"stretch": stretch},
        )
    steps = np.asarray(free_form.displacement(jax.device_put(vertices), low, high, moves))
    crossing = within[triangles].any(axis=1) & ~within[triangles].all(axis=1)
    torn = np.zeros(len(vertices), bool)
    torn[triangles[crossing]] = True
    diagonal = float(np.linalg.norm(np.ptp(vertices, axis=0)))
    apart = np.linalg.norm(steps[torn & ~within], axis=1).max(initial=0.0)
    if apart > _TORN * diagonal:
        raise StudyError(
            f"{name}: the part goes through a side of the box whose control points are moved, and would be torn by "
            f"{1e3 * apart:.3g} mm: let those on that side stay, or make the box reach around the part.",
            {"torn": apart},
        )
    return np.where(within[:, None], vertices + steps, vertices)


def _told(point: Iterable[float]) -> str:
    return f"({', '.join(f'{1e3 * value:.4g}' for value in point)}) mm"
