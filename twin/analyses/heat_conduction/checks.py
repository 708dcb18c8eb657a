"""What is refused before anything is computed, in an engineer's words."""

from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from twin.analyses import materials
from twin.analyses.checks import SELECTION_RESOLUTION
from twin.analyses.task import Regions
from twin.errors import StudyError, UnconstrainedError
from twin.geometry.selection import Selected, Selection, select
from twin.geometry.subdivision import subdivide
from twin.geometry.surface import Surface
from twin.select import describe
from twin.studies import HeatConduction, HeatSource, Temperature

Floats = NDArray[np.float64]
Ints = NDArray[np.integer]

PIECE = 0.02  # of the diagonal: of the surface, in which overlaps of selections are measured
MOST_CONTRADICTED = 0.5  # of a face may be held at another temperature by other supports: a rim is


def check(surface: Surface, study: HeatConduction) -> Regions:
    """Refuse what can't be answered; else the study's regions.

    Raises:
        SelectionError, StudyError
    """
    resolution = surface.diagonal * SELECTION_RESOLUTION
    supports = tuple((support, select(surface, support.on, resolution)) for support in study.supports)
    loads = tuple(
        (case, load, None if isinstance(load, HeatSource) else select(surface, load.on, resolution))
        for case, items in study.cases.items()
        for load in items
    )
    given = [(s, selection) for s, selection in supports if isinstance(s, Temperature)]
    for first, second in combinations(given, 2):
        _refuse_contradiction(surface, first, second)
        _refuse_contradiction(surface, second, first)
    return Regions(supports, loads, materials.of_bodies(surface, study))


def _refuse_contradiction(
    surface: Surface, first: tuple[Temperature, Selection], second: tuple[Temperature, Selection]
) -> None:
    """Raise where most of the first one's surface is held by the second at another temperature."""
    (one, selection), (other, _) = first, second
    if one.value == other.value:
        return
    soup = np.arange(3 * len(selection.triangles)).reshape(-1, 3)
    vertices, triangles, source = subdivide(
        selection.triangles.reshape(-1, 3), soup, PIECE * surface.diagonal
    )
    a, b, c = vertices[triangles].transpose(1, 0, 2)
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    inside = Selected(surface, other.on).mask((a + b + c) / 3, selection.source[source])
    if area[inside].sum() > MOST_CONTRADICTED * area.sum():
        raise StudyError(
            f"Temperature on {describe(one.on)} contradicts another one, which holds most of the same surface at "
            f"{other.value:.5g} K instead of {one.value:.5g} K. Keep them apart, with & and ~, or remove one.",
            {"on": describe(one.on)},
        )


def check_pieces_tied(points: Floats, elements: Ints, tied: Ints) -> None:
    """Each body must be tied to a temperature, by supports or by the bodies that it touches.

    Args:
        elements: nodes of each element; tied: nodes on which a support acts

    Raises:
        UnconstrainedError: one is insulated all around
    """
    count = len(points)
    first = np.repeat(elements[:, 0], elements.shape[1] - 1)
    graph = coo_array((np.ones(len(first), np.int8), (first, elements[:, 1:].ravel())), shape=(count, count))
    _, body = connected_components(graph, directed=False)
    insulated = np.setdiff1d(np.unique(body[elements[:, 0]]), body[tied])
    if len(insulated) == 0:
        return
    x, y, z = 1e3 * points[body == insulated[0]].mean(0)
    raise UnconstrainedError(
        f"The body about ({x:.4g}, {y:.4g}, {z:.4g}) mm is insulated all around: no Temperature and no Convection acts "
        "on it, and it touches no other body, so that it has no steady temperature. Add one of them there, let it "
        "touch another body, or leave it out.",
        {"bodies": len(np.unique(body[elements[:, 0]]))},
    )
