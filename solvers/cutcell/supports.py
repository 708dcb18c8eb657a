"""What holds a field on a surface that cuts the cells of a grid: springs, and values that are given.

Values are given in Nitsche's way (1971, Abh. Math. Sem. Univ. Hamburg 36:9): the flux through the face is part of the
equations, so springs of a moderate stiffness hold it exactly in the limit. They have to outweigh the largest flux that
a cell makes on its face, which goes with how thick the cell's material is behind it; where that is little,
the flux there says nothing either and the springs act alone. So they do on elements of first order: with incompatible
modes the energy of a cell does not bound the flux of its nodal field.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import jax
import numpy as np
from jaxtyping import Float, Int

from solvers import quadrature
from solvers.cutcell.cells import FilledCells
from solvers.cutcell.element import LINEAR
from solvers.law import Law
from solvers.precision import float64
from solvers.quadrature import FacetQuadrature

# Of the springs behind a face, times the modulus over the thickness of material: more than the flux can do, which is
# (p + 1)^2 for elements of order p (Warburton & Hesthaven 2003, Comput. Methods Appl. Mech. Eng. 192:2765), also where
# three faces meet in a cell.
_MARGIN = 4.0
PENALTY = 20.0  # of springs alone, times the modulus over the edge
THINNEST = 0.4  # of the edge: behind a face with less material than that springs act alone
_CHUNK = 4096  # points at a time


@dataclass(frozen=True, eq=False)
class Supports:
    """Points on the surface where a field of k components is held, or hangs on springs.

    where: the points, `facet` being the cell; slope: of its shape functions there [1/m]
    springs: stiffness per area; given: projectors onto the directions in which the flux is the support's
    ground: the field that they hang on, or that is given
    """

    law: Law
    where: FacetQuadrature
    slope: Float[np.ndarray, "p a 3"]
    springs: Float[np.ndarray, "p k k"]
    given: Float[np.ndarray, "p k k"]
    ground: Float[np.ndarray, "p k"]

    def on(self, ground: Float[np.ndarray, "p k"]) -> "Supports":
        """The same with another ground."""
        return replace(self, ground=ground)

    def force(self, field: Float[np.ndarray, "n k"]) -> Float[np.ndarray, "n k"]:
        """Nodal forces of the supports on the part under a nodal field."""
        where = self.where
        own = field[where.nodes]
        stretch = self.ground - _times(own.swapaxes(1, 2), where.shape)
        through = _times(_flux(self.law, own.swapaxes(1, 2) @ self.slope), where.normal)
        pull = _times(self.springs, stretch) + _times(self.given, through)
        back = self._from_traction(_times(self.given, stretch))
        forces = where.shape[:, :, None] * pull[:, None] - back
        return quadrature.scatter(where.nodes, where.weight[:, None, None] * forces, len(field))

    def _from_traction(self, value: Float[np.ndarray, "p k"]) -> Float[np.ndarray, "p a k"]:
        """The transpose of the flux through the face at nodal values."""
        flux = _flux(self.law, value[:, :, None] * self.where.normal[:, None])
        return np.asarray(self.slope @ flux.swapaxes(1, 2))

    def energy(self, motions: Float[np.ndarray, "p k m"]) -> Float[np.ndarray, "m m"]:
        """Of the springs alone, on motions of what they hang on: the second derivative."""
        return np.einsum(
            "p,pik,pij,pjl->kl", self.where.weight, motions, self.springs, motions, optimize=True
        )

    def stiffness(self) -> tuple[Int[np.ndarray, " s"], Float[np.ndarray, "s rows rows"]]:
        """Cells in which the points lie, and what the supports add to their stiffness."""
        components, nodes = self.ground.shape[1], self.where.shape.shape[1]
        cells, count = np.unique(self.where.facet, return_counts=True)
        by_cell = np.argsort(self.where.facet, kind="stable")
        total = np.empty((len(cells), nodes * components, nodes * components))
        ends = np.cumsum(count)
        start = 0
        while start < len(cells):
            # as many cells as have a chunk's points, if each had as many as the fullest
            most = np.maximum.accumulate(count[start : start + _CHUNK])
            stop = start + max(int((most * np.arange(1, len(most) + 1) <= _CHUNK).sum()), 1)
            rows = by_cell[ends[start] - count[start] : ends[stop - 1]]
            own = np.repeat(np.arange(stop - start), count[start:stop])
            place = np.arange(len(rows)) - np.repeat(ends[start:stop] - count[start:stop], count[start:stop])
            place += ends[start] - count[start]
            shape, pulls = self[rows]._pulls()
            padded = np.zeros((2, stop - start, count[start:stop].max(), components, nodes, components))
            padded[0, own, place] = shape[:, None, :, None] * np.eye(components)[:, None]
            padded[1, own, place] = pulls
            basis, pulled = padded.reshape(2, stop - start, -1, nodes * components)
            half = basis.swapaxes(1, 2) @ pulled
            total[start:stop] = half + half.swapaxes(1, 2)
            start = stop
        return cells, total

    def _pulls(self) -> tuple[Float[np.ndarray, "p a"], Float[np.ndarray, "p k a k"]]:
        """Shape functions, and half of what pulls each component of the points, springs counted once."""
        where, components = self.where, self.ground.shape[1]
        springs = 0.5 * self.springs[:, :, None, :] * where.shape[:, None, :, None]
        through = np.stack([self._from_traction(self.given[:, :, i]) for i in range(components)], axis=1)
        return where.shape, where.weight[:, None, None, None] * (springs - through)

    def __getitem__(self, chosen: np.ndarray) -> "Supports":
        """The points that a mask or a list of indices chooses."""
        arrays = (self.slope, self.springs, self.given, self.ground)
        return Supports(self.law, self.where[chosen], *(values[chosen] for values in arrays))


@float64
def given(
    cells: FilledCells,
    law: Law,
    where: FacetQuadrature,
    directions: Float[np.ndarray, "p k k"],
    ground: Float[np.ndarray, "p k"],
) -> Supports:
    """A field that is given on a face, along the directions that projectors leave."""
    edge, modulus = cells.lattice.edge, float(law.largest_modulus)
    area = np.bincount(where.facet, where.weight, minlength=len(cells))[where.facet]
    # a small face in a cell takes no less to hold
    thickness = np.minimum(cells.fraction[where.facet] * edge**3 / area, edge)
    if cells.element == LINEAR:
        material = np.zeros(len(area), dtype=bool)
        stiffness = np.full(len(area), PENALTY * modulus / edge)
    else:
        material = thickness > THINNEST * edge
        most = (cells.element.order + 1) ** 2
        stiffness = _MARGIN * most * modulus / np.maximum(thickness, THINNEST * edge)
    return Supports(
        law,
        where,
        _slope(cells, where),
        stiffness[:, None, None] * directions,
        material[:, None, None] * directions,
        ground,
    )


def sprung(
    cells: FilledCells,
    law: Law,
    where: FacetQuadrature,
    springs: Float[np.ndarray, "p k k"],
    ground: Float[np.ndarray, "p k"],
) -> Supports:
    """Springs of a stiffness per area."""
    return Supports(law, where, _slope(cells, where), springs, np.zeros_like(springs), ground)


def joined(cells: FilledCells, law: Law, parts: Sequence[Supports]) -> Supports:
    """All points of several supports of the cells."""
    nodes, k = cells.nodes.shape[1], law.components
    nothing = np.zeros((0, k, k))
    every = [
        Supports(law, quadrature.nowhere(nodes), np.zeros((0, nodes, 3)), nothing, nothing, np.zeros((0, k)))
    ]
    every += parts
    return Supports(
        law,
        quadrature.join([part.where for part in every]),
        *(
            np.concatenate([getattr(part, name) for part in every])
            for name in ("slope", "springs", "given", "ground")
        ),
    )


def _slope(cells: FilledCells, where: FacetQuadrature) -> Float[np.ndarray, "p a 3"]:
    lattice = cells.lattice
    local = (where.position - lattice.origin) / lattice.edge - lattice.index[where.facet]
    return cells.element.shape_gradient(local) / lattice.edge


def _flux(law: Law, gradient: Float[np.ndarray, "p k 3"]) -> Float[np.ndarray, "p k 3"]:
    plain = jax.tree.map(float, law)  # in numpy: the number of points differs from part to part
    slopes = [[gradient[:, i, j] for j in range(3)] for i in range(gradient.shape[1])]
    return np.moveaxis(np.array(plain.flux(slopes)), 2, 0)


def _times(
    matrices: Float[np.ndarray, "p k k"], vectors: Float[np.ndarray, "p k"]
) -> Float[np.ndarray, "p k"]:
    return np.asarray((matrices @ vectors[:, :, None])[:, :, 0])
