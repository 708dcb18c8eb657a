"""Supports and loads as they are drawn."""

import numpy as np

from twin.analyses.spread import spread
from twin.analyses.task import Regions
from twin.quantities import engineering
from twin.results.outcome import Glyph
from twin.studies import Convection, HeatFlow, HeatFlux, Temperature


def glyphs(regions: Regions) -> tuple[Glyph, ...]:
    """One glyph set per support and load on a face."""
    found = []
    for support, selection in regions.supports:
        points, normals = spread(selection)
        match support:
            case Temperature(value):
                found.append(Glyph("temperature", f"Temperature {value:.5g} K", points, -normals))
            case Convection(coefficient, ambient):
                label = f"Convection {coefficient:.4g} W/(m² K) to {ambient:.5g} K"
                found.append(Glyph("convection", label, points, normals))
    for case, load, region in regions.loads:
        if region is None:
            continue  # a source has neither place nor direction
        points, normals = spread(region)
        match load:
            case HeatFlux(value):
                label = f"Heat flux {_shown(value, 'W/m²')}"
                found.append(Glyph("heat_flux", label, points, -normals * np.sign(value or 1), case))
            case HeatFlow(value):
                label = f"Heat flow {_shown(value, 'W')}"
                found.append(Glyph("heat_flow", label, points, -normals * np.sign(value or 1), case))
    return tuple(found)


def _shown(value: float, unit: str) -> str:
    factor, shown = engineering(value, unit)
    return f"{value / factor:.4g} {shown}"
