"""The synchronous sweep: each method runs its asynchronous twin (aio/sweep.py) on the SDK's own event loop."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, final

from twin.codec import DesignState, SweepState
from twin.sdk.aio.sweep import AsyncSweep, Design, SweepUpdate
from twin.sdk.bridge import Bridge
from twin.sdk.update import SweepInfo
from twin.sweeps.sampling import Sampling
from twin.sweeps.space import Space
from twin.sweeps.table import Table


@final
class Sweep:
    """Many designs of one question. It goes on whether or not anybody watches, and after a restart of the server."""

    def __init__(self, sweep: AsyncSweep, loop: Bridge) -> None:
        self._sweep: Final = sweep
        self._bridge: Final = loop

    def __repr__(self) -> str:
        return f"Sweep({self.name!r})"

    @property
    def name(self) -> str:
        """Such as "sweeps/x": find it again with `client.find_sweep(name)`."""
        return self._sweep.name

    @property
    def space(self) -> Space:
        """Its parameters and constraints."""
        return self._sweep.space

    @property
    def state(self) -> SweepState:
        """ACTIVE, PAUSED, COMPLETE or CANCELLED, as of now."""
        return self.info().state

    def info(self) -> SweepInfo:
        """Where it stands now, with how many designs are in each state. Raises NotFound."""
        return self._bridge.run(self._sweep.info())

    def watch(self) -> Iterator[SweepUpdate]:
        """Designs in the order in which they end, those that have ended first; until the sweep has.

        Of a sweep with a script it builds the parts meanwhile. A connection that drops is made again and goes on where
        it broke; Unavailable after a minute without a server. Raises why the service has paused the sweep, where it has
        done so by itself.
        """
        return self._bridge.iterate(self._sweep.watch())

    def designs(self, states: Sequence[DesignState] = ()) -> Iterator[Design]:
        """Designs by their index, all that are planned by now or those in one of the states."""
        return self._bridge.iterate(self._sweep.designs(states))

    def table(self) -> Table:
        """All designs that are planned by now, as columns."""
        return self._bridge.run(self._sweep.table())

    def result(self, timeout: float | None = None) -> Table:
        """Wait until all designs have ended; their table.

        Raises DeadlineExceeded after `timeout` [s], when the sweep goes on, and what `watch` raises.
        """
        return self._bridge.run(self._sweep.result(timeout))

    def report(
        self, path: str | Path, objectives: Mapping[str, str] | None = None, pictures: int = 3
    ) -> Path:
        """Write a self-contained HTML page of what is known by now.

        objectives: columns of the table that are to be small or large, as {"mass": "min", "safety_factor": "max"};
        None: those that it is to optimise, else the usual ones, of those that differ. pictures: of so many of the best
        designs, where the sweep keeps fields. Raises InvalidInput for an objective that is none.
        """
        return self._bridge.run(self._sweep.report(path, objectives, pictures))

    def pause(self) -> SweepInfo:
        """Compute no further designs until it is resumed; those that are being computed end."""
        return self._bridge.run(self._sweep.pause())

    def resume(self) -> SweepInfo:
        """Go on after `pause` or `cancel`; designs that were cancelled need `retry`."""
        return self._bridge.run(self._sweep.resume())

    def cancel(self) -> SweepInfo:
        """Stop, also what is being computed. Designs that have ended stay."""
        return self._bridge.run(self._sweep.cancel())

    def extend(self, by: int | Sampling) -> SweepInfo:
        """More designs: so many as the sampling goes on, or those of another one."""
        return self._bridge.run(self._sweep.extend(by))

    def retry(self) -> SweepInfo:
        """Compute the designs once more that failed or were cancelled, none that are done. If cancelled it goes on."""
        return self._bridge.run(self._sweep.retry())

    def delete(self) -> None:
        """Delete the sweep with its results, but for those that other sweeps share."""
        self._bridge.run(self._sweep.delete())
