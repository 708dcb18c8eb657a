"""A sweep, followed and steered from anywhere."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, final

import numpy as np

from twin.codec import Counts, DesignState, DesignView, SweepState
from twin.errors import DeadlineExceeded, TwinError
from twin.geometry.script import Script
from twin.quantities import Quantity
from twin.sdk.aio.builder import Builder
from twin.sdk.aio.result import AsyncResult
from twin.sdk.aio.resumed import resumed
from twin.sdk.aio.sweep_wire import SweepWire
from twin.sdk.envelope import envelope
from twin.sdk.update import SweepInfo
from twin.sweeps.sampling import Sampling
from twin.sweeps.sequential import Optimiser
from twin.sweeps.space import Space
from twin.sweeps.table import Table

if TYPE_CHECKING:
    from twin.results.sweep_report import Thumbnail

_ENDED: Final[frozenset[SweepState]] = frozenset(("COMPLETE", "CANCELLED"))


@final
@dataclass(frozen=True)
class Design:
    """A point in the space of a sweep's parameters, and what came of it.

    index: counts the designs from 0. parameters: numbers (SI), and the words of choices. state: AWAITING_PART (of a
    script), PENDING, DONE, FAILED, INFEASIBLE (it can't be: error says why) or CANCELLED. quantities: of several load
    cases the worst of each; cases: all. run: "runs/...", what computed it; shared: for an identical design, which was
    there before; preview: solved as the sweep's preview says.
    """

    index: int
    parameters: Mapping[str, float | str]
    state: DesignState
    quantities: Mapping[str, Quantity]
    cases: Mapping[str, Mapping[str, Quantity]]
    run: str
    shared: bool
    error: TwinError | None
    preview: bool = False


@final
@dataclass(frozen=True)
class SweepUpdate:
    """A design that has ended, or None where only the rest is news; the state of the sweep, and its counts."""

    design: Design | None
    state: SweepState
    counts: Counts


def design_of(space: Space, view: DesignView) -> Design:
    """A design as users see it."""
    parameters: dict[str, float | str] = {
        parameter.name: view.values[position]
        if parameter.name in space.numbers
        else parameter.label(view.values[position])
        for position, parameter in enumerate(space.parameters)
    }
    quantities = envelope(view.found) if view.found else {}
    return Design(
        view.index,
        parameters,
        view.state,
        quantities,
        view.found,
        view.run,
        view.shared,
        view.error,
        view.preview,
    )


@final
class AsyncSweep:
    """Many designs of one question. It goes on whether or not anybody watches, and after a restart of the server."""

    def __init__(self, wire: SweepWire, name: str, space: Space, script: Script | None = None) -> None:
        self._wire: Final = wire
        self.name: Final = name
        self.space: Final = space
        self._script: Final = script

    def __repr__(self) -> str:
        return f"AsyncSweep({self.name!r})"

    async def info(self) -> SweepInfo:
        """Where it stands now. Raises NotFound."""
        return (await self._wire.get(self.name))[0]

    async def watch(self) -> AsyncGenerator[SweepUpdate, None]:
        """Designs in the order in which they end, those that have ended first; until the sweep has.

        Of a sweep with a script it builds the parts meanwhile. A connection that drops is made again and goes on where
        it broke; Unavailable after a minute without a server. Raises why the service has paused the sweep, where it has
        done so by itself.
        """
        async with self._building() as built, aclosing(self._updates()) as updates:
            async for update in updates:
                built()
                yield update
                if update.state == "PAUSED" and (error := (await self.info()).error) is not None:
                    raise error

    @asynccontextmanager
    async def _building(self) -> AsyncGenerator[Callable[[], None], None]:
        """Parts are built within the block; what it gives raises why they no longer are, where that is so."""
        if self._script is None:
            yield lambda: None
            return
        task = asyncio.create_task(Builder(self._wire, self.name, self.space, self._script).build_all())

        def check() -> None:
            if task.done() and not task.cancelled():
                task.result()

        try:
            yield check
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _updates(self) -> AsyncGenerator[SweepUpdate, None]:
        stream = partial(self._wire.watch, self.name)
        news = resumed(self._wire.wire, self.name, stream, self._is_over)
        async with aclosing(news):
            async for each in news:
                design = None if each.design is None else design_of(self.space, each.design)
                yield SweepUpdate(design, each.state, each.counts)

    async def _is_over(self) -> bool:
        return (await self.info()).state in _ENDED

    async def designs(self, states: Sequence[DesignState] = ()) -> AsyncGenerator[Design, None]:
        """Designs by their index, all that are planned by now or those in one of the states."""
        async for view in self._wire.designs(self.name, states):
            yield design_of(self.space, view)

    async def table(self) -> Table:
        """All designs that are planned by now, as columns."""
        return Table.of(self.space, [view async for view in self._wire.designs(self.name)])

    async def result(self, timeout: float | None = None) -> Table:
        """Wait until all designs have ended; their table.

        Raises DeadlineExceeded after `timeout` [s], when the sweep goes on, and what `watch` raises.
        """
        try:
            async with asyncio.timeout(timeout):
                async with aclosing(self.watch()) as updates:
                    async for _ in updates:
                        pass
        except TimeoutError:
            raise DeadlineExceeded(
                f"{self.name} has not ended within {timeout:g} s. It goes on: ask again, or cancel it."
            ) from None
        return await self.table()

    async def report(
        self, path: str | Path, objectives: Mapping[str, str] | None = None, pictures: int = 3
    ) -> Path:
        """Write a self-contained HTML page of what is known by now.

        objectives: columns of the table that are to be small or large, as {"mass": "min", "safety_factor": "max"};
        None: those that it is to optimise, else the usual ones, of those that differ. pictures: of so many of the best
        designs, where the sweep keeps fields. Raises InvalidInput for an objective that is none.
        """
        from twin.results import sweep_report as report  # it draws

        (info, _, samplings), table = await self._wire.get(self.name), await self.table()
        goal = next((each for each in samplings if isinstance(each, Optimiser)), None)
        if objectives is None and goal is not None and set(goal.objectives) <= set(table.quantities):
            objectives = goal.objectives
        wished = report.objectives_of(table, objectives)
        subject_to = () if goal is None else goal.subject_to
        best = report.best_designs(table, wished, subject_to)
        thumbnails = []
        if info.keep_fields:
            for design in best[np.linspace(0, len(best) - 1, min(pictures, len(best))).astype(int)]:
                thumbnails.append(await self._thumbnail(int(design), table))
        facts = [("designs", f"{info.counts.designs:,}"), ("begun", f"{info.created:%Y-%m-%d %H:%M} UTC")]
        return await asyncio.to_thread(
            report.write,
            table,
            Path(path),
            heading=info.display_name or "Sweep",
            name=self.name,
            facts=facts,
            objectives=wished,
            subject_to=subject_to,
            thumbnails=thumbnails,
        )

    async def _thumbnail(self, design: int, table: Table) -> Thumbnail:
        from twin.results.sweep_report import Thumbnail

        row = int(np.flatnonzero(table["design"] == design)[0])
        result = await AsyncResult.fetch(self._wire.wire, str(table["run"][row]))
        with tempfile.TemporaryDirectory() as folder:
            png = (await result.plot(Path(folder) / "design.png")).read_bytes()
        parameters = table.space.parameters
        caption = ", ".join(f"{p.name} {p.label(p.read(table[p.name][row].item()))}" for p in parameters)
        return Thumbnail(design, png, caption)

    async def pause(self) -> SweepInfo:
        """Compute no further designs until it is resumed; those that are being computed end."""
        return await self._wire.pause(self.name)

    async def resume(self) -> SweepInfo:
        """Go on after `pause` or `cancel`; designs that were cancelled need `retry`."""
        return await self._wire.resume(self.name)

    async def cancel(self) -> SweepInfo:
        """Stop, also what is being computed. Designs that have ended stay."""
        return await self._wire.cancel(self.name)

    async def extend(self, by: int | Sampling) -> SweepInfo:
        """More designs: so many as the sampling goes on, or those of another one."""
        return await self._wire.extend(self.name, by)

    async def retry(self) -> SweepInfo:
        """Compute the designs once more that failed or were cancelled, none that are done. If cancelled it goes on."""
        return await self._wire.retry(self.name)

    async def delete(self) -> None:
        """Delete the sweep with its results, but for those that other sweeps share."""
        await self._wire.delete(self.name)
