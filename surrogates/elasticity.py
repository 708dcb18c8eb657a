"""Static stress without dimensions: what a part is asked, as a network sees it.

Lengths are measured in that of the part L, forces in the size of the loads F; so displacement comes in F / (E L) and
stress in F / L^2, whatever the material, the size or the load. Only Poisson's ratio is left of the material.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import igl
import numpy as np
from numpy.typing import NDArray

from surrogates import cloud
from surrogates.cloud import Cloud, spread
from surrogates.operator import LOCAL, Queries

Floats = NDArray[np.float64]

BASES: Final = ("force x", "force y", "force z", "moment x", "moment y", "moment z", "pressure",
                "gravity x", "gravity y", "gravity z")  # fmt: skip
"""Unit loads on a region: a force [N] spread over it, a moment about its middle [N m / L], the pressure times the area
of the region [N]; and the weight of the part [N], which acts everywhere."""

GROUPS: Final = (3, 6)
CHANNELS: Final = ("ux", "uy", "uz", "xx", "yy", "zz", "xy", "yz", "zx")
FEATURES: Final = 6 + cloud.FEATURES + 16
_POINTS: Final = 256  # that stand for a region
_REACH: Final = (0.05, 0.3)  # lengths over which what is near a region is told apart
_CLAMP: Final = 0.05  # length from a support over which a displacement becomes free
_EVERYWHERE: Final = 4.0  # distance from what isn't there, in lengths


@dataclass(frozen=True, eq=False)
class Region:
    """A part of the surface: corners of its triangles (t, 3, 3) [m], counter-clockwise from outside."""

    corners: Floats

    @cached_property
    def vectors(self) -> Floats:
        """Outward normals of the triangles times their area (t, 3) [m^2]."""
        edges = self.corners[:, 1:] - self.corners[:, :1]
        return np.asarray(0.5 * np.cross(edges[:, 0], edges[:, 1]))

    @cached_property
    def areas(self) -> Floats:
        """Of the triangles (t,) [m^2]."""
        return np.asarray(np.linalg.norm(self.vectors, axis=1))

    @property
    def area(self) -> float:
        """[m^2]."""
        return float(self.areas.sum())

    @cached_property
    def middle(self) -> Floats:
        """Of the area [m]."""
        return np.asarray(self.areas @ self.corners.mean(axis=1) / self.area)

    @cached_property
    def _spread(self) -> tuple[Floats, NDArray[np.int64]]:
        return spread(self.corners, self.areas, _POINTS)

    @property
    def points(self) -> Floats:
        """Points spread over it (k, 3) [m]."""
        return self._spread[0]

    @property
    def normals(self) -> Floats:
        """Outward, at the points (k, 3)."""
        triangle = self._spread[1]
        return np.asarray(self.vectors[triangle] / self.areas[triangle, None])

    def distance(self, points: Floats) -> Floats:
        """From points (n, 3) [m]: (n,) [m], zero on it."""
        vertices = self.corners.reshape(-1, 3)
        faces = np.arange(len(vertices), dtype=np.int64).reshape(-1, 3)
        squares, *_ = igl.point_mesh_squared_distance(np.ascontiguousarray(points), vertices, faces)
        return np.sqrt(np.asarray(squares, np.float64))

    def resultant(self, coefficients: Floats, length: float) -> tuple[Floats, Floats]:
        """Force (3,) [N] and moment about its middle (3,) [N m] of loads (BASES,) [N] on a part of this length [m].

        Exact: over a flat triangle a pressure acts at its middle.
        """
        pressure = coefficients[6] / self.area
        arms = self.corners.mean(axis=1) - self.middle
        force = coefficients[:3] - pressure * self.vectors.sum(axis=0)
        moment = coefficients[3:6] * length - pressure * np.cross(arms, self.vectors).sum(axis=0)
        return np.asarray(force), np.asarray(moment)

    def forces(self, coefficients: Floats, length: float) -> Floats:
        """What acts at each point (k, 3) [N], with the same resultant.

        A moment is spread as a field that turns about the middle, as `solvers.elasticity.coupling` spreads it.
        """
        force, moment = self.resultant(coefficients, length)
        pushing = -coefficients[6] / len(self.points) * self.normals
        arms = self.points - self.points.mean(axis=0)
        inertia = (np.sum(arms**2, axis=1)[:, None, None] * np.eye(3) - arms[:, :, None] * arms[:, None]).sum(
            axis=0
        )
        evenly = (force - pushing.sum(axis=0)) / len(self.points)
        rest = moment - np.cross(self.points - self.middle, pushing + evenly).sum(axis=0)
        turn = np.linalg.lstsq(inertia, rest, rcond=1e-9)[0]
        return np.asarray(pushing + evenly + np.cross(turn, arms))


@dataclass(frozen=True, eq=False)
class Hold:
    """A support: where, and of which axes it takes the displacement away; all false where it holds along none of them

    but askew.
    """

    where: Region
    axes: tuple[bool, bool, bool]


@dataclass(frozen=True, eq=False)
class Problem:
    """A part that is held, and one region that is loaded; None: loads act everywhere."""

    cloud: Cloud
    holds: tuple[Hold, ...]
    region: Region | None
    poissons_ratio: float

    def features(self, points: Floats, normals: Floats, seen: Floats, depth: Floats) -> Floats:
        """What a network is told of points (k, 3) [m]: (k, FEATURES).

        Args:
            normals: at, or towards, the nearest place on the surface (k, 3)
            seen: `Cloud.look` of them; depth: distance from the surface (k,) [m]
        """
        length = self.cloud.length
        held = self._distances(points)
        if self.region is None:
            load = np.full(len(points), _EVERYWHERE)
            towards = np.zeros((len(points), 3))
            share = 0.0
        else:
            load = self.region.distance(points) / length
            towards = (self.region.middle - points) / length
            share = self.region.area / self.cloud.area
        constants = np.array(
            [self.poissons_ratio, share, self.cloud.area / length**2, self.cloud.volume / length**3]
        )
        return np.column_stack([
            (points - self.cloud.centre) / length,
            normals,
            seen,
            depth / length,
            np.exp(-held / _REACH[1]),
            held[:, 3],
            load,
            *(np.exp(-load / reach) for reach in _REACH),
            towards,
            np.broadcast_to(constants, (len(points), 4)),
        ])  # fmt: skip

    def tokens(self, count: int) -> Floats:
        """Features of the first points of the cloud."""
        points, normals = self.cloud.points[:count], self.cloud.normals[:count]
        return self.features(points, normals, self.cloud.seen[:count], np.zeros(count))

    def queries(self, points: Floats, normals: Floats, seen: Floats, depth: Floats, tokens: int) -> Queries:
        """What decoders are asked; arguments as of `features`, and the number of tokens."""
        distance, near = self.cloud.nearest(points, LOCAL, tokens)
        weights = 1 / np.maximum(distance, 1e-6 * self.cloud.length) ** 2
        free = 1 - np.exp(-self._distances(points)[:, :3] / _CLAMP)
        return Queries(
            self.features(points, normals, seen, depth).astype(np.float32),
            near.astype(np.int32),
            (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32),
            np.hstack([free, np.ones((len(points), GROUPS[1]))]).astype(np.float32),
        )

    def _distances(self, points: Floats) -> Floats:
        """To what holds each axis, and to what holds at all (k, 4), in lengths."""
        found = np.full((len(points), 4), _EVERYWHERE)
        for hold in self.holds:
            distance = hold.where.distance(points) / self.cloud.length
            for column in np.flatnonzero([*hold.axes, True]):
                found[:, column] = np.minimum(found[:, column], distance)
        return found


def scales(youngs_modulus: float, length: float, force: float) -> Floats:
    """Of each channel: displacement [m], stress [Pa]."""
    return np.repeat([force / (youngs_modulus * length), force / length**2], GROUPS)


def size_of(coefficients: Sequence[Floats] | Floats) -> float:
    """The size of loads (j, BASES) [N]: what their fields are measured in."""
    return float(np.linalg.norm(coefficients, axis=-1).sum())
