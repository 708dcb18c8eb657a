"""Which material the bodies of a part, and the elements of a mesh, are made of: numbers in `study.materials`."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from twin.analyses.checks import SELECTION_RESOLUTION
from twin.errors import MeshingFailed, SelectionError
from twin.geometry.occupancy import Occupancy
from twin.geometry.selection import select
from twin.geometry.surface import Surface
from twin.meshing import VolumeMesh
from twin.select import describe
from twin.studies import PartStudy

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST = 0.5  # of a body's surface: what a selector takes of it at the least, where the body is meant
INNER = 0.6  # of the way from the middle of an element to its corners
FEW = 0.2  # of the elements at faces between materials may reach through them: facets are not the CAD surface


def of_bodies(surface: Surface, study: PartStudy) -> Ints:
    """Of each body of the part (b,).

    Raises:
        SelectionError: a selector takes no body
    """
    material = np.zeros(int(surface.body.max(initial=0)) + 1, dtype=np.int64)
    area = np.bincount(surface.body, surface.areas)
    for number, body in enumerate(study.bodies, start=1):
        selection = select(surface, body.on, surface.diagonal * SELECTION_RESOLUTION)
        share = np.bincount(surface.body[selection.source], selection.areas, len(area)) / area
        if share.max() <= MOST:
            raise SelectionError(
                f"{describe(body.on)} takes no body: a body counts where most of its surface is selected, and of none "
                f"is more than {100 * share.max():.3g} %. Select all of it, for instance by its name in "
                "part.report.groups.",
                {"selector": describe(body.on)},
            )
        material[share > MOST] = number
    return material


def assigned(mesh: VolumeMesh, surface: Surface, of_body: Ints) -> VolumeMesh:
    """The mesh with the material of each element, by the body that its middle lies in.

    Raises:
        MeshingFailed: elements reach through faces between materials
    """
    if not of_body.any():
        return mesh
    corners = mesh.points[mesh.tets[:, :4]]
    middle = corners.mean(axis=1, keepdims=True)
    places = np.concatenate([middle, middle + INNER * (corners - middle)], axis=1)
    found = np.zeros(places.shape[:2], dtype=np.int32)
    for number in np.unique(of_body[of_body > 0]):
        inside = Occupancy(surface.chosen(of_body[surface.body] == number)).inside(places.reshape(-1, 3))
        found[inside.reshape(found.shape)] = number
    material = found[:, 0]
    lowest, highest = np.full(len(mesh.points), len(of_body)), np.zeros(len(mesh.points), dtype=np.int64)
    np.minimum.at(lowest, mesh.tets, material[:, None])
    np.maximum.at(highest, mesh.tets, material[:, None])
    beside = (lowest < highest)[mesh.tets].any(axis=1)
    reaching = (found != material[:, None]).any(axis=1)
    if reaching.sum() > FEW * beside.sum():
        raise MeshingFailed(
            "the mesh does not follow the faces between bodies of different material, which takes a STEP file of solids"
        )
    return replace(mesh, material=material)


def assumed(study: PartStudy, said: Sequence[str]) -> tuple[str, ...]:
    """What is taken of the study's materials, each of which is `said` in words."""
    if not study.bodies:
        return (f"One homogeneous, isotropic material: {said[0]}.",)
    own = "; ".join(
        f"{words} for {describe(body.on)}" for words, body in zip(said[1:], study.bodies, strict=True)
    )
    return (
        f"Homogeneous, isotropic materials: {own}; {said[0]} for the rest. Bodies that touch are bonded. Fields have a "
        "value for each side of a face between materials; where such a face ends, the flux may have no bound.",
    )
