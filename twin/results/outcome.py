"""The result of one run as a value: quantities, fields, mesh, and how they were come by. SI throughout.

Light on purpose (numpy only): the solver fills it, the service stores it, the SDK hands it out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from twin.quantities import Field, Quantity

Vector = tuple[float, float, float]
Floats = NDArray[np.float64]
Ints = NDArray[np.int32]

GlyphKind = Literal[
    "fixed", "symmetry", "displacement", "foundation",
    "force", "traction", "pressure", "moment", "remote", "gravity", "centrifugal",
    "temperature", "convection", "heat_flux", "heat_flow",
    "wind", "opening",
]  # fmt: skip

SUPPORT_KINDS: tuple[GlyphKind, ...] = (
    "fixed", "symmetry", "displacement", "foundation", "temperature", "convection",
)  # fmt: skip
REMOTE_KINDS: tuple[GlyphKind, ...] = ("remote", "moment")


def _vector(value: ArrayLike) -> Vector:
    x, y, z = (float(component) for component in np.asarray(value, dtype=np.float64).reshape(3))
    return x, y, z


@dataclass(frozen=True)
class Equilibrium:
    """Do the supports hold the loads? Forces [N], moments about the origin [N m], any array-like of three.

    residual: |applied + reaction| over the resultant of the applied loads, or over a hundredth of the sum of their
    sizes where that is larger [-].
    """

    applied_force: Vector
    reaction_force: Vector
    applied_moment: Vector
    reaction_moment: Vector
    residual: float

    def __post_init__(self) -> None:
        for name in ("applied_force", "reaction_force", "applied_moment", "reaction_moment"):
            object.__setattr__(self, name, _vector(getattr(self, name)))
        object.__setattr__(self, "residual", float(self.residual))


@dataclass(frozen=True)
class HeatTerm:
    """What one support or load brings into the part [W]; on: where it acts, in words, "" for the whole part."""

    kind: str
    on: str
    heat: float


@dataclass(frozen=True)
class HeatBalance:
    """Does the heat that enters leave? Supports first, then loads.

    residual: what is left over what enters [-].
    """

    terms: tuple[HeatTerm, ...]
    residual: float


Balance = Equilibrium | HeatBalance

# What a result is coloured by unless something else is asked for: the first that it has.
_MAIN_FIELDS = ("von_mises", "temperature", "pressure_coefficient")


@dataclass(frozen=True, eq=False)
class CaseOutcome:
    """One load case.

    fields, on the volume mesh, of stress: displacement (n, 3) [m], stress (n, 6) [Pa] as xx, yy, zz, xy, yz, zx,
    von_mises (n, 1) [Pa]; of heat: temperature (n, 1) [K], heat_flux (n, 3) [W/m^2]; energy_error (m, 1) per cell;
    material (m, 1) likewise, where the part is of several; of flow, on the surface: pressure (n, 1) over a reference
    [Pa], pressure_coefficient (n, 1), wall_shear_stress (n, 3) [Pa].
    balance: of a study of the part itself
    surface_fields: on `Outcome.surface_vertices`.
    """

    quantities: Mapping[str, Quantity]
    fields: Mapping[str, Field]
    surface_fields: Mapping[str, Field]
    balance: Balance | None

    @property
    def main_field(self) -> str:
        """The field to look at first."""
        return next((name for name in _MAIN_FIELDS if name in self.fields), next(iter(self.fields), ""))


@dataclass(frozen=True, eq=False)
class Glyph:
    """A support or a load, to be drawn. points (k, 3) [m]; directions (k, 3) of any length, or None.

    label: what an engineer calls it ("Force 35.6 kN"). case: the load case it belongs to, None for all.
    A load of `REMOTE_KINDS` acts at the first point, and the others lie on the faces that carry it.
    """

    kind: GlyphKind
    label: str
    points: Floats
    directions: Floats | None = None
    case: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "points", np.asarray(self.points, dtype=np.float64).reshape(-1, 3))
        if self.directions is not None:
            directions = np.asarray(self.directions, dtype=np.float64).reshape(-1, 3)
            directions = np.broadcast_to(directions, self.points.shape)
            object.__setattr__(self, "directions", directions)

    @property
    def is_support(self) -> bool:
        return self.kind in SUPPORT_KINDS


SingularityKind = Literal["inner edge", "rim", "point load"]


@dataclass(frozen=True, eq=False)
class Singularity:
    """A place where the exact stress or heat flux has no bound, so that its largest value is looked for elsewhere.

    label: what it is and where; segments (k, 2, 3) [m]: the edges that it consists of
    radius: of the zone around them that is left out [m]; case: the load case that it belongs to, None for all
    """

    kind: SingularityKind
    label: str
    segments: Floats
    radius: float
    case: str | None = None

    @property
    def length(self) -> float:
        """Of all its edges [m]."""
        return float(np.linalg.norm(self.segments[:, 1] - self.segments[:, 0], axis=1).sum())


Ending = Literal["accuracy", "max_seconds", "max_unknowns", "no_finer_mesh"]
"""Why refinement ended: the accuracy is met; the time, or the number of unknowns allowed, is used up; no finer mesh
could be had or solved."""


@dataclass(frozen=True)
class ConvergenceRow:
    """One resolution of the ladder. size: target edge length [m]; residual: relative, of the linear solver;

    quantities: SI value of the worst case by name; errors: their estimates where they were made.
    """

    unknowns: int
    size: float
    iterations: int
    residual: float
    seconds: float
    quantities: Mapping[str, float]
    errors: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Cost:
    """What the run cost. seconds: wall time by phase; joules, peak_bytes: None where there is no counter."""

    seconds: Mapping[str, float]
    joules: float | None
    device: str
    peak_bytes: int | None = None


RungName = Literal["surrogate", "corrected", "solver"]


@dataclass(frozen=True)
class Rung:
    """One way to an answer, of those that were open to it.

    name: "surrogate" alone; "corrected", its field improved on a mesh by a few iterations until numbers are certified;
        "solver", to the end
    answered: whether the answer is of it; seconds: what it took, or by estimate would have; None: not known
    said: what it was not good enough for, or what the time is of
    """

    name: RungName
    answered: bool
    seconds: float | None
    measured: bool
    said: str

    @property
    def sentence(self) -> str:
        """For people."""
        known = "" if self.seconds is None else f", {'' if self.measured else 'about '}{self.seconds:.2g} s"
        return f"{self.name}{' answered' if self.answered else ''}{known}: {self.said}"


@dataclass(frozen=True, eq=False)
class UniformGrid:
    """Fields in a box of cubic cells, in the mean over time, of the fluid round a part.

    origin: corner of the first cell [m]; axes: unit vectors along which cells are counted, in rows; spacing [m]
    shape: cells along each axis; fields: of cells, the last axis fastest: velocity (n, 3) [m/s], pressure (n, 1) over
    a reference [Pa]; their root mean squares about the mean, velocity_fluctuation (n, 1) [m/s] and
    pressure_fluctuation (n, 1) [Pa]; solid (n, 1), 1 inside the part
    """

    origin: Vector
    axes: tuple[Vector, Vector, Vector]
    spacing: float
    shape: tuple[int, int, int]
    fields: Mapping[str, Field]


@dataclass(frozen=True, eq=False)
class Mesh:
    """Where the values of fields lie.

    points (n, 3) [m]: nodes of fields at "node"; elements of fields at "cell", in VTK order: tets (m, 10), quadratic,
    hexahedra (m, 8) of a grid, or faces (m, 6) of a surface alone, the others being empty;
    surface_vertices (v, 3) [m]: points of fields at "surface";
    surface_triangles (t, 3).
    """

    points: Floats
    tets: Ints
    hexahedra: Ints
    faces: Ints
    surface_vertices: Floats
    surface_triangles: Ints


@dataclass(frozen=True, eq=False)
class Outcome:
    """Everything that a run found.

    points (n, 3) [m]; tets (m, 10), quadratic, in VTK order (mids of edges 01 12 20 03 13 23), or hexahedra (h, 8) of
    a grid that the surface cuts, or, of a surrogate, six-node triangles (f, 6) of the surface: one is not empty;
    surface_vertices (v, 3) [m] and surface_triangles (t, 3): the surface that was uploaded.
    ended: why it was refined no further, None where that is not known
    singularities: places where the flux has no bound
    rungs: the ways to the answer where surrogates were asked, cheapest first; empty where none were
    grids: of a study of a flow, outermost first, each with finer cells than the one before
    """

    cases: Mapping[str, CaseOutcome]
    points: Floats
    tets: Ints
    surface_vertices: Floats
    surface_triangles: Ints
    glyphs: tuple[Glyph, ...]
    assumptions: tuple[str, ...]
    warnings: tuple[str, ...]
    convergence: tuple[ConvergenceRow, ...]
    mesh_quality: Mapping[str, float]
    mesher: str
    provenance: Mapping[str, str]
    cost: Cost
    hexahedra: Ints = field(default_factory=lambda: np.zeros((0, 8), np.int32))
    faces: Ints = field(default_factory=lambda: np.zeros((0, 6), np.int32))
    ended: Ending | None = None
    singularities: tuple[Singularity, ...] = ()
    rungs: tuple[Rung, ...] = ()
    grids: tuple[UniformGrid, ...] = ()

    def __post_init__(self) -> None:
        if not self.cases:
            raise ValueError("an outcome has at least one load case")
        shapes: Sequence[tuple[str, int]] = (
            ("points", 3), ("tets", 10), ("hexahedra", 8), ("faces", 6), ("surface_vertices", 3),
            ("surface_triangles", 3),
        )  # fmt: skip
        for name, columns in shapes:
            array = getattr(self, name)
            if array.ndim != 2 or array.shape[1] != columns:
                raise ValueError(f"{name} has shape {array.shape}, expected (n, {columns})")

    def case(self, name: str | None = None) -> CaseOutcome:
        """The named load case; without a name, the only or worst one."""
        return self.cases[self.worst_case if name is None else name]

    @property
    def worst_case(self) -> str:
        """The case with the largest von Mises stress (displacement where no stress was asked for), or temperature."""
        for quantity in ("max_von_mises", "max_displacement", "max_temperature"):
            values = {
                name: float(np.linalg.norm(case.quantities[quantity].value))
                for name, case in self.cases.items()
                if quantity in case.quantities
            }
            if values:
                return max(values, key=lambda name: values[name])
        return next(iter(self.cases))
