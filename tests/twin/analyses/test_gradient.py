"""Gradients against central differences of the same discrete problem: the same mesh, morphed as the vertices move."""

import time
from dataclasses import dataclass, fields, replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from solvers.conduction.extension import HarmonicExtension
from solvers.tet10.faces import boundary_facets
from tests.solvers.meshes import box
from twin import materials
from twin.analyses import gradient
from twin.analyses.boundary import MeshBoundary
from twin.analyses.monitor import Silent
from twin.analyses.run import analysis_of
from twin.analyses.task import Regions, Stopwatch, Task
from twin.geometry.surface import Surface
from twin.meshing import VolumeMesh
from twin.results.outcome import CaseOutcome
from twin.results.zones import Zones
from twin.select import patch
from twin.studies import (
    DIFFERENTIABLE,
    Centrifugal,
    Convection,
    Displacement,
    ElasticFoundation,
    Fixed,
    Force,
    Gravity,
    HeatConduction,
    HeatFlow,
    HeatFlux,
    HeatSource,
    Pressure,
    RemoteForce,
    Request,
    StaticStress,
    Symmetry,
    Temperature,
    Traction,
)

CLOSE = 1e-4
SIZE = np.array([0.3, 0.1, 0.08])
LEFT, RIGHT, FRONT, BACK, BOTTOM, TOP = map(patch, range(6))
STEEL = materials.Material(200e9, 0.3, 7800, yield_strength=250e6, thermal_conductivity=45, name="steel")

STUDIES = {
    "body forces": StaticStress(
        STEEL, [Fixed(LEFT)], [Gravity((1, 2, -9.81)), Centrifugal((0.2, 0.1, 1), (0.4, 0.05, 0), 200)]
    ),
    "tractions": StaticStress(
        STEEL,
        [Symmetry(LEFT), Symmetry(FRONT), Symmetry(BOTTOM)],
        [Force((2e3, 3e2, -1e3), RIGHT), Traction((1e5, 2e5, -3e5), TOP), Pressure(2e5, BACK)],
    ),
    "springs and prescribed": StaticStress(
        STEEL,
        [Fixed(LEFT), Displacement(RIGHT, x=1e-5, z=-3e-5), ElasticFoundation(BOTTOM, 1e10)],
        [Pressure(2e6, TOP)],
    ),
    "distributing": StaticStress(
        STEEL,
        [ElasticFoundation(LEFT, 3e12, "all"), ElasticFoundation(BOTTOM, 1e12)],
        [RemoteForce((1e3, 5e2, 2e2), (0.5, 0.2, 0.1), RIGHT, moment=(30, 10, -20))],
    ),
    "rigid and prescribed": StaticStress(
        STEEL,
        [Fixed(LEFT), Displacement(BOTTOM, y=2e-6)],
        [
            Pressure(2e5, TOP),
            RemoteForce((1e3, 5e2, 2e2), (0.5, 0.2, 0.1), RIGHT, moment=(30, 10, -20), coupling="rigid"),
        ],
    ),
    "fluids": HeatConduction(
        STEEL,
        [Temperature(300, LEFT), Convection(2e3, 280, RIGHT), Convection(5e2, 390, TOP)],
        [HeatSource(1e5), HeatFlux(2e3, BOTTOM)],
    ),
    "temperatures that meet": HeatConduction(
        STEEL, [Temperature(300, LEFT), Temperature(320, TOP)], [HeatFlow(40, RIGHT), HeatFlow(-5, BACK)]
    ),
}


@dataclass(frozen=True)
class Part:
    """A box, its mesh, and a motion of it: of vertices, and of nodes with them."""

    surface: Surface
    mesh: VolumeMesh
    velocities: np.ndarray
    motion: np.ndarray

    def moved(self, step: float) -> "Part":
        surface = Surface(
            self.surface.vertices + step * self.velocities, self.surface.triangles, self.surface.patch
        )
        return replace(
            self, surface=surface, mesh=replace(self.mesh, points=self.mesh.points + step * self.motion)
        )


@cache
def part() -> Part:
    points, tets = box((4, 2, 2), tuple(SIZE))
    facets, _ = boundary_facets(tets)
    used, triangles = np.unique(facets[:, :3], return_inverse=True)
    triangles = triangles.reshape(-1, 3)
    centre = points[used][triangles].mean(1)
    sides = np.stack([s for k in range(3) for s in (centre[:, k], SIZE[k] - centre[:, k])], axis=1)
    surface = Surface(points[used], triangles, sides.argmin(1))
    mesh = VolumeMesh(points, tets, "none", 0.0, ())
    # smooth, and along the flat faces where these are to stay flat
    x, y, z = (surface.vertices / SIZE).T
    velocities = SIZE * np.stack(
        [x * (1 + 0.3 * y), y * (0.5 - 0.4 * z + x), z * (0.8 + 0.3 * x * y)], axis=1
    )
    boundary = MeshBoundary(surface, mesh)
    extension = HarmonicExtension(points, tets, boundary.nodes_on_surface)
    return Part(surface, mesh, velocities, extension(boundary.follow(velocities)))


def linearised(part: Part, study):
    """The study's solution on the part's mesh."""
    analysis = analysis_of(study)
    request = Request(quantities=("mass",))  # nothing whose error would take a solution of its own
    nowhere, ever = Regions((), ()), time.perf_counter() + 1e6
    task = Task(
        part.surface, None, analysis, request, nowhere, Zones(()), None, Silent(), Path(), Stopwatch(), ever
    )  # fmt: skip
    boundary = MeshBoundary(part.surface, part.mesh)
    found = analysis.solve_on_mesh(task, part.mesh, boundary, (0, 1))["default"]
    named = analysis.fields(found.field, found.flux.nodal, "node")
    return analysis.linearise(part.mesh, boundary, "default", CaseOutcome({}, named, {}, found.balance))


def values(part: Part, study) -> np.ndarray:
    """Of all quantities that have gradients."""
    linear = linearised(part, study)
    return np.array([linear.objective(quantity).value for quantity in quantities(study)])


def quantities(study) -> tuple[str, ...]:
    return DIFFERENTIABLE[type(study)]


def with_numbers(item, change):
    """A load, support or material whose numbers are changed, by name."""
    given = {field.name: getattr(item, field.name) for field in fields(item)}
    return type(item)(**(given | {name: np.add(given[name], by) for name, by in change.items()}))


def changed(study, changes):
    """A study whose loads and supports are changed, by the names that gradients have."""
    items = {"loads": list(study.cases["default"]), "supports": list(study.supports)}
    for name, by in changes.items():
        place, _, field = name.partition(".")
        kind, _, number = place.removesuffix("]").partition("[")
        items[kind][int(number)] = with_numbers(items[kind][int(number)], {field: by})
    return type(study)(study.material, items["supports"], items["loads"])


def numbers_of(study, names):
    """The sizes of parameters, by the names that gradients have; of what is zero a small one of its kind."""
    sizes = {}
    for name in names:
        place, _, field = name.partition(".")
        kind, _, number = place.removesuffix("]").partition("[")
        items = study.cases["default"] if kind == "loads" else study.supports
        sizes[name] = float(np.linalg.norm(getattr(items[int(number)], field))) or 1e-6
    return sizes


def slopes(at, step=1e-4):
    """Central differences of `at`, a function of a step."""
    return (at(step) - at(-step)) / (2 * step)


@pytest.mark.parametrize("study", STUDIES.values(), ids=STUDIES)
def test_against_central_differences(study):
    linear = linearised(part(), study)
    generator = np.random.default_rng(0)
    material = study.material
    changes: dict[str, np.ndarray] = {}
    numbers: dict[str, float] = {}
    along = []
    for quantity in quantities(study):
        objective = linear.objective(quantity)
        at = linear.adjoined(objective)
        by_loads = {
            f"{term.name}.{name}": value
            for term in linear.terms
            for name, value in term.by_parameters(at).items()
        }
        by_material = gradient.by_material(linear, objective, at)
        if not changes:
            sizes = numbers_of(study, by_loads)
            changes = {name: sizes[name] * generator.normal(size=v.shape) for name, v in by_loads.items()}
        for name in by_material.keys() - numbers.keys():
            numbers[name] = generator.normal() * getattr(material, name) / 4
        along.append(
            (
                np.vdot(gradient.by_shape(linear, objective, at), part().motion),
                sum(np.vdot(value, changes[name]) for name, value in by_loads.items()),
                sum(value * numbers[name] for name, value in by_material.items()),
            )
        )

    def of_shape(step):
        return values(part().moved(step), study)

    def of_loads(step):
        return values(part(), changed(study, {name: step * by for name, by in changes.items()}))

    def of_material(step):
        other = with_numbers(material, {name: step * by for name, by in numbers.items()})
        return values(part(), type(study)(other, study.supports, study.cases["default"]))

    found = np.array(along).T
    for name, of, expected in zip(
        ("shape", "loads", "material"), (of_shape, of_loads, of_material), found, strict=True
    ):
        np.testing.assert_allclose(expected, slopes(of), rtol=CLOSE, err_msg=f"{name}: {quantities(study)}")


def test_vertices_carry_what_nodes_do():
    """The transpose of a motion: the same derivative along it, from the vertices' entries alone."""
    boundary = MeshBoundary(part().surface, part().mesh)
    extension = HarmonicExtension(part().mesh.points, part().mesh.tets, boundary.nodes_on_surface)
    by_points = np.random.default_rng(0).normal(size=part().mesh.points.shape)
    by_vertices = boundary.onto_vertices(extension.transposed(by_points))
    assert np.vdot(by_vertices, part().velocities) == pytest.approx(
        np.vdot(by_points, part().motion), rel=1e-6
    )


def test_linear_motions_stay_linear_inside():
    """Laplace's equation on straight elements reproduces them exactly."""
    points, tets = part().mesh.points, part().mesh.tets
    nodes = MeshBoundary(part().surface, part().mesh).nodes_on_surface
    slope = np.random.default_rng(1).normal(size=(3, 3))
    moved = HarmonicExtension(points, tets, nodes)(points[nodes] @ slope)
    np.testing.assert_allclose(moved, points @ slope, atol=1e-6 * np.abs(moved).max())


def test_units_of_derivatives():
    assert gradient.per("m", "N") == "m/N"
    assert gradient.per("Pa", "m/s^2") == "Pa/(m/s^2)"
    assert gradient.per("J", "1") == "J"
