"""What the fluid does to the part's surface: pressure and friction on the triangles that were uploaded."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from twin.analyses.flow.lattice import Lattice
from twin.analyses.flow.simulation import Simulation
from twin.geometry.subdivision import six_node_faces, subdivide

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_FINEST: Final = 1.0  # cells: triangles are cut until their edges are no longer
_MOST: Final = 400_000  # triangles; rather than more of them they stay longer
_AROUND: Final = 24  # cells beside the surface that a point hears of
_WIDTH: Final = 1.0  # cells, over which forces of cells are spread


@dataclass(frozen=True, eq=False)
class Traction:
    """Of points: pressure (n,) above that of density one [Pa], friction (n, 3) [Pa]."""

    pressure: Floats
    friction: Floats


@dataclass(frozen=True, eq=False)
class OnSurface:
    """A surface that is cut as finely as the cells are: points (n, 3) [m], in the coordinates of the part; faces (f, 6)

    nodes: of the points; vertices: of those that were uploaded
    """

    points: Floats
    faces: Ints
    nodes: Traction
    vertices: Traction


def on_surface(found: Simulation[Lattice]) -> OnSurface:
    """Pressure of the cells beside the surface; friction by the force that is exchanged there, spread over it."""
    lattice, scales = found.lattice, found.lattice.scales
    surface = lattice.surface
    longest = max(_FINEST * scales.length, (4 * surface.area / _MOST) ** 0.5)
    cut, triangles, source = subdivide(surface.vertices, surface.triangles, longest)
    points, faces = six_node_faces(cut, triangles)
    wetted = lattice.wetted
    beside = _Beside(found, cut, triangles[wetted[source]])
    nodes = beside(points, _normals(points, faces), _of(faces[wetted[source]], len(points)))
    corners = surface.triangles
    vertices = beside(
        surface.vertices, _normals(surface.vertices, corners), _of(corners[wetted], len(surface.vertices))
    )
    axes = lattice.axes
    return OnSurface(
        points @ axes,
        faces,
        Traction(nodes.pressure, nodes.friction @ axes),
        Traction(vertices.pressure, vertices.friction @ axes),
    )


class _Beside:
    """The cells beside walls of the part, in the axes of the lattice. triangles: of the walls"""

    def __init__(self, found: Simulation[Lattice], vertices: Floats, triangles: NDArray[np.integer]) -> None:
        lattice = found.lattice
        chosen = np.asarray(lattice.walls.body).any(axis=0)
        self._spacing = lattice.scales.length
        self._force = lattice.scales.force * found.exchanged[chosen]
        self._pressure = lattice.scales.pressure * found.means[-1].pressure[tuple(lattice.beside[chosen].T)]
        self._tree = cKDTree(lattice.touched[chosen])
        a, b, c = (vertices[triangles[:, k]] for k in range(3))
        areas = 0.5 * np.linalg.norm(np.cross(b - a, c - a), axis=1)
        _, nearest = self._tree.query((a + b + c) / 3)
        self._area = np.bincount(nearest, areas, int(chosen.sum()))

    def __call__(self, points: Floats, normals: Floats, walls: NDArray[np.bool_]) -> Traction:
        """At points (n, 3) [m] with unit normals; walls: which ones are on some: elsewhere there is no friction."""
        away, cells = self._tree.query(points, min(_AROUND, self._tree.n))
        away, cells = away.reshape(len(points), -1), cells.reshape(len(points), -1)
        beyond = away**2 - away[:, :1] ** 2  # the nearest one counts, however far it is
        weights = np.exp(-beyond / (_WIDTH * self._spacing) ** 2)
        area = (weights * self._area[cells]).sum(axis=1)
        force = np.einsum("nk,nka->na", weights, self._force[cells])
        traction = force / np.maximum(area, 1e-3 * self._spacing**2)[:, None]
        along = (traction * normals).sum(axis=1)
        pressure = (weights * self._pressure[cells]).sum(axis=1) / weights.sum(axis=1)
        return Traction(pressure, walls[:, None] * (traction - along[:, None] * normals))


def _of(faces: NDArray[np.integer], count: int) -> NDArray[np.bool_]:
    """Which of so many points are of some face."""
    found: NDArray[np.bool_] = np.bincount(faces.ravel(), minlength=count) > 0
    return found


def _normals(points: Floats, faces: NDArray[np.integer]) -> Floats:
    """Unit normals (n, 3) of points: of the faces around them, by their area."""
    a, b, c = (points[faces[:, k]] for k in range(3))
    areas = np.repeat(np.cross(b - a, c - a), faces.shape[1], axis=0)
    total = np.stack([np.bincount(faces.ravel(), each, len(points)) for each in areas.T], axis=1)
    found: Floats = total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-300)
    return found
