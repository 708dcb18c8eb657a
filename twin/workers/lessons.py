"""What a training learns from: finished runs, read back from the store. Importing this imports jax: workers only."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from twin import codec
from twin.errors import FailedPrecondition, InvalidInput
from twin.results import storage
from twin.store.geometries import load_surface
from twin.store.runs import RunRecord
from twin.store.workspace import Workspace
from twin.studies import Request, StaticStress, Training

if TYPE_CHECKING:
    from twin.analyses.monitor import Monitor
    from twin.learning.training import Lesson

_READING: Final = 0.05  # of the progress bar


def lessons(
    workspace: Workspace, tenant: str, asked: Training, monitor: Monitor, workdir: Path
) -> Iterator[Lesson]:
    """Of each run one, in the order of their names."""
    for number, name in enumerate(asked.runs):
        monitor.progress(
            "read", _READING * number / len(asked.runs), f"run {number + 1} of {len(asked.runs)}"
        )
        yield _lesson(workspace, tenant, workspace.runs.get(tenant, name.partition("/")[2]), monitor, workdir)


def _lesson(workspace: Workspace, tenant: str, run: RunRecord, monitor: Monitor, workdir: Path) -> Lesson:
    from twin.analyses.run import set_up
    from twin.analyses.shape import deformed
    from twin.learning.questions import asked
    from twin.learning.samples import sample_of
    from twin.learning.training import SIZE, Lesson
    from twin.results.zones import Zones

    study = codec.parse_study(run.study)
    if not isinstance(study, StaticStress):
        raise InvalidInput(f"{run.name} is no study of stress, which is what surrogates learn")
    manifest = workspace.results.get(tenant, run.id)
    if storage.of_surrogate(manifest):
        raise FailedPrecondition(
            f"{run.name} was itself answered by a surrogate, and there is nothing new in it: simulate it with "
            "method='solver'",
            facts={"run": run.name},
        )
    surface = load_surface(workspace.arrays, tenant, run.geometry)
    if run.shape is not None:
        surface = deformed(surface, codec.parse_shape(run.shape))
    report = codec.parse_report(workspace.geometries.get(tenant, run.geometry).report)
    stored = workspace.arrays.of(tenant, run.name)
    outcome = storage.load(manifest, lambda key: workspace.arrays.read(tenant, stored[key]))
    task = set_up(surface, report, study, Request(), source=None, monitor=monitor, workdir=workdir)
    question = asked(surface, task.volume, study, task.regions)
    part = f"{run.geometry} {'' if run.shape is None else run.shape.hex()}"
    sample = sample_of(run.name, part, question, outcome, SIZE.tokens)
    return Lesson(sample, surface, Zones(outcome.singularities))
