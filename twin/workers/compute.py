"""One run, or a pack of them, from the record to the committed result."""

from __future__ import annotations

import dataclasses
import hashlib
import logging
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar, final

from twin import codec
from twin.errors import Internal, NotFound, TwinError
from twin.geometry.formats.inflate import MAGIC, gunzip
from twin.geometry.surface import Surface
from twin.results import storage
from twin.results.card import TrainedSurrogate
from twin.results.gradient import Differentiation, Gradient
from twin.results.outcome import Outcome
from twin.store.arrays import Label, store_arrays
from twin.store.geometries import load_surface
from twin.store.leases import Lease, LeaseLostError
from twin.store.runs import RunRecord
from twin.store.workspace import Workspace
from twin.studies import GradientOf, StaticStress, Study, Training
from twin.workers.energy import EnergyMeter
from twin.workers.monitor import QUIET, Pace, RunMonitor, conclude
from twin.workers.surrogates import Surrogates

if TYPE_CHECKING:  # it imports jax, and a test may hand over another table
    from twin.learning.answers import Consultation
    from twin.learning.imported import Import
    from twin.workers.analyses import Analysis, Together

TRAINING: Final = "training"
"""Kind of studies that are of no part."""
CONSULTED: Final = "consultation"
"""Among analyses, what answers a study that names a surrogate."""
IMPORTED: Final = "imported"
"""Among analyses, what takes an answer that was found elsewhere."""
RESUMED: Final = frozenset({"external_flow", "internal_flow"})
"""Kinds of studies whose analyses go on from what an earlier attempt left in their working folder."""
_LOG: Final = logging.getLogger(__name__)
_DEFORMED: Final = (
    "The part was deformed by free-form boxes before it was meshed; "
    "what was selected by place is where it was before."
)


@final
@dataclasses.dataclass(frozen=True)
class Computer:
    """What a worker needs to compute runs. scratch: its own folder for what doesn't outlive a run;

    analyses: by kind of study; together: likewise, of many that differ in their load cases alone
    give_up: ends this process (see monitor.py); surrogates: those that it has at hand
    """

    workspace: Workspace
    scratch: Path
    analyses: Mapping[str, Analysis]
    together: Mapping[str, Together]
    meter: EnergyMeter
    give_up: Callable[[], None]
    surrogates: Surrogates

    def compute(self, lease: Lease) -> None:
        """Compute the run, with those beside it, and commit what came of it. Never raises for what an analysis does."""
        _LOG.info("runs/%s and %d beside it: attempt %d", lease.run, len(lease.beside), lease.attempt)
        leases = self.workspace.leases
        try:
            self._compute(lease)
        except LeaseLostError as lost:
            _LOG.warning("%s", lost)
            conclude(leases, lease, lost)
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
        runs = [self.workspace.runs.get(each.tenant, each.run) for each in lease.all]
        run = runs[0]
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
            if run.study_kind == TRAINING:
                self._train(lease, run, monitor, workdir)
                return
            geometry = self.workspace.geometries.get(lease.tenant, run.geometry)
            surface = load_surface(self.workspace.arrays, lease.tenant, run.geometry)
            source = self._source(lease, geometry.source_digest, geometry.filename, workdir)
            if run.shape is not None:
                surface, source = _deformed(surface, run.shape), None  # the file is of the part before
            scratch = self._scratch(run, workdir)
            questions = [self._question(lease, each, workdir) for each in runs]
            before = self.meter.joules()
            about = surface, codec.parse_report(geometry.report)
            beside: dict[str, Any] = {"source": source, "monitor": monitor, "workdir": scratch}
            answers: Sequence[Outcome | Gradient]
            if len(runs) > 1:
                answers = _known(self.together, run.study_kind)(*about, questions, request, **beside)
            else:
                question = questions[0]
                plain = isinstance(question, Study | Differentiation)
                other = CONSULTED if request.imported is None else IMPORTED
                analysis = _known(self.analyses, run.study_kind if plain else other)
                answers = [analysis(*about, question, request, **beside)]
            joules = _difference(before, self.meter.joules(), len(runs))
            hashes = {
                "geometry": f"geometries/{run.geometry}",
                "source": geometry.source_digest,
                "options": _digest(run.options),
                **({} if run.shape is None else {"shape": _digest(run.shape)}),
            }
            told = () if run.shape is None else (_DEFORMED,)
            answers = [
                dataclasses.replace(
                    answer,
                    assumptions=answer.assumptions + told,
                    provenance={**answer.provenance, **hashes, "study": _digest(each.study)},
                    cost=dataclasses.replace(answer.cost, joules=joules),
                )
                for each, answer in zip(runs, answers, strict=True)
            ]
            self._commit(lease, answers, monitor, run.keep_fields)
            shutil.rmtree(scratch, ignore_errors=True)

    def _scratch(self, run: RunRecord, workdir: Path) -> Path:
        """For an analysis: an empty folder, or that of its earlier attempts."""
        if run.study_kind in RESUMED:
            return self.workspace.home.checkpoints_of(run.id)
        folder = workdir / "analysis"
        folder.mkdir()
        return folder

    def _question(
        self, lease: Lease, run: RunRecord, workdir: Path
    ) -> Study | Differentiation | Consultation | Import:
        """What is asked; of a gradient with the answer that it is about, of an import with the file."""
        asked = codec.parse_study(run.study)
        assert not isinstance(asked, Training)  # which is no question of a part
        if not isinstance(asked, GradientOf):
            imported = codec.parse_options(run.options).imported
            return (
                self._consulted(lease, run, asked)
                if imported is None
                else self._import(lease, asked, imported.fields, workdir)
            )
        answered = self.workspace.runs.get(lease.tenant, asked.run.removeprefix("runs/"))
        study = codec.parse_study(answered.study)
        if isinstance(study, GradientOf | Training):
            raise Internal(
                f"{asked.run} is itself a {answered.study_kind}, which the service should have refused"
            )
        arrays = self.workspace.arrays
        stored = arrays.of(lease.tenant, answered.name)
        outcome = storage.load(
            self.workspace.results.get(lease.tenant, answered.id),
            lambda key: arrays.read(lease.tenant, stored[key]),
        )
        boxes = () if answered.shape is None else codec.parse_shape(answered.shape)
        return Differentiation(asked, study, outcome, boxes)

    def _consulted(self, lease: Lease, run: RunRecord, study: Study) -> Study | Consultation:
        """With the surrogates that are to be asked first, where there are any. Designs ask those that are named."""
        request = codec.parse_options(run.options)
        if run.background and not request.asks_surrogates:
            return study
        return self.surrogates.consultation(lease.tenant, study, request, fields=run.keep_fields) or study

    def _import(self, lease: Lease, study: Study, digest: str, workdir: Path) -> Import:
        from twin.learning.imported import Import  # jax

        assert isinstance(study, StaticStress)  # others the service refuses
        path = workdir / "imported.npz"
        self.workspace.blobs.download(lease.tenant, digest, path)
        return Import(study, path)

    def _train(self, lease: Lease, run: RunRecord, monitor: RunMonitor, workdir: Path) -> None:
        asked = codec.parse_study(run.study)
        assert isinstance(asked, Training)  # its kind says so
        before = self.meter.joules()
        made = self.surrogates.train(lease.tenant, run.id, asked, monitor, workdir)
        joules = _difference(before, self.meter.joules(), 1)
        provenance = {**made.provenance, "study": _digest(run.study)}
        made = dataclasses.replace(
            made, cost=dataclasses.replace(made.cost, joules=joules), provenance=provenance
        )
        self._commit(lease, [made], monitor, keep_fields=True)

    def _commit(
        self,
        lease: Lease,
        answers: Sequence[Outcome | Gradient | TrainedSurrogate],
        monitor: RunMonitor,
        keep_fields: bool,
    ) -> None:
        monitor.progress("write", 0.96, "storing the result")
        blobs, found = self.workspace.blobs, []
        for each, answer in zip(lease.all, answers, strict=True):
            manifest, arrays = storage.dump(answer)
            if not keep_fields:
                arrays = {}
            labels = {name: Label(**label) for name, label in codec.labels(manifest).items()}
            found.append((manifest, store_arrays(blobs, lease.tenant, f"runs/{each.run}", arrays, labels)))
            monitor.check()
        monitor.progress("write", 0.99, "committing the result")
        self.workspace.leases.succeed(lease, found)

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


Answering = TypeVar("Answering")


def _known(table: Mapping[str, Answering], kind: str) -> Answering:
    if kind not in table:
        raise Internal(f"this worker knows no analysis for studies of kind {kind!r}")
    return table[kind]


def _difference(before: float | None, after: float | None, count: int) -> float | None:
    """Joules for each of so many."""
    return None if before is None or after is None else (after - before) / count


def _digest(message: bytes) -> str:
    """What was asked, in a form that two runs can be compared by."""
    return f"sha256:{hashlib.sha256(message).hexdigest()}"


def _backstop(max_seconds: float | None) -> float | None:
    """An analysis keeps to max_seconds by itself and returns what it has; this ends one that does not."""
    return None if max_seconds is None else 2 * max_seconds + 20
