"""Iterations to a relative residual of 1e-6 on what multigrid finds hard: walls, shells, rods, small detail, nearly
incompressible material, bodies a few thousand times as stiff as what is around them."""

import numpy as np
import pytest
from netgen import occ

from solvers.elasticity.law import lame
from solvers.precision import float64
from solvers.tet10 import steady
from tests.verification import shapes


def tray(wall: float):
    """An open box of 100 x 60 x 40 mm."""
    outer = occ.Box(occ.Pnt(0, 0, 0), occ.Pnt(0.1, 0.06, 0.04))
    return outer - occ.Box(occ.Pnt(wall, wall, wall), occ.Pnt(0.1 - wall, 0.06 - wall, 1))


def tube(wall: float):
    """A cylinder of 100 mm in length and diameter."""
    outer = occ.Cylinder(occ.Pnt(0, 0, 0), occ.X, r=0.05, h=0.1)
    return outer - occ.Cylinder(occ.Pnt(-1, 0, 0), occ.X, r=0.05 - wall, h=3)


def rod():
    """100 times as long as it is thick: single precision hardly tells its bending from nothing."""
    return occ.Cylinder(occ.Pnt(0, 0, 0), occ.X, r=0.001, h=0.2)


def pin_on_a_cube():
    """A pin of 1 mm on a cube of 100 mm."""
    pin = occ.Box(occ.Pnt(0.0495, 0.0495, 0.1), occ.Pnt(0.0505, 0.0505, 0.103))
    return occ.Box(occ.Pnt(0, 0, 0), occ.Pnt(0.1, 0.1, 0.1)) + pin


def block(start=(0, 0, 0), end=(0.06, 0.04, 0.04)):
    return occ.Box(occ.Pnt(*start), occ.Pnt(*end))


def row():
    """Two blocks in a row, and which points lie in the first."""
    both = block((0, 0, 0), (0.03, 0.04, 0.04)), block((0.03, 0, 0), (0.06, 0.04, 0.04))
    return occ.Glue(list(both)), lambda points: points[:, 0] < 0.03


def ball():
    """A ball in a block."""
    middle, radius = (0.03, 0.02, 0.02), 0.012
    sphere = occ.Sphere(occ.Pnt(*middle), radius)
    return occ.Glue(
        [block() - sphere, sphere]
    ), lambda points: np.linalg.norm(points - middle, axis=1) < 0.99 * radius


def layers():
    """Four layers, every other one of which is stiff."""
    parts = [block((0, 0, 0.01 * k), (0.06, 0.04, 0.01 * (k + 1))) for k in range(4)]
    return occ.Glue(parts), lambda points: (points[:, 2] // 0.01).astype(int) % 2 == 0


def iterations(shape, size: float, poisson: float = 0.33, stiff=None, contrast: float = 1.0) -> int:
    """Clamped at its lowest x, pulled, pushed and bent at its highest.

    stiff: tells of points (m, 3) whether they lie in bodies so many times as stiff as the rest
    """
    points, tets = shapes.mesh(shape, size)
    modulus = 70e9
    if stiff is not None:
        modulus = 70e9 * np.where(stiff(points[tets[:, :4]].mean(axis=1)), contrast, 1.0)
    x = points[:, 0]
    held = (x < x.min() + 1e-9)[:, None, None] * np.eye(3)
    end = x > x.max() - 1e-9
    load = end[:, None] / end.sum() * np.array([3.0, 10.0, -20.0])
    problem = steady.prepare(points, tets, float64(lame)(modulus, poisson), held, np.zeros_like(points))
    return steady.solve(problem, load, tolerance=1e-6).iterations


@pytest.mark.parametrize(
    ("shape", "size", "most"),
    [
        pytest.param(tray(0.002), 0.004, 40, id="walls of 2 mm on 100 mm"),
        pytest.param(tray(0.002), 0.002, 30, id="walls of 2 mm, finer", marks=pytest.mark.slow),
        pytest.param(tube(0.001), 0.003, 45, id="tube of 1 mm", marks=pytest.mark.slow),
        pytest.param(tube(0.001), 0.002, 35, id="tube of 1 mm, finer", marks=pytest.mark.slow),
        pytest.param(rod(), 0.0012, 75, id="rod of 100 diameters", marks=pytest.mark.slow),
        pytest.param(pin_on_a_cube(), 0.008, 48, id="detail of a hundredth", marks=pytest.mark.slow),
    ],
)
def test_shapes(shape, size, most):
    assert iterations(shape, size) <= most


@pytest.mark.parametrize(("poisson", "most"), [(0.45, 20), (0.49, 50)])
def test_nearly_incompressible(poisson, most):
    assert iterations(block(), 0.005, poisson) <= most


@pytest.mark.parametrize("contrast", [1e4, 1e-4])
@pytest.mark.parametrize(("make", "most"), [(row, 30), (ball, 45), (layers, 48)])
def test_contrast_between_bodies(make, most, contrast):
    shape, stiff = make()
    assert iterations(shape, 0.004, 0.3, stiff, contrast) <= most
