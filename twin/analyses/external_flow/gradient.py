"""How a force changes with the speed, the fluid and the shape, where the flow has become steady."""

import time
from typing import Final

import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from solvers.lattice_boltzmann.gradient import SteadyGradient, steady_gradient
from solvers.lattice_boltzmann.velocities import D3Q19
from twin.analyses.external_flow.quantities import AXES
from twin.analyses.external_flow.schedule import plan
from twin.analyses.external_flow.setting import setting
from twin.analyses.external_flow.tunnel import Tunnel, tunnel
from twin.analyses.flow.simulation import Simulation, beginning, simulate
from twin.analyses.monitor import Monitor
from twin.analyses.shape import by_moves
from twin.analyses.summary import cost, provenance
from twin.analyses.task import Stopwatch
from twin.errors import DeadlineExceeded, SolveFailed, StudyError
from twin.geometry.surface import Surface
from twin.results.gradient import Differentiation, Gradient, Sensitivity
from twin.studies import ExternalFlow, Request

Floats = NDArray[np.float64]

STEADY: Final = 0.01  # of the force, by which a steady one may still change
_SETTLED: Final = 0.002  # of the force, until which the flow is followed
_TOLERANCE: Final = 0.002  # of the derivative by the speed, in a passage of the part's size
_MOST: Final = 60  # such passages
_GRAZING: Final = 1e-3  # sine of the least angle between a way and a triangle
_CELLS_STAY: Final = (
    "Which cells are solid stays as it is while walls move between them: on 10 cells the drag of a sphere grew by a "
    "quarter less with its size so than it does."
)
_SHARES: Final = (
    0.05,
    0.45,
    0.95,
)  # of the progress: where the flow begins, its adjoint, and what comes after


def differentiate(
    surface: Surface, study: Differentiation, request: Request, *, monitor: Monitor
) -> Gradient:
    """The gradient of a force of an answer; arguments as of `twin.analyses.gradient.differentiate`.

    Raises:
        StudyError: the flow is turbulent; SolveFailed: it does not become steady; DeadlineExceeded
    """
    question, flow = study.question, study.study
    assert isinstance(flow, ExternalFlow)
    watch, begun = Stopwatch(), time.perf_counter()

    def is_time_left() -> bool:
        return request.max_seconds is None or time.perf_counter() - begun < request.max_seconds

    monitor.progress("set-up", 0.0, "the cells of the answer again")
    with watch.phase("set-up"):
        placed = setting(surface, flow)
        if placed.turbulent:
            raise StudyError(
                f"The Reynolds number of the part's size is {placed.reynolds_number:.3g}: the flow is turbulent, and "
                "its mean has no gradient that could be followed back through its steps, which grow apart. Fit one to "
                "the answers of a sweep."
            )
        ready = tunnel(placed, placed.size / study.outcome.mesh_quality["cell_size"])
    with watch.phase("solve"):

        def followed(share: float, series: Floats) -> bool:
            low, high, _ = _SHARES
            monitor.progress("solve", low + share * (high - low), "the flow, until it is steady")
            return is_time_left()

        course = beginning(ready)  # an attempt starts afresh
        found = simulate(ready, plan(ready, _SETTLED), followed, course, lambda _: None)
        if not is_time_left():
            _give_up(request)
        _refuse_unsteady(found)
    axis = AXES[question.quantity.removesuffix("_force")]

    def told(count: int, change: float) -> bool:
        _, low, high = _SHARES
        said = f"back by {count} passages of the part, the derivative changes by {change:.1e}"
        monitor.progress("adjoint", low + count / _MOST * (high - low), said)
        return is_time_left()

    monitor.progress("adjoint", _SHARES[1], "compiling")
    with watch.phase("adjoint"):
        slope = steady_gradient(
            ready.schemes,
            ready.conditions,
            ready.couplings,
            course.states,
            jnp.eye(3, dtype=jnp.float32)[axis],
            stretch=max(round(placed.turnover / ready.scales.time / 2 ** (len(ready.boxes) - 1)), 1),
            most=_MOST,
            tolerance=_TOLERANCE,
            tell=told,
        )
        if not is_time_left():
            _give_up(request)
    with watch.phase("differentiate"):
        parameters = _parameters(ready, slope, surface, study)
    lasted = f"The adjoint went back by {slope.steps} steps of the outermost box. Its last change: {slope.change:.1e}."
    return Gradient(
        of=question.run,
        case=question.case,
        quantity=question.quantity,
        wrt=question.wrt,
        value=ready.scales.force * slope.value,
        unit="N",
        gap=float(study.outcome.cases[question.case].quantities[question.quantity].value)
        - ready.scales.force * slope.value,
        parameters=parameters,
        assumptions=(
            "The gradient is that of the steady flow on the cells of the answer; it knows nothing of their error.",
            lasted,
            "The direction of the flow, and of the force, stays as it is.",
            *((_CELLS_STAY,) if question.wrt == "shape" else ()),
        ),
        warnings=() if slope.change <= _TOLERANCE else (f"The gradient has not settled. {lasted}",),
        provenance=provenance("adjoint of lattice Boltzmann on the cells of the answer")
        | {"answer": question.run},
        cost=cost(watch),
    )


def _give_up(request: Request) -> None:
    raise DeadlineExceeded(
        f"max_seconds = {request.max_seconds:g} s is too short for this gradient. Allow more time.",
        {"max_seconds": request.max_seconds},
    )


def _refuse_unsteady(found: Simulation[Tunnel]) -> None:
    last = found.series[found.start :, :3][-len(found.series) // 4 :]
    changes = float(np.ptp(last, axis=0).max()) / float(np.linalg.norm(last.mean(axis=0)))
    if changes > STEADY:
        raise SolveFailed(
            f"The flow does not become steady: at the end its force still changes by {changes:.1%}. There are "
            "gradients of steady flows only. Fit one to the answers of a sweep."
        )


def _parameters(
    ready: Tunnel, slope: SteadyGradient, surface: Surface, study: Differentiation
) -> dict[str, Sensitivity]:
    flow, scales = ready.setting.study, ready.scales
    match study.question.wrt:
        case "loads":
            return {"speed": Sensitivity(np.array(_by_speed(ready, slope)), "N/(m/s)")}
        case "material":
            by_viscosity = sum(
                float(by.viscosity * of.viscosity) for by, of in zip(slope.by, ready.conditions, strict=True)
            )
            by_viscosity *= scales.force / flow.fluid.viscosity
            by_density = (
                scales.force * slope.value - flow.fluid.viscosity * by_viscosity
            ) / flow.fluid.density
            return {
                "density": Sensitivity(np.array(by_density), "N/(kg/m^3)"),
                "viscosity": Sensitivity(np.array(by_viscosity), "N/(Pa s)"),
            }
        case "shape":
            vertices = by_vertices(ready, slope)
            moves = by_moves(surface, study.boxes, vertices)
            return {
                "vertices": Sensitivity(vertices, "N/m"),
                **{f"shape[{box}].moves": Sensitivity(values, "N/m") for box, values in enumerate(moves)},
            }


def _by_speed(ready: Tunnel, slope: SteadyGradient) -> float:
    """[N/(m/s)]; a ground that moves, moves with the fluid."""
    found = float(slope.by[0].inflow[0].sum())
    if ready.setting.on_road:
        for by, of in zip(slope.by, ready.conditions, strict=True):
            other = ~of.walls.body.any(axis=0)
            found += float((by.walls.moving[0] * of.walls.moving[0] * other).sum()) / ready.speed
    return found * ready.scales.force / ready.scales.speed


def by_vertices(ready: Tunnel, slope: SteadyGradient) -> Floats:
    """Derivatives with respect to the part's vertices (v, 3) [N/m], by the lengths of ways that end on their triangles.

    Of what lies between cells where the wall is taken as halfway nothing is known.
    """
    surface, crossings, grid = ready.setting.surface, ready.crossings, ready.boxes[-1].grid
    walls = ready.walls
    number = walls.numbers[grid.number(crossings.point)]
    way = np.array(D3Q19.opposite)[crossings.direction]  # of what comes off the wall
    stored = np.asarray(walls.distances)[way, number]
    is_own = (number >= 0) & np.isclose(stored, crossings.distance, atol=1e-5)
    number, way = number[is_own], way[is_own]
    triangle, distance = crossings.triangle[is_own], crossings.distance[is_own]
    by_distance = np.asarray(slope.by[-1].walls.distances, np.float64)[way, number]
    towards = -np.array(D3Q19.directions, float)[way]
    cells = np.array(ready.boxes[-1].origin) / ready.scales.length + crossings.point[is_own]
    ends = cells + distance[:, None] * towards
    corners = surface.corners[triangle] / ready.scales.length
    normal = surface.normals[triangle]
    along = np.einsum("ka,ka->k", normal, towards)
    least = _GRAZING * np.linalg.norm(towards, axis=1)
    along = np.where(np.abs(along) < least, np.copysign(least, along), along)
    shares = _shares(corners, ends)
    pushed = (by_distance / along)[:, None, None] * shares[:, :, None] * normal[:, None, :]
    found = np.zeros_like(surface.vertices)
    np.add.at(found, surface.triangles[triangle], pushed)
    return (ready.scales.force / ready.scales.length) * found @ ready.setting.axes


def _shares(corners: Floats, points: Floats) -> Floats:
    """Barycentric coordinates (k, 3) of points (k, 3) in triangles (k, 3, 3)."""
    a, b, c = corners.transpose(1, 0, 2)
    u, v, w = b - a, c - a, points - a
    uu, uv, vv, wu, wv = (np.einsum("ka,ka->k", *pair) for pair in ((u, u), (u, v), (v, v), (w, u), (w, v)))
    area = np.maximum(uu * vv - uv**2, np.finfo(np.float64).tiny)
    second, third = (vv * wu - uv * wv) / area, (uu * wv - uv * wu) / area
    return np.stack([1 - second - third, second, third], axis=1)
