"""A study in words, for the report."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from twin.materials import Fluid, Material
from twin.quantities import engineering
from twin.select import describe
from twin.studies import (
    DEFAULT_CASE,
    Centrifugal,
    Convection,
    Displacement,
    ElasticFoundation,
    ExternalFlow,
    Fixed,
    Force,
    Gravity,
    HeatConduction,
    HeatFlow,
    HeatFlux,
    HeatSource,
    Inlet,
    InternalFlow,
    Load,
    PartStudy,
    Pressure,
    RemoteForce,
    StaticStress,
    Study,
    Support,
    Symmetry,
    Temperature,
    ThermalLoad,
    ThermalSupport,
    Traction,
)


def study_title(study: Study) -> str:
    """What it is a study of."""
    match study:
        case StaticStress():
            return "Static stress"
        case HeatConduction():
            return "Heat conduction"
        case ExternalFlow():
            return "External flow"
        case InternalFlow():
            return "Internal flow"


def study_rows(study: Study) -> list[tuple[str, str]]:
    """Rows of (what, how): the material, every support, every load; or the fluid and how it flows."""
    if isinstance(study, ExternalFlow):
        return _external_flow(study)
    if isinstance(study, InternalFlow):
        return _internal_flow(study)
    rows = [("Material", _material(study, study.material))]
    rows += [("Body", f"{_material(study, body.material)}: {describe(body.on)}") for body in study.bodies]
    rows += [("Support", _support(support)) for support in study.supports]
    for name, loads in study.cases.items():
        title = "Load" if name == DEFAULT_CASE and len(study.cases) == 1 else f"Load, case {name}"
        rows += [(title, _load(load)) for load in loads]
    return rows


def _fluid(fluid: Fluid) -> tuple[str, str]:
    words = [fluid.name or "custom", f"ρ {fluid.density:g} kg/m³", f"µ {_number(fluid.viscosity, 'Pa s')}"]
    return "Fluid", ", ".join(words)


def _internal_flow(study: InternalFlow) -> list[tuple[str, str]]:
    rows = [_fluid(study.fluid)]
    for name, opening in study.openings.items():
        if not isinstance(opening, Inlet):
            rows.append((f"Outlet {name}", f"{_number(opening.pressure, 'Pa')}: {describe(opening.on)}"))
            continue
        velocity, rate = opening.velocity, opening.flow_rate
        amount = f"{rate:.4g} m³/s" if velocity is None else _number(velocity, "m/s")
        rows.append((f"Inlet {name}", f"{amount}, {opening.profile}: {describe(opening.on)}"))
    return rows


def _external_flow(study: ExternalFlow) -> list[tuple[str, str]]:
    ground = study.ground
    rows = [
        _fluid(study.fluid),
        ("Velocity", f"{_vector(study.velocity, 'm/s')}, {study.speed:.4g} m/s"),
        ("Up", _vector(study.up, "")),
    ]
    if ground is not None:
        where = "at the lowest point" if ground.height is None else f"at {_number(ground.height, 'm')}"
        rows.append(("Ground", f"{where}, {'moving with the fluid' if ground.moving else 'at rest'}"))
    rows += [
        (
            "Rotating",
            f"{_number(each.rate, 'rad/s')} about {_vector(each.axis, '')} through {_vector(each.point, 'm')}: "
            f"{describe(each.on)}",
        )
        for each in study.rotating
    ]
    if study.reference_area is not None:
        rows.append(("Reference area", f"{study.reference_area:.4g} m²"))
    if study.reference_length is not None:
        rows.append(("Reference length", _number(study.reference_length, "m")))
    if any(study.reference_point):
        rows.append(("Moments about", _vector(study.reference_point, "m")))
    return rows


def _material(study: PartStudy, material: Material) -> str:
    words = [material.name or "custom"]
    match study:
        case StaticStress():
            words += [f"E {_number(material.youngs_modulus, 'Pa')}", f"ν {material.poissons_ratio:g}"]
            words += [f"ρ {material.density:g} kg/m³"]
            if material.yield_strength is not None:
                words.append(f"yield {_number(material.yield_strength, 'Pa')}")
        case HeatConduction():
            words.append(f"thermal conductivity {material.thermal_conductivity:g} W/(m K)")
    return ", ".join(words)


def _support(support: Support | ThermalSupport) -> str:
    on = describe(support.on)
    match support:
        case Fixed():
            return f"fixed: {on}"
        case Symmetry():
            return f"no motion along the normal: {on}"
        case Displacement():
            moves = [(axis, getattr(support, axis)) for axis in "xyz"]
            said = ", ".join(f"{axis} = {_number(value, 'm')}" for axis, value in moves if value is not None)
            return f"displacement {said}: {on}"
        case ElasticFoundation():
            where = "along the normal" if support.direction == "normal" else "in all directions"
            return f"elastic foundation of {support.stiffness:.4g} N/m³ {where}: {on}"
        case Temperature():
            return f"temperature {support.value:.5g} K: {on}"
        case Convection():
            return f"convection {support.coefficient:.4g} W/(m² K) to {support.ambient:.5g} K: {on}"


def _load(load: Load | ThermalLoad) -> str:
    match load:
        case Force():
            return f"force {_vector(load.vector, 'N')}: {describe(load.on)}"
        case Traction():
            return f"traction {_vector(load.vector, 'Pa')}: {describe(load.on)}"
        case Pressure():
            return f"pressure {_number(load.value, 'Pa')}: {describe(load.on)}"
        case Gravity():
            return f"gravity {_vector(load.vector, 'm/s²')}"
        case Centrifugal():
            axis = f"about {_vector(load.axis, '')} through {_vector(load.point, 'm')}"
            return f"rotation at {load.rate:.4g} rad/s {axis}"
        case RemoteForce():
            moment = f" and moment {_vector(load.moment, 'N m')}" if any(load.moment) else ""
            force = f"force {_vector(load.force, 'N')}{moment} at {_vector(load.at, 'm')}"
            return f"{force}, {load.coupling} coupling: {describe(load.on)}"
        case HeatFlux():
            return f"heat flux {_number(load.value, 'W/m²')}: {describe(load.on)}"
        case HeatFlow():
            return f"heat flow {_number(load.value, 'W')}: {describe(load.on)}"
        case HeatSource():
            return f"heat source {_number(load.value, 'W/m³')}"


def _number(value: float, unit: str) -> str:
    factor, shown = engineering(value, unit)
    return f"{value / factor:.4g} {shown}"


def _vector(values: Sequence[float], unit: str) -> str:
    factor, shown = engineering(float(np.abs(values).max()), unit)
    return f"({', '.join(f'{value / factor:.4g}' for value in values)}) {shown}".strip()
