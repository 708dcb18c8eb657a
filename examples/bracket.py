"""Write bracket.step: a machined mounting bracket of 100 x 60 x 60 mm, ready for `twin solve` and `twin
demo`.

    python examples/bracket.py [path]

A base plate with four counterbored bolt holes and rounded corners, an upright with a rounded end and a bore
for a pin, two ribs behind it. Every inner corner that carries stress is filleted: the peak stress is a
number that means something. Lengths here and in the file are in mm.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any

import netgen.occ as occ

Point = tuple[float, float, float]

PLATE = (
    100.0,
    60.0,
    10.0,
)  # extent along x, y, z; the underside lies in the plane z = 0, its middle at the origin
PLATE_CORNER_RADIUS = 10.0
HOLES: tuple[Point, ...] = ((-38.0, -18.0, 0.0), (38.0, -18.0, 0.0), (-38.0, 18.0, 0.0), (38.0, 18.0, 0.0))
HOLE_AXIS: Point = (0.0, 0.0, 1.0)
HOLE_RADIUS = 4.5  # M8 clearance
COUNTERBORE_RADIUS, COUNTERBORE_DEPTH = 7.5, 4.0
PIN_CENTER: Point = (0.0, 0.0, 40.0)
PIN_AXIS: Point = (0.0, 1.0, 0.0)
PIN_RADIUS = 8.0
UPRIGHT_THICKNESS, UPRIGHT_RADIUS = 12.0, 20.0  # along y; half of its width and the radius of its round end
RIB_X, RIB_THICKNESS = 11.5, 7.0
RIB_NOSE, RIB_LENGTH, RIB_TOP = (
    6.0,
    19.0,
    17.0,
)  # height at its tip, reach behind the upright, height at the upright
FILLET_RADIUS = 3.0


def build() -> Any:
    """The bracket as an OCC shape (netgen.occ), in mm."""
    plate, upright = _plate(), _upright()
    ribs = [_rib(-RIB_X), _rib(RIB_X)]
    solid = plate + upright + ribs[0] + ribs[1]
    solid = solid.UnifySameDomain()
    solid = solid.MakeFillet(_inner_corners(solid), FILLET_RADIUS)
    for x, y, z in HOLES:
        up = occ.Z
        solid -= occ.Cylinder(occ.Pnt(x, y, z - 1.0), up, r=HOLE_RADIUS, h=PLATE[2] + 2.0)
        seat = z + PLATE[2] - COUNTERBORE_DEPTH
        solid -= occ.Cylinder(occ.Pnt(x, y, seat), up, r=COUNTERBORE_RADIUS, h=COUNTERBORE_DEPTH + 1.0)
    x, y, z = PIN_CENTER
    solid -= occ.Cylinder(
        occ.Pnt(x, y - UPRIGHT_THICKNESS, z), occ.Y, r=PIN_RADIUS, h=2.0 * UPRIGHT_THICKNESS
    )
    return solid


def main(path: Path = Path("bracket.step")) -> Path:
    """Write the bracket and say so."""
    shape = build()
    shape.WriteStep(str(path))
    print(
        f"wrote {path}: mounting bracket of {PLATE[0]:g} x {PLATE[1]:g} x {PIN_CENTER[2] + UPRIGHT_RADIUS:g} "
        f"mm, {shape.mass / 1e3:.1f} cm3, four M8 holes, pin bore of {2 * PIN_RADIUS:g} mm"
    )
    return path


def _plate() -> Any:
    length, width, height = PLATE
    corner = occ.Pnt(-length / 2, -width / 2, 0.0)
    box = occ.Box(corner, occ.Pnt(length / 2, width / 2, height))
    corners = {_key(e.center): e for e in box.edges if math.isclose(e.center.z, height / 2, abs_tol=1e-6)}
    return box.MakeFillet(list(corners.values()), PLATE_CORNER_RADIUS)


def _upright() -> Any:
    x, y, z = PIN_CENTER
    half = UPRIGHT_THICKNESS / 2
    web = occ.Box(occ.Pnt(x - UPRIGHT_RADIUS, y - half, PLATE[2]), occ.Pnt(x + UPRIGHT_RADIUS, y + half, z))
    eye = occ.Cylinder(occ.Pnt(x, y - half, z), occ.Y, r=UPRIGHT_RADIUS, h=UPRIGHT_THICKNESS)
    return web + eye


def _rib(x: float) -> Any:
    back, floor = UPRIGHT_THICKNESS / 2, PLATE[2]
    tip = back + RIB_LENGTH
    # the outline lies in the plane x = const: along y, then up
    plane = occ.WorkPlane(occ.Axes(occ.Pnt(x - RIB_THICKNESS / 2, 0.0, 0.0), n=occ.X, h=occ.Y))
    plane.MoveTo(back, floor).LineTo(tip, floor).LineTo(tip, floor + RIB_NOSE)
    plane.LineTo(back, floor + RIB_TOP).LineTo(back, floor)
    return plane.Face().Extrude(RIB_THICKNESS * occ.X)


def _inner_corners(solid: Any) -> list[Any]:
    """Edges where the upright and the ribs meet the plate or each other."""
    back, floor = UPRIGHT_THICKNESS / 2, PLATE[2]
    tip = back + RIB_LENGTH

    def inner(center: Any) -> bool:
        on_floor = abs(center.z - floor) < 1e-6 and abs(center.x) < UPRIGHT_RADIUS + 1e-6
        on_floor = on_floor and -back - 1e-6 < center.y < tip + 1e-6
        at_upright = abs(center.y - back) < 1e-6 and floor < center.z <= floor + RIB_TOP + 1e-6
        at_upright = at_upright and abs(center.x) <= RIB_X + RIB_THICKNESS / 2 + 1e-6
        return on_floor or at_upright

    # every edge belongs to two faces and is listed by each of them; OCC crashes when told to round it twice
    found = {_key(edge.center): edge for edge in solid.edges if inner(edge.center)}
    return list(found.values())


def _key(point: Any) -> Point:
    return round(point.x, 6) + 0.0, round(point.y, 6) + 0.0, round(point.z, 6) + 0.0


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("bracket.step"))
