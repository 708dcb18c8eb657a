"""What an analysis reports to while it runs (twin.analyses.monitor.Monitor).

A thread keeps the lease and looks for a wish to cancel, so that a long compilation loses neither. The
analysis hears of it in `progress`; one that doesn't call it in time is ended with its process, which the
executor replaces.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Final, final

from sqlalchemy.exc import SQLAlchemyError

from twin.analyses.monitor import NONE
from twin.errors import Cancelled, DeadlineExceeded, TwinError
from twin.store.leases import Lease, LeaseLostError, Leases, Progress

_LOG: Final = logging.getLogger(__name__)


@final
@dataclass(frozen=True)
class Pace:
    """Seconds between events of one phase, looks for a cancel, renewals; and how long an analysis may not
    react. phases: whether a new phase is an event, however soon it comes
    """

    events: float = 0.1
    phases: bool = True
    look: float = 0.4
    renew: float = 3.0
    patience: float = 15.0  # a compilation can take that long


QUIET: Final = Pace(events=2.0, phases=False)
"""Of designs, which nobody watches one by one: each event is a write that reaches the disk."""


@final
class RunMonitor:
    """Use as a context around the analysis. max_seconds: the longest it may take; None: no limit.

    give_up: called from the thread when the analysis must end and does not; it must not return.
    """

    def __init__(
        self,
        leases: Leases,
        lease: Lease,
        give_up: Callable[[], None],
        max_seconds: float | None = None,
        pace: Pace = Pace(),
    ) -> None:
        self._leases = leases
        self._lease = lease
        self._give_up = give_up
        self._max_seconds = max_seconds
        self._pace = pace
        self._started = time.monotonic()
        self._last = Progress("", 0.0)
        self._written = -float("inf") if pace.phases else self._started  # when the last event was
        self._stop: BaseException | None = None  # set once, by the thread
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="lease", daemon=True)

    def __enter__(self) -> RunMonitor:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def progress(
        self,
        phase: str,
        fraction: float,
        message: str = "",
        residual: float | None = None,
        numbers: Mapping[str, float] = NONE,
    ) -> None:
        """Say how far the run is (fraction, 0 to 1). Raises Cancelled or DeadlineExceeded when it is
        time.
        """
        self.check()
        now = time.monotonic()
        known = {name: float(value) for name, value in numbers.items() if math.isfinite(value)}
        news = Progress(phase, min(max(float(fraction), 0.0), 1.0), message, residual, known)
        if news == self._last:
            return  # an analysis that waits says the same again and again, to hear of a cancel
        new_phase = self._pace.phases and news.phase != self._last.phase
        if new_phase or now - self._written >= self._pace.events:
            self._leases.report(self._lease, news)
            self._written = now
            self._last = news

    def check(self) -> None:
        """Raise what ends the run, if anything does."""
        if self._stop is not None:
            raise self._stop

    def _keep(self) -> None:
        renewed = time.monotonic()
        noticed: float | None = None
        while not self._ended.wait(self._pace.look):
            now = time.monotonic()
            if self._stop is None:
                self._stop = self._reason(now)
                if self._stop is None and now - renewed >= self._pace.renew:
                    renewed = now
                    self._renew()
            elif noticed is None:
                noticed = now
            elif now - noticed > self._pace.patience:
                self._end_unasked(self._stop)

    def _reason(self, now: float) -> BaseException | None:
        try:
            if self._leases.cancel_requested(self._lease):
                return Cancelled(f"runs/{self._lease.run} was cancelled", facts=self._facts())
        except LeaseLostError as lost:
            return lost
        except SQLAlchemyError:
            _LOG.exception("the database can't be read; trying again")
        if self._max_seconds is not None and now - self._started > self._max_seconds:
            return DeadlineExceeded(
                f"runs/{self._lease.run} was stopped after max_seconds = {self._max_seconds:g} s, in phase "
                f"{self._last.phase or 'start'!r}: allow more time or ask for a coarser accuracy",
                facts=self._facts(),
            )
        return None

    def _renew(self) -> None:
        try:
            self._leases.renew(self._lease)
        except LeaseLostError as lost:
            self._stop = lost
        except SQLAlchemyError:
            _LOG.exception("the lease can't be renewed; trying again")

    def _end_unasked(self, reason: BaseException) -> None:
        _LOG.warning("the analysis does not stop (%s): ending its process", reason)
        try:
            conclude(self._leases, self._lease, reason)
        finally:
            self._give_up()

    def _facts(self) -> dict[str, str]:
        return {"run": f"runs/{self._lease.run}", "phase": self._last.phase}


def conclude(leases: Leases, lease: Lease, reason: BaseException) -> None:
    """Write down why a run ends without a result; where it isn't ours any more, give back what was computed with it."""
    try:
        if isinstance(reason, LeaseLostError):
            leases.put_back(lease)
        elif isinstance(reason, Cancelled):
            leases.cancelled(lease)
        elif isinstance(reason, TwinError):
            leases.fail(lease, reason)
    except LeaseLostError:
        _LOG.info("runs/%s is no longer ours", lease.run)
