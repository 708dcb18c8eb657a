"""Supports and loads as they are drawn."""

import numpy as np
from numpy.typing import NDArray

from twin.analyses.spread import spread
from twin.analyses.task import Regions
from twin.geometry.selection import Selection
from twin.geometry.surface import Surface
from twin.quantities import engineering
from twin.results.outcome import Glyph, GlyphKind
from twin.studies import (
    Centrifugal,
    Displacement,
    ElasticFoundation,
    Fixed,
    Force,
    Gravity,
    Load,
    Pressure,
    RemoteForce,
    Support,
    Traction,
)

Floats = NDArray[np.float64]


def glyphs(surface: Surface, regions: Regions) -> tuple[Glyph, ...]:
    """One glyph set per support and load."""
    held = [_support(support, selection) for support, selection in regions.supports]
    acting = [
        glyph for case, load, selection in regions.loads for glyph in _load(surface, case, load, selection)
    ]
    return tuple(held + acting)


def _support(support: Support, selection: Selection) -> Glyph:
    points, normals = spread(selection)
    match support:
        case Fixed():
            return Glyph("fixed", "Fixed", points, -normals)
        case Displacement():
            parts = {"x": support.x, "y": support.y, "z": support.z}
            label = ", ".join(
                f"{axis} = {value * 1e3:.4g} mm" for axis, value in parts.items() if value is not None
            )
            along = np.array([float(value is not None) for value in parts.values()])
            return Glyph("displacement", f"Displacement {label}", points, np.tile(along, (len(points), 1)))
        case ElasticFoundation():
            return Glyph("foundation", f"Foundation {support.stiffness:.3g} N/m³", points, -normals)
        case _:
            return Glyph("symmetry", "Symmetry", points, normals)


def _shown(value: Floats, unit: str) -> str:
    size = float(np.linalg.norm(value))
    factor, shown = engineering(size, unit)
    return f"{size / factor:.4g} {shown}"


def _load(surface: Surface, case: str, load: Load, selection: Selection | None) -> list[Glyph]:
    def body(kind: GlyphKind, label: str, direction: Floats) -> list[Glyph]:
        centre = np.mean(surface.bounds, axis=0)
        return [Glyph(kind, label, centre[None], np.asarray(direction, float)[None], case)]

    if isinstance(load, Gravity):
        return body("gravity", f"Gravity {_shown(np.array(load.vector), 'm/s²')}", np.array(load.vector))
    if isinstance(load, Centrifugal):
        rpm = load.rate * 30 / np.pi
        return body("centrifugal", f"Rotation {rpm:.4g} rpm", np.array(load.axis))
    assert selection is not None
    points, normals = spread(selection)

    def everywhere(vector: tuple[float, float, float]) -> Floats:
        return np.tile(np.array(vector), (len(points), 1))

    match load:
        case Force():
            label = f"Force {_shown(np.array(load.vector), 'N')}"
            return [Glyph("force", label, points, everywhere(load.vector), case)]
        case Traction():
            label = f"Traction {_shown(np.array(load.vector), 'Pa')}"
            return [Glyph("traction", label, points, everywhere(load.vector), case)]
        case Pressure():
            label = f"Pressure {_shown(np.array(load.value), 'Pa')}"
            return [Glyph("pressure", label, points, -normals * np.sign(load.value or 1), case)]
        case RemoteForce():
            return _remote(load, points, case)
    raise AssertionError(f"no glyph for {type(load).__name__}")


def _remote(load: RemoteForce, held: Floats, case: str) -> list[Glyph]:
    points, found = np.concatenate([[load.at], held]), []
    if any(load.force):
        label = f"Force {_shown(np.array(load.force), 'N')}"
        found.append(Glyph("remote", label, points, np.array(load.force), case))
    if any(load.moment):
        label = f"Moment {_shown(np.array(load.moment), 'N m')}"
        found.append(Glyph("moment", label, points, np.array(load.moment), case))
    return found
