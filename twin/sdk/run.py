"""The synchronous run: each method runs its asynchronous twin (aio/run.py) on the SDK's own event loop."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, final

from twin.results.gradient import Gradient
from twin.sdk.aio.run import AsyncRun
from twin.sdk.bridge import Bridge
from twin.sdk.result import Result
from twin.sdk.surrogate import Surrogate
from twin.sdk.update import RunInfo, RunState, Update


@final
class Run:
    """A study of a part on the server. It goes on whether or not anybody watches."""

    def __init__(self, run: AsyncRun, loop: Bridge) -> None:
        self._run: Final = run
        self._bridge: Final = loop

    def __repr__(self) -> str:
        return f"Run({self.name!r})"

    @property
    def name(self) -> str:
        """Such as "runs/x": find it again with `client.run(name)`."""
        return self._run.name

    @property
    def state(self) -> RunState:
        """PENDING, RUNNING, SUCCEEDED, FAILED or CANCELLED, as of now."""
        return self.info().state

    def info(self) -> RunInfo:
        """Where it stands now, with its times and its error. Raises NotFound."""
        return self._bridge.run(self._run.info())

    def watch(self) -> Iterator[Update]:
        """Everything that happens to the run, from its start until its end, each event once and in order.

        A connection that drops is made again and goes on where it broke; Unavailable after a minute without a
        server. The last update has the state SUCCEEDED, FAILED (with its error) or CANCELLED.
        """
        return self._bridge.iterate(self._run.watch())

    def result(self, timeout: float | None = None) -> Result:
        """Wait for the end of the run; its result.

        timeout: longest time to wait [s], None for ever. Raises why the run failed (the same class of
        TwinError as on the server), Cancelled where it was, and DeadlineExceeded after `timeout` (the run
        goes on).
        """
        return Result(self._bridge.run(self._run.result(timeout)), self._bridge)

    def gradient(self, timeout: float | None = None) -> Gradient:
        """Wait for the end of a run that was started by `result.gradient`; its gradient. As `result` otherwise."""
        return self._bridge.run(self._run.gradient(timeout))

    def surrogate(self, timeout: float | None = None) -> Surrogate:
        """Wait for the end of a training that `client.train` started; the surrogate. As `result` otherwise."""
        return Surrogate(self._bridge.run(self._run.surrogate(timeout)), self._bridge)

    def cancel(self) -> RunInfo:
        """Ask the run to stop; it does so within seconds. One that has ended stays as it is."""
        return self._bridge.run(self._run.cancel())

    def delete(self) -> None:
        """Delete the run and its result, cancelled first if it has not ended."""
        self._bridge.run(self._run.delete())
