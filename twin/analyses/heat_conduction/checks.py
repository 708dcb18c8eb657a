"""What is refused before anything is computed, in an engineer's words."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from twin.analyses.checks import SELECTION_RESOLUTION
from twin.analyses.task import Regions
from twin.errors import StudyError, UnconstrainedError
from twin.geometry.selection import Selected, Selection, select
from twin.geometry.surface import Surface
from twin.select import describe
from twin.studies import HeatConduction, HeatSource, Temperature

Floats = NDArray[np.float64]
Ints = NDArray[np.integer]

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
    for rank, (support, selection) in enumerate(supports):
        for other, _ in supports[:rank]:
            if isinstance(support, Temperature) and isinstance(other, Temperature):
                _refuse_contradiction(surface, support, selection, other)
    return Regions(supports, loads)


def _refuse_contradiction(
    surface: Surface, support: Temperature, selection: Selection, other: Temperature
) -> None:
    if support.value == other.value:
        return
    inside = Selected(surface, other.on).mask(selection.triangles.mean(1), selection.source)
    if selection.areas[inside].sum() > MOST_CONTRADICTED * selection.area:
        raise StudyError(
            f"Temperature on {describe(support.on)} contradicts another one, which holds most of the same surface at "
            f"{other.value:.5g} K instead of {support.value:.5g} K. Remove one of the two.",
            {"on": describe(support.on)},
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
