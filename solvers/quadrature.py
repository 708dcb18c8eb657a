"""Quadrature over a surface, whatever elements carry it, and the nodal forces of what acts there."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int


@dataclass(frozen=True)
class FacetQuadrature:
    """Points on facets of a mesh, or on a surface in the cells of a grid, with the nodes that carry them.

    facet: which facet of the list each point lies on
    nodes: its nodes; shape: their shape functions at the point
    position [m], normal (outward, unit), weight [m^2]
    """

    facet: Int[np.ndarray, " p"]
    nodes: Int[np.ndarray, "p a"]
    shape: Float[np.ndarray, "p a"]
    position: Float[np.ndarray, "p 3"]
    normal: Float[np.ndarray, "p 3"]
    weight: Float[np.ndarray, " p"]

    def __getitem__(self, chosen: np.ndarray) -> "FacetQuadrature":
        """The points that a mask or a list of indices chooses."""
        return FacetQuadrature(*(values[chosen] for values in vars(self).values()))

    @property
    def area(self) -> float:
        """Total weight [m^2]."""
        return float(self.weight.sum())

    @property
    def centroid(self) -> Float[np.ndarray, "3"]:
        """Area centroid [m]."""
        return np.average(self.position, axis=0, weights=self.weight)


def nowhere(nodes: int) -> FacetQuadrature:
    """No points, on elements of so many nodes."""
    no_nodes, no_values, no_places = (np.zeros((0, n)) for n in (nodes, nodes, 3))
    nothing = np.zeros(0)
    return FacetQuadrature(
        nothing.astype(int), no_nodes.astype(int), no_values, no_places, no_places, nothing
    )


def join(parts: list[FacetQuadrature]) -> FacetQuadrature:
    """All points of several quadratures over the same list of facets."""
    return FacetQuadrature(
        *(np.concatenate(values) for values in zip(*(vars(p).values() for p in parts), strict=True))
    )


def scatter(
    nodes: Int[np.ndarray, "c a"], forces: Float[np.ndarray, "c a k"], count: int
) -> Float[np.ndarray, "n k"]:
    """Sum of contributions at nodes."""
    flat = nodes.ravel()
    columns = (forces[..., i].ravel() for i in range(forces.shape[-1]))
    return np.stack([np.bincount(flat, column, minlength=count) for column in columns], axis=1)


def traction(
    where: FacetQuadrature, value: Float[np.ndarray, "#p k"], count: int
) -> Float[np.ndarray, "n k"]:
    """Nodal forces of a force per area (traction [Pa], heat flux [W/m^2]) at each quadrature point, or one at all."""
    return scatter(where.nodes, where.shape[:, :, None] * (where.weight[:, None] * value)[:, None, :], count)
