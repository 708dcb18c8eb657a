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
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import netgen.occ as occ

Point = tuple[float, float, float]


@dataclass(frozen=True)
class Bracket:
    """Dimensions [mm]. The underside lies in the plane z = 0, its middle at the origin.

    length, width, thickness: of the plate along x, y, z; corner: radius of its corners; holes: their distance from the
    edges of the plate along x and y; pin_height, pin_radius: of the bore, along y; upright: its thickness along y;
    eye: half of its width and the radius of its round end; rib_distance: of the middle of each rib from x = 0;
    rib: thickness; rib_nose, rib_length, rib_top: height at the tip, reach behind the upright, height at the upright,
    above the plate; fillet: radius of inner corners
    """

    length: float = 100.0
    width: float = 60.0
    thickness: float = 10.0
    corner: float = 10.0
    holes: float = 12.0
    hole_radius: float = 4.5  # M8 clearance
    counterbore_radius: float = 7.5
    counterbore_depth: float = 4.0
    pin_height: float = 40.0
    pin_radius: float = 8.0
    upright: float = 12.0
    eye: float = 20.0
    rib_distance: float = 11.5
    rib: float = 7.0
    rib_nose: float = 6.0
    rib_length: float = 19.0
    rib_top: float = 17.0
    fillet: float = 3.0

    @property
    def hole_centers(self) -> list[Point]:
        """Where the bolts go, in the underside."""
        x, y = self.length / 2 - self.holes, self.width / 2 - self.holes
        return [(sign_x * x, sign_y * y, 0.0) for sign_y in (-1, 1) for sign_x in (-1, 1)]

    @property
    def pin_center(self) -> Point:
        """Middle of the bore."""
        return 0.0, 0.0, self.pin_height


STANDARD = Bracket()


def build(of: Bracket = STANDARD) -> Any:
    """The bracket as an OCC shape (netgen.occ), in mm."""
    plate, upright = _plate(of), _upright(of)
    ribs = [_rib(of, -of.rib_distance), _rib(of, of.rib_distance)]
    solid = plate + upright + ribs[0] + ribs[1]
    solid = solid.UnifySameDomain()
    solid = solid.MakeFillet(_inner_corners(of, solid), of.fillet)
    seat = of.thickness - of.counterbore_depth
    for x, y, z in of.hole_centers:
        up, depth = occ.Z, of.counterbore_depth + 1.0
        solid -= occ.Cylinder(occ.Pnt(x, y, z - 1.0), up, r=of.hole_radius, h=of.thickness + 2.0)
        solid -= occ.Cylinder(occ.Pnt(x, y, seat), up, r=of.counterbore_radius, h=depth)
    x, y, z = of.pin_center
    solid -= occ.Cylinder(occ.Pnt(x, y - of.upright, z), occ.Y, r=of.pin_radius, h=2.0 * of.upright)
    return solid


def main(path: Path = Path("bracket.step")) -> Path:
    """Write the bracket and say so."""
    shape = build()
    shape.WriteStep(str(path))
    print(
        f"wrote {path}: mounting bracket of {STANDARD.length:g} x {STANDARD.width:g} x "
        f"{STANDARD.pin_height + STANDARD.eye:g} mm, {shape.mass / 1e3:.1f} cm3, four M8 holes, pin bore of "
        f"{2 * STANDARD.pin_radius:g} mm"
    )
    return path


def _plate(of: Bracket) -> Any:
    length, width, height = of.length, of.width, of.thickness
    corner = occ.Pnt(-length / 2, -width / 2, 0.0)
    box = occ.Box(corner, occ.Pnt(length / 2, width / 2, height))
    corners = {_key(e.center): e for e in box.edges if math.isclose(e.center.z, height / 2, abs_tol=1e-6)}
    return box.MakeFillet(list(corners.values()), of.corner)


def _upright(of: Bracket) -> Any:
    x, y, z = of.pin_center
    half = of.upright / 2
    web = occ.Box(occ.Pnt(x - of.eye, y - half, of.thickness), occ.Pnt(x + of.eye, y + half, z))
    eye = occ.Cylinder(occ.Pnt(x, y - half, z), occ.Y, r=of.eye, h=of.upright)
    return web + eye


def _rib(of: Bracket, x: float) -> Any:
    back, floor = of.upright / 2, of.thickness
    tip = back + of.rib_length
    # the outline lies in the plane x = const: along y, then up
    plane = occ.WorkPlane(occ.Axes(occ.Pnt(x - of.rib / 2, 0.0, 0.0), n=occ.X, h=occ.Y))
    plane.MoveTo(back, floor).LineTo(tip, floor).LineTo(tip, floor + of.rib_nose)
    plane.LineTo(back, floor + of.rib_top).LineTo(back, floor)
    return plane.Face().Extrude(of.rib * occ.X)


def _inner_corners(of: Bracket, solid: Any) -> list[Any]:
    """Edges where the upright and the ribs meet the plate or each other."""
    back, floor = of.upright / 2, of.thickness
    tip = back + of.rib_length

    def inner(center: Any) -> bool:
        on_floor = abs(center.z - floor) < 1e-6 and abs(center.x) < of.eye + 1e-6
        on_floor = on_floor and -back - 1e-6 < center.y < tip + 1e-6
        at_upright = abs(center.y - back) < 1e-6 and floor < center.z <= floor + of.rib_top + 1e-6
        at_upright = at_upright and abs(center.x) <= of.rib_distance + of.rib / 2 + 1e-6
        return on_floor or at_upright

    # every edge belongs to two faces and is listed by each of them; OCC crashes when told to round it twice
    found = {_key(edge.center): edge for edge in solid.edges if inner(edge.center)}
    return list(found.values())


def _key(point: Any) -> Point:
    return round(point.x, 6) + 0.0, round(point.y, 6) + 0.0, round(point.z, 6) + 0.0


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("bracket.step"))
