"""What the lengths of ways up to a surface have to do with its vertices."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
import trimesh
from numpy.typing import NDArray

import twin
from solvers.lattice_boltzmann.gradient import SteadyGradient
from solvers.lattice_boltzmann.velocities import D3Q19
from twin.analyses.external_flow.gradient import by_vertices
from twin.analyses.external_flow.setting import setting
from twin.analyses.external_flow.tunnel import tunnel
from twin.geometry.parse import parse
from twin.geometry.surface import Surface
from twin.geometry.voxels import voxelise

STEP = 1e-5  # of a cell


def test_vertices_move_where_ways_end(tmp_path: Path) -> None:
    path = tmp_path / "ball.stl"
    trimesh.creation.icosphere(subdivisions=3, radius=0.05).export(path)
    surface, _ = parse(path, "m", path.name)
    made = tunnel(setting(surface, twin.ExternalFlow((1, 2, 0.5), twin.Fluid(1.2, 0.02))), 8.0)
    innermost, walls, random = made.boxes[-1], made.walls, np.random.default_rng(0)
    weights = random.uniform(0.5, 1.5, walls.distances.shape)
    conditions = made.conditions[-1]
    changed = replace(conditions, walls=replace(walls, distances=jnp.asarray(weights, jnp.float32)))
    found = by_vertices(made, SteadyGradient(0.0, (changed,), 0.0, 0))

    def lengths(vertices: NDArray[np.float64]) -> dict[tuple[int, ...], float]:
        moved = Surface(vertices, surface.triangles, surface.patch)
        shape, origin = innermost.grid.shape, np.array(innermost.origin)
        of = voxelise(moved, origin, innermost.spacing, shape, D3Q19.directions).crossings
        keys = np.column_stack([of.point, of.direction]).tolist()
        return dict(zip(map(tuple, keys), of.distance.tolist(), strict=True))

    turned = made.setting.surface.vertices
    by = np.stack([np.sin(20 * turned[:, 1]), np.cos(30 * turned[:, 0]), turned[:, 2] / 0.05], axis=1)
    before = lengths(turned)
    after = lengths(turned + STEP * made.scales.length * by)
    number = walls.numbers
    stored = np.asarray(walls.distances)
    change = 0.0
    for key in before.keys() & after.keys():
        wall, way = number[innermost.grid.number(np.array(key[:3]))], D3Q19.opposite[key[3]]
        if wall >= 0 and abs(stored[way, wall] - before[key]) < 1e-5:
            change += weights[way, wall] * (after[key] - before[key]) / STEP
    along = float((found * (by @ made.setting.axes)).sum())
    assert along * made.scales.length / made.scales.force == pytest.approx(change, rel=0.005)
