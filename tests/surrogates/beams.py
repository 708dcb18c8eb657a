"""Clamped beams under a force at the end, by Euler and Bernoulli: a family whose answers are known everywhere."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from surrogates.cloud import Cloud
from surrogates.elasticity import BASES, FEATURES, GROUPS, Hold, Problem, Region, scales, size_of
from surrogates.examples import Example, Target
from surrogates.operator import Size

Floats = NDArray[np.float64]

LENGTH, MODULUS = 1.0, 2e11
SIZE = Size(FEATURES, len(BASES), GROUPS, tokens=128, width=32, latents=8, depth=1, decoder_depth=1)
POINTS = 256
FORCES = np.eye(3) * 1e3  # [N], one for each load case


def box(width: float, height: float, length: float = LENGTH) -> tuple[Floats, NDArray[np.int64]]:
    """Vertices [m] and triangles of a beam along x, its axis in the middle."""
    corners = [
        (x, y, z) for x in (0.0, length) for y in (-width / 2, width / 2) for z in (-height / 2, height / 2)
    ]
    sides = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    triangles = [triple for a, b, c, d in sides for triple in ((a, b, c), (a, c, d))]
    return np.array(corners), np.array(triangles)


def fields(points: Floats, width: float, height: float, force: Floats) -> Floats:
    """Displacement [m] and stress [Pa] (k, 9) of a force [N] at the end."""
    found = np.zeros((len(points), 9))
    x = points[:, 0]
    for axis, inertia in ((1, height * width**3 / 12), (2, width * height**3 / 12)):
        across, push = points[:, axis], force[axis]
        found[:, axis] += push * x**2 * (3 * LENGTH - x) / (6 * MODULUS * inertia)
        found[:, 0] -= across * push * (2 * LENGTH * x - x**2) / (2 * MODULUS * inertia)
        found[:, 3] -= push * (LENGTH - x) * across / inertia
    found[:, 0] += force[0] * x / (MODULUS * width * height)
    found[:, 3] += force[0] / (width * height)
    return found


def end(x: float, width: float, height: float) -> Region:
    """One of its ends."""
    vertices, triangles = box(width, height)
    corners = vertices[triangles]
    return Region(corners[(corners[..., 0] == x).all(axis=1)])


def problem(width: float, height: float) -> Problem:
    """Clamped at x = 0, loaded at the other end."""
    cloud = Cloud.of(*box(width, height), volume=LENGTH * width * height)
    return Problem(
        cloud, (Hold(end(0.0, width, height), (True, True, True)),), end(LENGTH, width, height), 0.3
    )


def example(name: str, width: float, height: float, forces: Floats = FORCES, size: Size = SIZE) -> Example:
    """What a beam teaches, under each of some forces (cases, 3) [N]."""
    of = problem(width, height)
    cloud = of.cloud
    points, normals = cloud.points[-POINTS:], cloud.normals[-POINTS:]
    queries = of.queries(points, normals, cloud.seen[-POINTS:], np.zeros(POINTS), size.tokens)
    coefficients = np.zeros((len(forces), 1, len(BASES)))
    coefficients[:, 0, :3] = forces
    sizes = np.array([size_of(each) for each in coefficients])
    scale = np.stack([scales(MODULUS, cloud.length, each) for each in sizes])
    values = np.stack([fields(points, width, height, force) for force in forces]) / scale[:, None]
    return Example(
        name,
        of.tokens(size.tokens).astype(np.float32)[None],
        (coefficients / sizes[:, None, None]).astype(np.float32),
        Target(queries._replace(features=np.asarray(queries.features)[None]), values.astype(np.float32)),
    )


def family(count: int, seed: int = 0, size: Size = SIZE) -> Sequence[Example]:
    """Beams of different widths and heights."""
    random = np.random.default_rng(seed)
    return [example(f"beam {i}", *random.uniform(0.15, 0.3, 2), size=size) for i in range(count)]
