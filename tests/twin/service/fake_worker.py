"""A worker whose analysis does what the name of the load case says, in no time and without jax.

Started by the executor under test in place of `python -m twin.workers`.
"""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from twin.analyses.monitor import Monitor
from twin.errors import SolveFailed, UnconstrainedError
from twin.geometry.surface import Report, Surface
from twin.quantities import Field, Quantity
from twin.results.gradient import Differentiation, Gradient, Sensitivity
from twin.results.outcome import CaseOutcome, Cost, Equilibrium, Glyph, Outcome
from twin.studies import ExternalFlow, Request, StaticStress
from twin.workers.lifeline import Lifeline
from twin.workers.process import arguments, work

ROWS = 200_000


def answer(
    surface: Surface,
    report: Report,
    study: StaticStress,
    request: Request,
    *,
    source: Path | None,
    monitor: Monitor,
    workdir: Path,
) -> Outcome:
    (behaviour,) = study.cases
    if behaviour == "beam":
        return beam(study, surface)
    assert source is not None
    assert source.stat().st_size > 0
    assert report.watertight
    if behaviour == "stuck":
        time.sleep(600)
    if behaviour == "raise":
        raise ValueError("a bug")
    if behaviour == "refuse":
        raise UnconstrainedError("the part can turn about z", {"motion": "rotation z"})
    if behaviour == "sweep":
        return swept(study, request, surface)
    if behaviour == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    duration = {"slow": 3.0, "forever": 600.0}.get(behaviour, 0.0)
    begun = time.monotonic()
    while (elapsed := time.monotonic() - begun) < duration:
        monitor.progress("solve", elapsed / duration, "iterating", residual=0.5)
        time.sleep(0.01)
    monitor.progress("solve", 1.0)
    return outcome(behaviour, surface)


def flow(
    surface: Surface,
    report: Report,
    study: ExternalFlow,
    request: Request,
    *,
    source: Path | None,
    monitor: Monitor,
    workdir: Path,
) -> Outcome:
    """Comes to an end only where an earlier attempt has left something."""
    known = workdir / "known"
    while not known.exists():
        (workdir / "partial").touch()
        monitor.progress("solve", 0.5, "half way")
        time.sleep(0.01)
    return outcome("default", surface)


def together(
    surface: Surface, report: Report, studies: Sequence[StaticStress], request: Request, **beside: Any
) -> list[Outcome]:
    """One after the other: where one is refused, all are."""
    return [answer(surface, report, study, request, **beside) for study in studies]


def swept(study: StaticStress, request: Request, surface: Surface) -> Outcome:
    """A design: its force along z, squared; a tenth less on a grid.

    Above 90 N it is refused, above 80 N there is no answer, and above 70 N not while the file "broken" lies in the
    folder.
    """
    (load,) = study.cases["sweep"]
    force = load.vector[2]
    if force > 90:
        raise UnconstrainedError("the part can turn about z", {"motion": "rotation z"})
    if force > 80 or (force > 70 and Path("broken").exists()):
        raise SolveFailed("no convergence")
    time.sleep(0.01)
    plain = outcome("sweep", surface)
    value = force**2 * (0.9 if request.discretisation == "grid" else 1.0)
    case = replace(
        plain.cases["sweep"], quantities={"max_displacement": Quantity(value, "m", 0.1)}, fields={}
    )
    return replace(plain, cases={"sweep": case}, points=np.zeros((1, 3)))


def beam(study: StaticStress, surface: Surface) -> Outcome:
    """By Euler and Bernoulli: clamped at the bottom, pushed along x at the top."""
    (load,) = study.cases["beam"]
    push, modulus = load.vector[0], study.material.youngs_modulus
    low, high = surface.vertices.min(axis=0), surface.vertices.max(axis=0)
    wide, deep, tall = high - low
    inertia = deep * wide**3 / 12
    lattice = np.stack(np.meshgrid(*([np.arange(5)] * 3), indexing="ij"), axis=-1).reshape(-1, 3)
    points = low + lattice / 4 * max(wide, deep, tall)  # cells are cubes
    first = np.flatnonzero((lattice < 4).all(axis=1))
    hexahedra = first[:, None] + np.array([0, 25, 30, 5, 1, 26, 31, 6])
    across, up = points[:, 0] - (low[0] + high[0]) / 2, points[:, 2] - low[2]
    displacement, stress = np.zeros((len(points), 3)), np.zeros((len(points), 6))
    displacement[:, 0] = push * up**2 * (3 * tall - up) / (6 * modulus * inertia)
    displacement[:, 2] = -across * push * (2 * tall * up - up**2) / (2 * modulus * inertia)
    stress[:, 2] = -push * (tall - up) * across / inertia
    sag, peak = push * tall**3 / (3 * modulus * inertia), abs(push) * tall * wide / 2 / inertia
    force = (push, 0.0, 0.0)
    case = CaseOutcome(
        {
            "max_displacement": Quantity(abs(sag), "m", 0.01 * abs(sag)),
            "max_von_mises": Quantity(peak, "Pa", 0.01 * peak),
            "compliance": Quantity(push * sag, "J", 0.01 * push * sag),
        },
        {
            "displacement": Field("displacement", displacement, "m", "node"),
            "stress": Field("stress", stress, "Pa", "node"),
        },
        {},
        Equilibrium(force, (-push, 0.0, 0.0), (0.0, 0.0, 0.0), (0.0, 0.0, 0.0), 0.0),
    )
    plain = outcome("grid", surface)
    return replace(plain, cases={"beam": case}, points=points, hexahedra=hexahedra.astype(np.int32))


def consult(*asked: Any, **beside: Any) -> Outcome:
    """The real one, which imports jax."""
    from twin.learning.answers import answer as consulted

    return consulted(*asked, **beside)


def outcome(case: str, surface: Surface) -> Outcome:
    zero = (0.0, 0.0, 0.0)
    displacement = np.arange(3.0 * ROWS).reshape(ROWS, 3)
    return Outcome(
        cases={
            case: CaseOutcome(
                quantities={"max_displacement": Quantity(1.0, "m", float("inf"))},
                fields={"displacement": Field("displacement", displacement, "m", "node")},
                surface_fields={},
                balance=Equilibrium(zero, zero, zero, zero, 0.0),
            )
        },
        points=np.zeros((ROWS, 3)),
        tets=np.zeros((int(case != "grid"), 10), np.int32),
        hexahedra=np.zeros((int(case == "grid"), 8), np.int32),
        surface_vertices=surface.vertices,
        surface_triangles=surface.triangles,
        glyphs=(Glyph("fixed", "Fixed", np.zeros((2, 3))),),
        assumptions=("none",),
        warnings=(),
        convergence=(),
        mesh_quality={},
        mesher="none",
        provenance={},
        cost=Cost({"solve": 0.0}, None, "none"),
    )


def slope(
    surface: Surface,
    report: Report,
    study: Differentiation,
    request: Request,
    *,
    source: Path | None,
    monitor: Monitor,
    workdir: Path,
) -> Gradient:
    """Of a design the one that it has, of the square of its force; else ones, of the quantity that the answer has."""
    asked = study.question
    value = float(study.outcome.cases[asked.case].quantities[asked.quantity].value)
    found = {"vertices": Sensitivity(np.ones_like(surface.vertices), "m/m")}
    if asked.case == "sweep":
        (load,) = study.study.cases["sweep"]
        found = {"loads[0].vector": Sensitivity(np.array([0.0, 0.0, 2 * load.vector[2]]), "m/N")}
    return Gradient(
        asked.run, asked.case, asked.quantity, asked.wrt, value, "m", 0.0,
        found, (), (), {}, study.outcome.cost,
    )  # fmt: skip


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    analyses = {"static_stress": answer, "external_flow": flow, "gradient": slope, "consultation": consult}
    work(arguments(), Lifeline(), analyses, {"static_stress": together})
