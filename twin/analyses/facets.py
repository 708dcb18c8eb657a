"""What facets in place of a CAD surface make of the numbers of a grid, which is cut from them."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from solvers.precision import float64
from twin.analyses import estimates
from twin.analyses.analysis import CaseSolution
from twin.analyses.immersed_boundary import ImmersedBoundary
from twin.analyses.task import Task
from twin.geometry.surface import Surface
from twin.geometry.topology import edges, neighbours

Floats = NDArray[np.float64]

HIGHEST = 1.5  # height of an arc over its chord, over the mean one
LEAST_ANGLE = 1e-5  # [rad] between facets of a curved face: less is rounding


@float64
def with_geometry(
    task: Task, boundary: ImmersedBoundary, case: CaseSolution, measured: estimates.Values
) -> estimates.Values:
    """With the error that facets make in place of the CAD surface, where that is not what they are.

    A face that moves along its normal gains or loses the energy of what it sweeps over; by that share of the energy the
    numbers that go with it are taken to be off, and by which share of it the recovery finds in error. The field at a
    point of a facet is off by what it changes by on the way to the surface, too.
    """
    found = case.flux.element_error.sum()
    away = sagitta(task.surface)
    curved = np.flatnonzero(away)
    if task.report.chord_error == 0 or found == 0 or len(curved) == 0:
        return measured
    middle = task.surface.corners[curved].mean(axis=1)
    beneath = boundary.inside(middle)
    curved, middle = curved[beneath], middle[beneath]
    flux = boundary.interpolate(case.flux.nodal, middle)
    density = np.asarray(task.analysis.laws[0].energy_density(flux))
    share = float(np.abs(away[curved]) * task.surface.areas[curved] @ density / found)
    farthest = (HIGHEST * away[curved])[:, None] * task.surface.normals[curved]
    change = boundary.interpolate(case.field, middle + farthest) - boundary.interpolate(case.field, middle)
    beside = float(np.linalg.norm(change, axis=1).max(initial=0.0))

    def error(indicators: Mapping[str, float]) -> float:
        if "field" in indicators:
            return share * indicators["field"] + beside
        return share * indicators.get("energy", 0.0)

    errors = {name: error(indicators) for name, indicators in measured.indicators.items()}
    return replace(measured, geometry={name: off for name, off in errors.items() if off > 0})


def sagitta(surface: Surface) -> Floats:
    """Mean distance (m,) from each triangle outwards to the smooth surface that it is a facet of [m].

    From the angles at which it meets its neighbours of the same face: across a strip of facets the surface is a circle,
    on average a twelfth of width times angle above its chord. Beside a wider one, which is flat, it is as far as that.
    """
    triangles = surface.triangles.astype(np.int64)
    first, second = neighbours(triangles).T
    smooth = surface.patch[first // 3] == surface.patch[second // 3]
    first, second = first[smooth], second[smooth]
    ends = surface.vertices[edges(triangles)[first]]
    along = ends[:, 1] - ends[:, 0]
    length = np.maximum(np.linalg.norm(along, axis=1), np.finfo(float).tiny)
    turned = np.cross(surface.normals[first // 3], surface.normals[second // 3])
    angle = np.arcsin(np.clip(np.einsum("ei,ei->e", turned, along) / length, -1, 1))
    angle[np.abs(angle) < LEAST_ANGLE] = 0.0
    away = np.zeros(len(triangles))
    widths = 2 * surface.areas[np.stack([first, second]) // 3] / length
    narrow = widths.min(axis=0)
    for edge, width in zip((first, second), widths, strict=True):
        np.add.at(away, edge // 3, narrow**2 / np.maximum(width, np.finfo(float).tiny) * angle / 12)
    return away
