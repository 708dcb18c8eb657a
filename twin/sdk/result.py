"""The synchronous result. Quantities are at hand; fields come over when they are first looked up."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Mapping
from pathlib import Path
from typing import Any, Final, final, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from twin.quantities import Field, Quantity
from twin.results.gradient import Gradient
from twin.results.outcome import (
    ConvergenceRow,
    Cost,
    Ending,
    Equilibrium,
    HeatBalance,
    Mesh,
    Rung,
    Singularity,
    UniformGrid,
)
from twin.results.shape import Deformation
from twin.results.storage import LazyFields
from twin.sdk.aio.result import SUFFIXES, AsyncCase, AsyncResult
from twin.sdk.bridge import Bridge
from twin.studies import Wrt

__all__ = ["SUFFIXES", "Case", "Result"]


@final
class Case:
    """The answer of one load case."""

    def __init__(self, case: AsyncCase, loop: Bridge) -> None:
        self._case: Final = case
        self._bridge: Final = loop
        self.fields: Final = _fields(loop, case.field, case.field_names)
        """Fields on the volume mesh by name:

        "displacement", "stress" (xx, yy, zz, xy, yz, zx), "von_mises", "temperature", "heat_flux", ...
        """
        self.surface_fields: Final = _fields(loop, case.surface_field, case.surface_field_names)
        """Fields on the vertices of the surface that was uploaded."""

    @property
    def name(self) -> str:
        return self._case.name

    @property
    def quantities(self) -> Mapping[str, Quantity]:
        """The answers by name, each with its error."""
        return self._case.quantities

    @property
    def equilibrium(self) -> Equilibrium | None:
        """Loads against reactions; None of a study of heat."""
        return self._case.equilibrium

    @property
    def heat_balance(self) -> HeatBalance | None:
        """Heat in against heat out; None of a study of stress."""
        return self._case.heat_balance

    def probe(self, name: str, points: ArrayLike) -> Field:
        """The field `name` at points (k, 3) [m]: values (k, components).

        Interpolated in the quadratic elements. Raises InvalidInput for a point outside the part.
        """
        return self._bridge.run(self._case.probe(name, points))


@final
class Result:
    """The answer of a run."""

    def __init__(self, result: AsyncResult, loop: Bridge) -> None:
        self._result: Final = result
        self._bridge: Final = loop
        self._cases: Final = {name: Case(result.case(name), loop) for name in result.cases}

    def __repr__(self) -> str:
        return f"Result({self.run!r}, cases={list(self.cases)})"

    @property
    def run(self) -> str:
        """Name of the run."""
        return self._result.run

    @property
    def cases(self) -> tuple[str, ...]:
        """Names of the load cases, in the order of the study."""
        return self._result.cases

    def case(self, name: str | None = None) -> Case:
        """One load case;

        without a name the only one. Raises InvalidInput where there are several, or none so named.
        """
        return self._cases[self._result.case(name).name]

    @property
    def quantities(self) -> Mapping[str, Quantity]:
        """The answers by name, each with its error.

        Of several load cases the most severe one of each quantity, which its note names: the largest
        displacement, stress and reaction, the smallest safety factor and lowest temperature.
        `case(name).quantities` has those of one case.
        """
        return self._result.quantities

    @property
    def fields(self) -> Mapping[str, Field]:
        """Fields on the volume mesh, of the only load case; of several, use `case(name).fields`."""
        return self.case().fields

    @property
    def surface_fields(self) -> Mapping[str, Field]:
        """Fields on the vertices of the surface that was uploaded, of the only load case."""
        return self.case().surface_fields

    def probe(self, name: str, points: ArrayLike, case: str | None = None) -> Field:
        """The field `name` at points (k, 3) [m]: values (k, components).

        Interpolated in the quadratic elements. Raises InvalidInput for a point outside the part.
        """
        return self.case(case).probe(name, points)

    @overload
    def gradient(
        self, quantity: str, wrt: Wrt = "loads", *, case: str | None = None, velocities: None = None
    ) -> Gradient: ...

    @overload
    def gradient(
        self, quantity: str, wrt: Wrt = "loads", *, case: str | None = None, velocities: ArrayLike
    ) -> float | NDArray[np.float64]: ...

    def gradient(
        self,
        quantity: str,
        wrt: Wrt = "loads",
        *,
        case: str | None = None,
        velocities: ArrayLike | None = None,
    ) -> Gradient | float | NDArray[np.float64]:
        """How a quantity changes with the loads and supports, the material or the shape: at once with all of them.

        It is computed on the server by one more solution on the mesh of this result (the adjoint), and once: the same
        question finds the same run again. Largest stresses and heat fluxes are differentiated through a mean of a high
        power, which is smooth; `gap` says how far it lies below.

        quantity: "max_displacement", "max_von_mises", "compliance", "mass", "safety_factor"; "max_temperature",
        "min_temperature", "heat_flow", "max_heat_flux"; of a flow that becomes steady "drag_force", "lift_force",
        "side_force". wrt: "loads" (supports too; of a flow its "speed"), "material" or "shape", which is
        the vertices (v, 3) of result.mesh.surface_vertices, and of a part that boxes deformed also the moves of their
        control points, "shape[0].moves" (i, j, k, 3). case: load case, by default the one where the quantity is
        worst. velocities: of the vertices (v, 3) [m per unit of a parameter], or of several parameters (p, v, 3), for
        shape only: the derivative along them, a number or (p,).

        Raises InvalidInput for what has no gradient, FailedPrecondition for an answer that was found on a grid.
        """
        if velocities is None:
            return self._bridge.run(self._result.gradient(quantity, wrt, case=case))
        return self._bridge.run(self._result.gradient(quantity, wrt, case=case, velocities=velocities))

    @property
    def warnings(self) -> tuple[str, ...]:
        """What there is to know before the numbers are used."""
        return self._result.warnings

    @property
    def assumptions(self) -> tuple[str, ...]:
        """What was assumed."""
        return self._result.assumptions

    @property
    def provenance(self) -> Mapping[str, str]:
        """Versions and hashes of all that the answer depends on."""
        return self._result.provenance

    @property
    def cost(self) -> Cost:
        """Seconds by phase, joules where the device counts them."""
        return self._result.cost

    @property
    def convergence(self) -> tuple[ConvergenceRow, ...]:
        """One row for each resolution, coarsest first."""
        return self._result.convergence

    @property
    def ended(self) -> Ending | None:
        """Why it was refined no further: "accuracy" (met), "max_seconds", "max_unknowns" or "no_finer_mesh"."""
        return self._result.ended

    @property
    def rungs(self) -> tuple[Rung, ...]:
        """The ways to the answer where surrogates were asked, cheapest first: which one answered, why, their cost."""
        return self._result.rungs

    @property
    def singularities(self) -> tuple[Singularity, ...]:
        """Places where the exact stress or heat flux has no bound; its maximum is that outside their zones."""
        return self._result.singularities

    @property
    def mesher(self) -> str:
        """What made the mesh."""
        return self._result.mesher

    @property
    def mesh_quality(self) -> Mapping[str, float]:
        """Measures of the mesh by name."""
        return self._result.mesh_quality

    @property
    def mesh(self) -> Mesh:
        """Nodes, elements and surface that the fields' values belong to."""
        return self._bridge.run(self._result.mesh())

    @property
    def grids(self) -> tuple[UniformGrid, ...]:
        """Of a flow: boxes of cells with its fields in the mean, outermost first; the last is finest."""
        return self._bridge.run(self._result.grids())

    def save(self, path: str | Path, case: str | None = None) -> Path:
        """Write .vtu (ParaView), .vtm (likewise, of `grids`), .npz, .csv (quantities) or .glb (browser), by the suffix;

        of one case or all.
        """
        return self._bridge.run(self._result.save(path, case))

    def plot(
        self,
        path: str | Path,
        *,
        field: str | None = None,
        case: str | None = None,
        deformation: Deformation = "auto",
        size: tuple[int, int] = (1600, 1000),
    ) -> Path:
        """Write a PNG: the deformed part coloured by a field, with its supports and loads.

        field: "von_mises", "displacement", "temperature", "heat_flux", or a component such as "displacement_z",
        "stress_xx"; by default the von Mises stress or the temperature. case: by default the worst. deformation:
        factor on displacements, "auto" to see them, 0 for none. size: in pixels.
        """
        return self._bridge.run(
            self._result.plot(path, field=field, case=case, deformation=deformation, size=size)
        )

    def compare(
        self, other: Result, path: str | Path, *, field: str | None = None, case: str | None = None
    ) -> Path:
        """Write a PNG of this answer, another one to the same question, and their difference.

        field, case: as of `plot`. Raises InvalidInput where the other is of another part, or has no such field.
        """
        return self._bridge.run(self._result.compare(other._result, path, field=field, case=case))

    def report(self, path: str | Path) -> Path:
        """Write a self-contained HTML page:

        answer, picture, assumptions, study, mesh, equilibrium, provenance.
        """
        return self._bridge.run(self._result.report(path))


def _fields(
    loop: Bridge, fetch: Callable[[str], Coroutine[Any, Any, Field]], names: Iterable[str]
) -> Mapping[str, Field]:
    def loader(name: str) -> Callable[[], Field]:
        return lambda: loop.run(fetch(name))

    return LazyFields({name: loader(name) for name in names})
