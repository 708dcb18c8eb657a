"""The jet-engine brackets of SimJEB: where they lie, their bores, their study.

The set-up is that of the README beside the data: four bolt bores fixed, both clevis bores loaded through a
distributing coupling at their centroid. Designs differ by up to some millimetres from the standard interface, so each
bore is found by fitting a cylinder to the surface. Lengths in mm until they become selectors.
"""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import reduce
from operator import or_
from pathlib import Path

import numpy as np
import trimesh
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.spatial import cKDTree
from scipy.spatial.distance import cdist

import twin

DATA = Path(__file__).parents[2].parent / "shared" / "data" / "simjeb"
CASES = ("ver", "hor", "dia", "tor")
FORCES = {
    "ver": (0.0, 0.0, 35585.8),
    "hor": (-37809.9, 0.0, 0.0),
    "dia": (-28276.2, 0.0, 31403.9),
    "tor": (0.0, 0.0, 0.0),
}
"""Forces [N]; the torsion case has a moment instead."""
MOMENTS = {"tor": (0.0, 0.0, 564.924)}  # N m
STANDARD_BOLTS = ((0.0, 0.0), (0.0, -148.125), (52.0472, 1.5805), (38.0833, -146.9685))
BOLT_RADIUS = 5.15625
BOLT_HEIGHTS = (-3.0, 15.0)
CLEVIS_POINT = (-23.1919, 0.0, 44.7246)
CLEVIS_AXIS = (-0.030367, 1.0, 0.0)
CLEVIS_RADIUS = 9.55675
CLEVIS_STATIONS = (-110.0, -40.0)
REACH = 25.0
"""How far from the standard place the clevis may lie."""
SHORTEST = 2.0
"""Length from which on a cylinder is a bore."""
SLICE, FULL = 0.5, 0.8
"""Length of the slices that a cylinder is looked at in; share of the cylinder from which on it is a full round."""

Floats = NDArray[np.float64]


class NoInterfaceError(Exception):
    """A bracket whose bores can't be found: the published loads have no place to act."""


@dataclass(frozen=True)
class Bore:
    """A full round of cylindrical surface seen from inside. point: the middle of its axis; shift: of the axis from
    where the standard interface has it; coverage: area of the surface found against that of the whole cylinder.
    """

    point: Floats
    axis: Floats
    radius: float
    length: float
    area: float
    shift: float = 0.0

    @property
    def coverage(self) -> float:
        return self.area / (2 * np.pi * self.radius * self.length)

    def selector(self) -> twin.select.Selector:
        """Its surface, without the faces and chamfers where it ends."""
        ends = [twin.select.facing(sign * self.axis, "45 deg") for sign in (1, -1)]
        around = twin.select.cylinder(
            1e-3 * self.point, self.axis, 1e-3 * (self.radius + 0.1), 1e-3 * (self.length + 0.02)
        )
        return around & ~(ends[0] | ends[1])


@dataclass(frozen=True)
class Interface:
    """What holds a bracket and where it is pulled."""

    bolts: tuple[Bore, ...]
    clevis: tuple[Bore, ...]

    @property
    def pin(self) -> Floats:
        """Centroid of the clevis bores."""
        areas = [bore.area for bore in self.clevis]
        return np.average([bore.point for bore in self.clevis], axis=0, weights=areas)

    @property
    def oddities(self) -> str:
        """How it differs from the standard one, in words; empty where it does not."""
        shift, length = self.clevis[0].shift, sum(bore.length for bore in self.clevis)
        radius, bolts = self.clevis[0].radius, max(bore.shift for bore in self.bolts)
        bolt_radius = max((bore.radius for bore in self.bolts), key=lambda r: abs(r - BOLT_RADIUS))
        differences = {
            f"clevis shifted by {shift:.1f} mm": shift > 0.1,
            f"clevis bores {length:.1f} mm long in all": abs(length - 12.7) > 0.5,
            f"clevis radius {radius:.3f} mm": abs(radius - CLEVIS_RADIUS) > 0.01,
            f"a bolt shifted by {bolts:.1f} mm": bolts > 0.1,
            f"bolt radius {bolt_radius:.3f} mm": abs(bolt_radius - BOLT_RADIUS) > 0.2,
        }
        words = [difference for difference, there in differences.items() if there]
        return ", ".join(words)


def bracket_ids() -> list[str]:
    """Numbers of the brackets in the folder, smallest file first."""
    files = sorted(DATA.glob("*.ply.gz"), key=lambda file: (file.stat().st_size, file.name))
    return [file.name.removesuffix(".ply.gz") for file in files]


def surface_file(number: str) -> bytes:
    """The bracket's surface as PLY [mm]."""
    return gzip.decompress((DATA / f"{number}.ply.gz").read_bytes())


def interface(ply: bytes) -> Interface:
    """Bolt and clevis bores of a bracket. Raises NoInterfaceError where they are not all there."""
    mesh = trimesh.load(io.BytesIO(ply), file_type="ply", process=False)
    holes = [bores[0] for bores in _bores(mesh, np.array((0.0, 0.0, 1.0)), BOLT_RADIUS, BOLT_HEIGHTS)]
    away = cdist(STANDARD_BOLTS, [hole.point[:2] for hole in holes])
    pairs = list(zip(*linear_sum_assignment(away), strict=True))
    if lacking := sorted(set(range(len(STANDARD_BOLTS))) - {i for i, _ in pairs}):
        places = ", ".join("({:.0f}, {:.0f})".format(*STANDARD_BOLTS[i]) for i in lacking)
        raise NoInterfaceError(f"no bolt bore with {SHORTEST:.0f} mm of cylinder near {places}")
    bolts = [replace(holes[j], shift=float(away[i, j])) for i, j in pairs]
    axis = np.array(CLEVIS_AXIS) / np.linalg.norm(CLEVIS_AXIS)
    across = _across(axis)
    arms = [
        [replace(bore, shift=float(np.linalg.norm(across @ (bore.point - CLEVIS_POINT)))) for bore in bores]
        for bores in _bores(mesh, axis, CLEVIS_RADIUS, CLEVIS_STATIONS)
        if len(bores) == 2
    ]
    clevis = min(arms, key=lambda pair: pair[0].shift, default=None)
    if clevis is None or clevis[0].shift > REACH:
        raise NoInterfaceError("no pair of clevis bores, each a full round")
    return Interface(tuple(bolts), tuple(clevis))


def study(place: Interface) -> twin.StaticStress:
    """The four published load cases."""
    bolts = reduce(or_, (bore.selector() for bore in place.bolts))
    clevis = reduce(or_, (bore.selector() for bore in place.clevis))
    return twin.StaticStress(
        twin.Material("113.8 GPa", 0.342, 4470, yield_strength="880 MPa", name="Ti-6Al-4V (SimJEB)"),
        supports=[twin.Fixed(on=bolts)],
        load_cases={
            case: [
                twin.RemoteForce(
                    FORCES[case], at=1e-3 * place.pin, on=clevis, moment=MOMENTS.get(case, (0.0, 0.0, 0.0))
                )
            ]
            for case in CASES
        },
    )


def _bores(
    mesh: trimesh.Trimesh, axis: Floats, radius: float, stations: tuple[float, float]
) -> Iterator[list[Bore]]:
    """Bores of about `radius` along `axis`, those on one line together, between two stations along it.

    Each triangle of a bore points at its axis: votes where normals of the length of the radius end; where the votes
    are densest a circle is fitted to the vertices, and what lies on it is cut into full rounds.
    """
    across = _across(axis)
    places, normals = mesh.triangles_center @ across.T, mesh.face_normals @ across.T
    station = mesh.triangles_center @ axis
    walls = np.flatnonzero(
        (np.abs(mesh.face_normals @ axis) < 0.1) & (stations[0] < station) & (station < stations[1])
    )
    votes, areas = places[walls] + radius * normals[walls], mesh.area_faces[walls]
    tree = cKDTree(votes)
    density = np.array([areas[near].sum() for near in tree.query_ball_point(votes, 0.15 * radius)])
    while density.size and density.max() > 2 * np.pi * radius:  # a round 1 mm long
        peak = votes[int(np.argmax(density))]
        density[tree.query_ball_point(peak, 0.3 * radius)] = 0.0
        center, found, on = peak, radius, walls
        for tolerance in (0.15, 0.04, 0.03, 0.03):  # facets lie inside the circle of their vertices
            offset = places[walls] - center
            distance = np.linalg.norm(offset, axis=1)
            inward = -np.einsum("ij,ij->i", offset, normals[walls]) > 0.95 * distance
            on = walls[inward & (np.abs(distance - found) < tolerance * radius)]
            if on.size < 8:
                break
            center, found = _circle(mesh.vertices[np.unique(mesh.faces[on])] @ across.T)
        if on.size < 8:
            continue
        rounds = _rounds(mesh.vertices[mesh.faces[on]] @ axis, mesh.area_faces[on], 2 * np.pi * found)
        line = center @ across
        bores = [
            Bore(line + 0.5 * (low + high) * axis, axis, found, high - low, area)
            for low, high, area in rounds
        ]
        if full := [bore for bore in bores if bore.length > SHORTEST and bore.coverage > FULL]:
            yield full


def _across(axis: Floats) -> Floats:
    """Two unit vectors across `axis`, (2, 3)."""
    return np.linalg.svd(axis[None])[2][1:]


def _circle(points: Floats) -> tuple[Floats, float]:
    """Least-squares centre and radius of points (n, 2)."""
    system = np.column_stack((2 * points, np.ones(len(points))))
    *center, rest = np.linalg.lstsq(system, (points**2).sum(axis=1), rcond=None)[0]
    return np.array(center), float(np.sqrt(rest + np.dot(center, center)))


def _rounds(stations: Floats, areas: Floats, circumference: float) -> Iterator[tuple[float, float, float]]:
    """Full rounds along the axis: first station, last one, area. stations: of the triangles' corners (n, 3).

    Where triangles that touch are not a full round, those of parts of it are: a web between the arms may carry the
    cylinder on from one bore to the other.
    """
    low, high = stations.min(axis=1), stations.max(axis=1)
    order = np.argsort(low)
    reached = np.maximum.accumulate(high[order])
    group = np.cumsum(np.r_[False, low[order][1:] > reached[:-1] + 0.05])
    for members in np.split(order, np.flatnonzero(np.diff(group)) + 1):
        first, last = low[members].min(), high[members].max()
        whole = areas[members].sum() > FULL * circumference * (last - first)
        edges = np.linspace(first, last, 2 if whole else 1 + int(np.ceil((last - first) / SLICE)))
        within = np.minimum(high[members], edges[1:, None]) - np.maximum(low[members], edges[:-1, None])
        area = (within.clip(0) / (high - low)[members].clip(1e-9)) @ areas[members]
        full = np.flatnonzero(area > FULL * circumference * np.diff(edges))
        for run in np.split(full, np.flatnonzero(np.diff(full) > 1) + 1):
            if run.size:
                yield float(edges[run[0]]), float(edges[run[-1] + 1]), float(area[run].sum())
