"""The asynchronous result: numbers at once, arrays when they are asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, final, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from twin.codec import ResultRecord
from twin.errors import InvalidInput
from twin.quantities import Field, Quantity
from twin.results import storage
from twin.results.gradient import Gradient
from twin.results.outcome import (
    ConvergenceRow,
    Cost,
    Ending,
    Equilibrium,
    HeatBalance,
    Mesh,
    Outcome,
    Rung,
    Singularity,
    UniformGrid,
)
from twin.sdk.aio.wire import Wire
from twin.sdk.arrays import ArrayCache
from twin.sdk.envelope import envelope, worst_case
from twin.sdk.wording import study_rows, study_title
from twin.studies import GradientOf, Training, Wrt

if TYPE_CHECKING:
    from twin.results.grid import GridInterpolator
    from twin.results.shape import Deformation
    from twin.sdk.interpolation import Interpolator

SUFFIXES: Final = (".vtu", ".vtm", ".npz", ".csv", ".glb", ".png", ".html")
"""What `save`, `plot` and `report` can write."""


@final
class Source:
    """The arrays behind a result, and the whole of it for those who draw and write (in threads)."""

    def __init__(self, wire: Wire, record: ResultRecord) -> None:
        self._record: Final = record
        self._cache: Final = ArrayCache(lambda key: wire.read_array(record.arrays[key]))
        self._interpolator: Interpolator | GridInterpolator | None = None
        # Numbers only: what is looked up in its fields is fetched, its mesh is empty.
        self.outline: Final = storage.load(record.manifest, self._outlined)

    async def array(self, key: str) -> NDArray[Any]:
        return await self._cache.get(key)

    async def field(self, kind: str, case: str, name: str) -> Field:
        """kind: "fields" or "surface_fields"."""
        records = next(entry for entry in self._record.manifest["cases"] if entry["name"] == case)[kind]
        for field in records:
            if field["name"] == name:
                return Field(name, await self.array(field["array"]), field["unit"], field["location"])
        known = ", ".join(field["name"] for field in records) or "none"
        raise InvalidInput(f"the result has no field {name!r}; it has {known}")

    async def interpolator(self) -> Interpolator | GridInterpolator:
        found = self._interpolator
        if found is None:
            from twin.results.grid import GridInterpolator
            from twin.sdk.interpolation import Interpolator

            kind = storage.mesh_arrays(self._record.manifest)[1]
            if kind == "faces":
                raise InvalidInput(
                    "This answer has values on the surface only: take its fields, or, where a surrogate answered, "
                    "simulate with method='solver'."
                )
            points, elements = await asyncio.gather(self.array("mesh.points"), self.array(f"mesh.{kind}"))
            if kind == "hexahedra":
                found = await asyncio.to_thread(GridInterpolator, points, elements)
            else:
                found = await asyncio.to_thread(Interpolator, points, elements)
            self._interpolator = found
        return found

    async def outcome(self) -> Outcome:
        """The whole result.

        Its fields are fetched when they are looked up, which must not be on the event loop.
        """
        names = storage.mesh_arrays(self._record.manifest)
        arrays = await asyncio.gather(*(self.array(f"mesh.{name}") for name in names))
        mesh: dict[str, Any] = dict(zip(names, arrays, strict=True))
        return replace(self.outline, **mesh)

    def _outlined(self, key: str) -> NDArray[Any]:
        if key in self._record.inline:
            return self._record.inline[key]
        if key.startswith("mesh."):
            described = self._record.arrays[key]
            return np.zeros((0, *described.shape[1:]), dtype=described.dtype)
        return self._cache.wait(key)


@final
class AsyncCase:
    """The answer of one load case."""

    def __init__(self, name: str, source: Source) -> None:
        self.name: Final = name
        self._source: Final = source
        self._outline: Final = source.outline.cases[name]

    @property
    def quantities(self) -> Mapping[str, Quantity]:
        return self._outline.quantities

    @property
    def equilibrium(self) -> Equilibrium | None:
        return self._outline.balance if isinstance(self._outline.balance, Equilibrium) else None

    @property
    def heat_balance(self) -> HeatBalance | None:
        return self._outline.balance if isinstance(self._outline.balance, HeatBalance) else None

    @property
    def field_names(self) -> tuple[str, ...]:
        return tuple(self._outline.fields)

    @property
    def surface_field_names(self) -> tuple[str, ...]:
        return tuple(self._outline.surface_fields)

    async def field(self, name: str) -> Field:
        """A field on the volume mesh. Raises InvalidInput for an unknown name."""
        return await self._source.field("fields", self.name, name)

    async def surface_field(self, name: str) -> Field:
        """A field on the vertices of the surface that was uploaded."""
        return await self._source.field("surface_fields", self.name, name)

    async def probe(self, name: str, points: ArrayLike) -> Field:
        """As Case.probe."""
        where = np.asarray(points, dtype=np.float64)
        if where.shape[-1:] != (3,) or where.ndim > 2:
            raise InvalidInput(f"points to probe have the shape (k, 3), not {where.shape}")
        where = np.atleast_2d(where)
        field, interpolate = await asyncio.gather(self.field(name), self._source.interpolator())
        if field.location == "cell":
            cells, _ = await asyncio.to_thread(interpolate.locate, where)
            return Field(name, field.values[cells], field.unit, "cell")
        values = await asyncio.to_thread(interpolate, np.asarray(field.values, dtype=np.float64), where)
        return Field(name, values, field.unit, field.location)


@final
class AsyncResult:
    """The answer of a run; Result says what each word means."""

    def __init__(self, wire: Wire, run: str, source: Source) -> None:
        self.run: Final = run
        self._wire: Final = wire
        self._source: Final = source
        self._outline: Final = source.outline
        self._cases: Final = {name: AsyncCase(name, source) for name in self._outline.cases}
        self.quantities: Final[Mapping[str, Quantity]] = envelope(
            {name: case.quantities for name, case in self._cases.items()}
        )

    @classmethod
    async def fetch(cls, wire: Wire, run: str) -> AsyncResult:
        """The result of a run that has succeeded."""
        record = await wire.get_result(run)
        if storage.is_gradient(record.manifest):
            raise InvalidInput(f"{run} is a gradient: it is read by gradient() of the run")
        if storage.is_training(record.manifest):
            raise InvalidInput(f"{run} is a training: what it made is read by surrogate() of the run")
        return cls(wire, run, Source(wire, record))

    def __repr__(self) -> str:
        return f"AsyncResult({self.run!r}, cases={list(self.cases)})"

    @property
    def cases(self) -> tuple[str, ...]:
        return tuple(self._cases)

    def case(self, name: str | None = None) -> AsyncCase:
        if name is None and len(self._cases) == 1:
            name = self.cases[0]
        if name is None:
            raise InvalidInput(
                f"the result has several load cases: say which by case(name), of {self._known()}"
            )
        if name not in self._cases:
            raise InvalidInput(f"the result has no load case {name!r}; it has {self._known()}")
        return self._cases[name]

    async def field(self, name: str, case: str | None = None) -> Field:
        """A field on the volume mesh, of one load case."""
        return await self.case(case).field(name)

    async def probe(self, name: str, points: ArrayLike, case: str | None = None) -> Field:
        return await self.case(case).probe(name, points)

    @overload
    async def gradient(
        self, quantity: str, wrt: Wrt = "loads", *, case: str | None = None, velocities: None = None
    ) -> Gradient: ...

    @overload
    async def gradient(
        self, quantity: str, wrt: Wrt = "loads", *, case: str | None = None, velocities: ArrayLike
    ) -> float | NDArray[np.float64]: ...

    async def gradient(
        self,
        quantity: str,
        wrt: Wrt = "loads",
        *,
        case: str | None = None,
        velocities: ArrayLike | None = None,
    ) -> Gradient | float | NDArray[np.float64]:
        from twin.sdk.aio.gradient import along, ask, check_velocities

        check_velocities(wrt, velocities)
        found = await ask(self._wire, GradientOf(self.run, self._case_of(quantity, case), quantity, wrt))
        return found if velocities is None else along(found, velocities)

    def _case_of(self, quantity: str, case: str | None) -> str:
        """The load case of that name; without one, that in which the quantity is worst."""
        having = {
            name: own.quantities[quantity] for name, own in self._cases.items() if quantity in own.quantities
        }
        if case is None and having:
            return worst_case(quantity, having)
        return self.cases[0] if case is None else self.case(case).name

    @property
    def warnings(self) -> tuple[str, ...]:
        return self._outline.warnings

    @property
    def assumptions(self) -> tuple[str, ...]:
        return self._outline.assumptions

    @property
    def provenance(self) -> Mapping[str, str]:
        return self._outline.provenance

    @property
    def cost(self) -> Cost:
        return self._outline.cost

    @property
    def convergence(self) -> tuple[ConvergenceRow, ...]:
        return self._outline.convergence

    @property
    def ended(self) -> Ending | None:
        return self._outline.ended

    @property
    def rungs(self) -> tuple[Rung, ...]:
        return self._outline.rungs

    @property
    def singularities(self) -> tuple[Singularity, ...]:
        return self._outline.singularities

    @property
    def mesher(self) -> str:
        return self._outline.mesher

    @property
    def mesh_quality(self) -> Mapping[str, float]:
        return self._outline.mesh_quality

    async def mesh(self) -> Mesh:
        outcome = await self._source.outcome()
        return Mesh(
            outcome.points,
            outcome.tets,
            outcome.hexahedra,
            outcome.faces,
            outcome.surface_vertices,
            outcome.surface_triangles,
        )

    async def grids(self) -> tuple[UniformGrid, ...]:
        grids = self._source.outline.grids
        return await asyncio.to_thread(
            lambda: tuple(replace(grid, fields=dict(grid.fields)) for grid in grids)
        )

    async def save(self, path: str | Path, case: str | None = None) -> Path:
        from twin.results.files import save

        return await self._draw(save, path, case)

    async def plot(
        self,
        path: str | Path,
        *,
        field: str | None = None,
        case: str | None = None,
        deformation: Deformation = "auto",
        size: tuple[int, int] = (1600, 1000),
    ) -> Path:
        from twin.results.picture import plot

        return await self._draw(plot, path, field=field, case=case, deformation=deformation, size=size)

    async def compare(
        self, other: AsyncResult, path: str | Path, *, field: str | None = None, case: str | None = None
    ) -> Path:
        from twin.results.comparison import compare

        return await self._draw(compare, path, await other._source.outcome(), field=field, case=case)

    async def report(self, path: str | Path) -> Path:
        from twin.results.report import report

        (study, request), info = await asyncio.gather(
            self._wire.get_study(self.run), self._wire.get_run(self.run)
        )
        assert not isinstance(study, GradientOf | Training)  # whose answer is no result
        part = await self._wire.get_geometry(info.geometry)
        return await self._draw(
            report, path, study_text=study_rows(study), geometry_report=part.report,
            title=f"{study_title(study)} of {part.name}", run_name=self.run, accuracy=request.accuracy,
        )  # fmt: skip

    async def _draw(self, write: Callable[..., Path], path: str | Path, *args: Any, **options: Any) -> Path:
        outcome = await self._source.outcome()
        place = Path(path).expanduser()
        try:
            return await asyncio.to_thread(partial(write, outcome, place, *args, **options))
        except OSError as error:
            raise InvalidInput(f"{place} can't be written: {error.strerror or error}") from None

    def _known(self) -> str:
        return ", ".join(self._cases)
