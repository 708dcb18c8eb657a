"""Parts of the reference cases as exact CAD shapes, and quadratic meshes straight from them. Lengths in metres."""

import math
from pathlib import Path
from typing import Any

import netgen.meshing
import numpy as np
import pyngcore
from netgen import occ
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]

MM_PER_M = 1e3  # a STEP file is written in mm
_TO_VTK = [0, 2, 1, 3, 5, 7, 4, 6, 9, 8]  # NETGEN turns its elements the other way


def write_step(shape: Any, path: Path) -> Path:
    """The shape, given in metres, as a STEP file in mm."""
    shape.Scale(occ.Pnt(0, 0, 0), MM_PER_M).WriteStep(str(path))
    return path


def mesh(shape: Any, size: float) -> tuple[Floats, Ints]:
    """Quadratic tetrahedra whose midsides lie on the exact faces."""
    netgen.meshing.SetMessageImportance(0)
    with pyngcore.TaskManager():
        made = occ.OCCGeometry(shape).GenerateMesh(maxh=size, grading=0.3)
        made.SecondOrder()
    tets = made.Elements3D().NumPy()["nodes"].astype(np.int32)[:, :10] - 1
    used, tets = np.unique(tets[:, _TO_VTK], return_inverse=True)
    return np.asarray(made.Coordinates())[used], tets.reshape(-1, 10).astype(np.int32)


def elliptic_plate(thickness: float, layers: int = 1) -> Any:
    """First quadrant between the ellipses of semi-axes (2, 1) and (3.25, 2.75), z from 0 to thickness."""

    def ellipse(a: float, b: float) -> Any:
        return occ.WorkPlane().Ellipse(a, b).Face()

    quadrant = occ.WorkPlane().Rectangle(5, 5).Face()
    plan = (ellipse(3.25, 2.75) - ellipse(2, 1)) * quadrant
    step = thickness / layers
    slabs = [plan.Extrude(step * occ.Z).Move((0, 0, k * step)) for k in range(layers)]
    return slabs[0] if layers == 1 else occ.Glue(slabs)


def quarter_cylinder(inner: float, outer: float, length: float) -> Any:
    """A quarter of a thick cylinder, axis z, x >= 0 and y >= 0."""
    ring = occ.Cylinder(occ.Pnt(0, 0, 0), occ.Z, r=outer, h=length) - occ.Cylinder(
        occ.Pnt(0, 0, -1), occ.Z, r=inner, h=length + 2
    )
    return ring * occ.Box(occ.Pnt(0, 0, -1), occ.Pnt(2 * outer, 2 * outer, length + 1))


def octant_sphere(inner: float, outer: float) -> Any:
    """An eighth of a thick sphere, all coordinates positive."""
    origin = occ.Pnt(0, 0, 0)
    return (occ.Sphere(origin, outer) - occ.Sphere(origin, inner)) * occ.Box(
        origin, occ.Pnt(*[2 * outer] * 3)
    )


def beam(length: float, width: float, height: float) -> Any:
    """A box from x = 0, centred about the x axis."""
    return occ.Box(occ.Pnt(0, -width / 2, -height / 2), occ.Pnt(length, width / 2, height / 2))


def rotation(axis: Floats, angle: float) -> Floats:
    """Rotation matrix (Rodrigues)."""
    x, y, z = axis / np.linalg.norm(axis)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.asarray(np.eye(3) + math.sin(angle) * cross + (1 - math.cos(angle)) * cross @ cross)


def ahmed_body(slant: float) -> Any:
    """Ahmed, Ramm & Faltin 1984, without its stilts: 0.05 over the ground z = 0, the slant [degrees] 0.222 long."""
    length, width, height, over = 1.044, 0.389, 0.288, 0.05
    block = occ.Box(occ.Pnt(0, -width / 2, over), occ.Pnt(length, width / 2, over + height))
    block = block.MakeFillet(block.faces.Min(occ.X).edges, 0.1)
    run, drop = 0.222 * math.cos(math.radians(slant)), 0.222 * math.sin(math.radians(slant))
    aside = occ.WorkPlane(occ.Axes((length, -width, over + height), occ.Y, occ.X))
    wedge = aside.MoveTo(0, 0).LineTo(0, drop).LineTo(-run, 0).Close().Face().Extrude(2 * width)
    return block - wedge
