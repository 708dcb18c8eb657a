"""One run, from its record to its committed result."""

from __future__ import annotations

import dataclasses
import hashlib
import logging
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, final

from twin import codec
from twin.errors import Internal, NotFound, TwinError
from twin.geometry.formats.inflate import MAGIC, gunzip
from twin.geometry.surface import Surface
from twin.results import storage
from twin.results.gradient import Differentiation, Gradient
from twin.results.outcome import Outcome
from twin.store.arrays import Label, store_arrays
from twin.store.geometries import load_surface
from twin.store.leases import Lease, LeaseLostError
from twin.store.runs import RunRecord
from twin.store.workspace import Workspace
from twin.studies import GradientOf, Study
from twin.workers.energy import EnergyMeter
from twin.workers.monitor import QUIET, Pace, RunMonitor, conclude

if TYPE_CHECKING:  # it imports jax, and a test may hand over another table
    from twin.workers.analyses import Analysis

_LOG: Final = logging.getLogger(__name__)
_DEFORMED: Final = (
    "The part was deformed by free-form boxes before it was meshed; "
    "what was selected by place is where it was before."
)


@final
@dataclasses.dataclass(frozen=True)
class Computer:
    """What a worker needs to compute runs. scratch: its own folder for what doesn't outlive a run;

    give_up: ends this process (see monitor.py).
    """

    workspace: Workspace
    scratch: Path
    analyses: Mapping[str, Analysis]
    meter: EnergyMeter
    give_up: Callable[[], None]

    def compute(self, lease: Lease) -> None:
        """Compute the run and commit what came of it. Never raises for what an analysis does."""
        _LOG.info("runs/%s: attempt %d", lease.run, lease.attempt)
        leases = self.workspace.leases
        try:
            self._compute(lease)
        except LeaseLostError as lost:
            _LOG.warning("%s", lost)
        except TwinError as error:
            _LOG.info("runs/%s: %s", lease.run, error)
            conclude(leases, lease, error)
        except Exception as error:  # noqa: BLE001, whatever an analysis does, its run ends with words
            _LOG.exception("runs/%s failed", lease.run)
            facts = {"run": f"runs/{lease.run}", "type": type(error).__name__}
            what = f"{type(error).__name__}: {error}"[:2000]
            conclude(
                leases, lease, Internal(f"the analysis broke down, which is a fault of ours: {what}", facts)
            )
        else:
            _LOG.info("runs/%s: done", lease.run)

    def _compute(self, lease: Lease) -> None:
        run = self.workspace.runs.get(lease.tenant, lease.run)
        analysis = self.analyses.get(run.study_kind)
        if analysis is None:
            raise Internal(f"this worker knows no analysis for studies of kind {run.study_kind!r}")
        request = codec.parse_options(run.options)
        monitor = RunMonitor(
            self.workspace.leases,
            lease,
            self.give_up,
            _backstop(request.max_seconds),
            QUIET if run.background else Pace(),
        )
        with monitor, self._folder(lease) as workdir:
            monitor.progress("check", 0.0)
            geometry = self.workspace.geometries.get(lease.tenant, run.geometry)
            surface = load_surface(self.workspace.arrays, lease.tenant, run.geometry)
            source = self._source(lease, geometry.source_digest, geometry.filename, workdir)
            if run.shape is not None:
                surface, source = _deformed(surface, run.shape), None  # the file is of the part before
            scratch = workdir / "analysis"
            scratch.mkdir()
            before = self.meter.joules()
            outcome = analysis(
                surface,
                codec.parse_report(geometry.report),
                self._question(lease, run),
                request,
                source=source,
                monitor=monitor,
                workdir=scratch,
            )
            outcome = _with_joules(outcome, before, self.meter.joules())
            hashes = {
                "geometry": f"geometries/{run.geometry}",
                "source": geometry.source_digest,
                "study": _digest(run.study),
                "options": _digest(run.options),
                **({} if run.shape is None else {"shape": _digest(run.shape)}),
            }
            assumptions = outcome.assumptions + (() if run.shape is None else (_DEFORMED,))
            outcome = dataclasses.replace(
                outcome, assumptions=assumptions, provenance={**outcome.provenance, **hashes}
            )
            self._commit(lease, outcome, monitor, run.keep_fields)

    def _question(self, lease: Lease, run: RunRecord) -> Study | Differentiation:
        """What is asked; of a gradient with the answer that it is about."""
        asked = codec.parse_study(run.study)
        if not isinstance(asked, GradientOf):
            return asked
        answered = self.workspace.runs.get(lease.tenant, asked.run.removeprefix("runs/"))
        study = codec.parse_study(answered.study)
        if isinstance(study, GradientOf):
            raise Internal(f"{asked.run} is itself a gradient, which the service should have refused")
        arrays = self.workspace.arrays
        stored = arrays.of(lease.tenant, answered.name)
        outcome = storage.load(
            self.workspace.results.get(lease.tenant, answered.id),
            lambda key: arrays.read(lease.tenant, stored[key]),
        )
        return Differentiation(asked, study, outcome)

    def _commit(
        self, lease: Lease, outcome: Outcome | Gradient, monitor: RunMonitor, keep_fields: bool
    ) -> None:
        monitor.progress("write", 0.96, "storing the result")
        manifest, arrays = storage.dump(outcome)
        if not keep_fields:
            arrays = {}
        labels = {name: Label(**label) for name, label in codec.labels(manifest).items()}
        stored = store_arrays(self.workspace.blobs, lease.tenant, f"runs/{lease.run}", arrays, labels)
        monitor.progress("write", 0.99, "committing the result")
        self.workspace.leases.succeed(lease, manifest, stored)

    def _source(self, lease: Lease, digest: str, filename: str, folder: Path) -> Path | None:
        path = folder / f"source{Path(filename).suffix.lower()}"
        try:
            self.workspace.blobs.download(lease.tenant, digest, path)
        except NotFound:
            return None  # the surface is all that an analysis can't do without
        data = path.read_bytes()
        if data.startswith(MAGIC):  # meshers read what is inside
            path.write_bytes(gunzip(data))
        return path

    @contextmanager
    def _folder(self, lease: Lease) -> Iterator[Path]:
        folder = Path(tempfile.mkdtemp(prefix=f"run-{lease.run}-", dir=self.scratch))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _deformed(surface: Surface, shape: bytes) -> Surface:
    from twin.analyses.shape import deformed  # jax

    return deformed(surface, codec.parse_shape(shape))


def _with_joules(
    outcome: Outcome | Gradient, before: float | None, after: float | None
) -> Outcome | Gradient:
    joules = None if before is None or after is None else after - before
    return dataclasses.replace(outcome, cost=dataclasses.replace(outcome.cost, joules=joules))


def _digest(message: bytes) -> str:
    """What was asked, in a form that two runs can be compared by."""
    return f"sha256:{hashlib.sha256(message).hexdigest()}"


def _backstop(max_seconds: float | None) -> float | None:
    """An analysis keeps to max_seconds by itself and returns what it has; this ends one that does not."""
    return None if max_seconds is None else 2 * max_seconds + 20
